/** Session states for tests: default values, and the parts that matter to the test. */
import type { SessionState } from '../../../src/session/state.js';

export const aState = (parts: Partial<SessionState> = {}): SessionState => ({
  session: 'abc123',
  version: '0.1.0',
  since: 0,
  phase: 'connected',
  ending: null,
  warning: null,
  peer: { address: '198.51.100.7', port: 40_123 },
  localAddress: '192.0.2.1',
  callId: 4711,
  peerCallId: null,
  tunnel: { local: '203.0.113.1', remote: '203.0.113.10' },
  user: null,
  pid: 17,
  pppdPid: null,
  link: null,
  interface: null,
  limits: null,
  speed: null,
  ppp: null,
  counters: null,
  log: null,
  ...parts,
});

/** The state of a session whose client is logged in. */
export const aStateUp = (parts: Partial<SessionState> = {}): SessionState =>
  aState({
    since: Date.UTC(2026, 10, 23, 10, 4, 7),
    phase: 'up',
    peerCallId: 1,
    user: 'alice',
    pppdPid: 18,
    link: 'pppd',
    log: { level: 'info', file: null },
    ...parts,
  });
