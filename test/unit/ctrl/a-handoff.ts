/** A handoff for tests, with the parts of the configuration that matter to the test. */
import { type ConfigurationInput, configurationSchema } from '../../../src/config/schema.js';
import { HANDOFF_VERSION, type Handoff } from '../../../src/session/handoff.js';

export const aHandoff = (configuration: ConfigurationInput = {}, parts: Partial<Handoff> = {}): Handoff => ({
  type: 'handoff',
  v: HANDOFF_VERSION,
  session: 'abc123',
  lease: { local: '203.0.113.1', remote: '203.0.113.10', callId: 0x0abc },
  peer: { address: '198.51.100.7', port: 40_123 },
  localAddress: '192.0.2.1',
  firstBytes: '',
  configuration: configurationSchema.parse(configuration),
  ...parts,
});
