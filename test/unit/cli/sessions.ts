/** A session's state as the tests of the commands take it. */
import type { SessionState } from '../../../src/session/state.js';

const STATE: SessionState = {
  session: 'abc123',
  version: '0.1.0',
  since: Date.UTC(2026, 10, 23, 10, 4, 7),
  phase: 'up',
  ending: null,
  warning: null,
  peer: { address: '192.0.2.7', port: 40_123 },
  localAddress: '192.0.2.1',
  callId: 4711,
  peerCallId: 1,
  tunnel: { local: '203.0.113.1', remote: '203.0.113.2' },
  user: 'alice',
  pid: 1,
  pppdPid: 2,
  log: { level: 'info', file: null },
  ppp: null,
  counters: null,
};

export const sessionOf = (part: Partial<SessionState>): SessionState => ({ ...STATE, ...part });
