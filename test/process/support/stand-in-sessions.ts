/** Sessions without processes: sockets in the run directory that answer as workers do, as many as wanted. */
import { chownSync, statSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { runPaths } from '../../../src/session/paths.js';
import { SessionServer } from '../../../src/session/server.js';
import { type SessionState, sessionState } from '../../../src/session/state.js';

/** Six letters and digits, the first ones the same. */
export const standInId = (index: number): string => `zz${index.toString(36).padStart(4, '0')}`;

export const standInState = (index: number, since: number): SessionState =>
  sessionState.parse({
    session: standInId(index),
    version: '0.1.0',
    since,
    phase: 'up',
    peer: { address: `192.0.2.${2 + (index % 250)}`, port: 40_000 + index },
    localAddress: '192.0.2.1',
    callId: index,
    peerCallId: index,
    tunnel: { local: '198.51.100.1', remote: `198.51.${Math.floor(index / 250)}.${2 + (index % 250)}` },
    user: `user${index}`,
    pid: process.pid,
    pppdPid: null,
    link: 'tun',
    ppp: null,
    counters: {},
  });

/** They end with the test. `stateOf`: of the session numbered from 0; its `session` is the socket's name. */
export async function standInSessions(
  t: TestContext,
  runDirectory: string,
  count: number,
  stateOf?: (index: number) => SessionState,
): Promise<readonly SessionServer[]> {
  const { sessions } = runPaths(runDirectory);
  const { uid, gid } = statSync(sessions);
  const since = Date.now();
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const state = stateOf?.(index) ?? standInState(index, since - index * 1000);
      const server = new SessionServer({
        session: state.session,
        version: state.version,
        handlers: {
          state: () => state,
          disconnect: () => server.close(),
          probe: () => null,
          reopenLog: () => null,
          limits: () => null,
          logLevel: () => ({ level: 'info' }),
        },
      });
      const path = `${sessions}/${state.session}.sock`;
      await server.listen(path);
      chownSync(path, uid, gid);
      t.after(() => server.close());
      return server;
    }),
  );
}
