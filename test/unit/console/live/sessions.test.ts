/** What the console believes of a worker that was taken over. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LiveSessions, type SessionEvent } from '../../../../src/console/live/sessions.js';
import { NOTHING_CARRIED } from '../../../../src/console/live/traffic-meter.js';
import { runPaths, sessionSocketPath } from '../../../../src/session/paths.js';
import { SessionServer } from '../../../../src/session/server.js';
import { aStateUp } from '../../session/a-state.js';

test('a worker can speak for no other session, and nonsense about PPP is no news', async (t) => {
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-live-'));
  t.after(() => rmSync(runDirectory, { recursive: true }));
  mkdirSync(runPaths(runDirectory).sessions);
  const state = aStateUp({
    session: 'zzzzzz',
    ppp: { encryption: { method: 'mppe', bits: { toString: 1 }, stateless: true, oneWay: null } },
  });
  const server = new SessionServer({
    session: 'abc123',
    version: '0.1.0',
    handlers: {
      state: () => state,
      disconnect: () => undefined,
      probe: () => null,
      reopenLog: () => null,
      limits: () => null,
      logLevel: () => ({ level: 'info' }),
    },
  });
  t.after(() => server.close());
  await server.listen(sessionSocketPath(runDirectory, 'abc123'));

  const events: SessionEvent[] = [];
  const sessions = await new Promise<LiveSessions>((resolve) => {
    const live: LiveSessions = new LiveSessions({
      runDirectory,
      carried: () => NOTHING_CARRIED,
      onEvent: (event) => {
        events.push(event);
        if (event.type === 'changed') resolve(live);
      },
    });
    t.after(() => live.close());
  });
  assert.deepEqual(
    sessions.rows.map(({ id, encryption }) => [id, encryption]),
    [['abc123', null]],
  );
  for (const event of events) if (event.type === 'happened') assert.equal(event.happening.session, 'abc123');
});
