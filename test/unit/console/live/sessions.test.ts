/** What the console believes of a worker that was taken over. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LiveSessions, type SessionEvent } from '../../../../src/console/live/sessions.js';
import { NOTHING_CARRIED } from '../../../../src/console/live/traffic-meter.js';
import { SessionClient } from '../../../../src/session/client.js';
import { readLines, writeLine } from '../../../../src/session/lines.js';
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

test('a worker that drops every connection is asked again at the next turn of the timer only', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-live-'));
  t.after(() => rmSync(runDirectory, { recursive: true }));
  mkdirSync(runPaths(runDirectory).sessions);
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    writeLine(socket, { greeting: 'pptpd-ts', v: 1, session: 'abc123', version: '0.1.0' });
    readLines(socket, (message) => {
      const { id, op } = message as { id: number; op: string };
      writeLine(socket, { id, ok: true, result: op === 'state' ? aStateUp({ session: 'abc123' }) : null });
      if (op === 'state') socket.end();
    });
  }).listen(sessionSocketPath(runDirectory, 'abc123'));
  t.after(() => server.close());
  await once(server, 'listening');

  let gone: () => void = () => undefined;
  const live = new LiveSessions({
    runDirectory,
    carried: () => NOTHING_CARRIED,
    onEvent: ({ type }) => {
      if (type === 'gone') gone();
    },
  });
  t.after(() => live.close());
  const dropped = async (): Promise<void> => new Promise((resolve) => (gone = resolve));
  /** Whoever would connect at once has connected when these have. */
  const othersConnect = async (): Promise<void> => {
    for (let count = 0; count < 5; count += 1) {
      const client = await SessionClient.connect(runDirectory, 'abc123');
      client.close();
    }
  };
  await dropped();
  assert.equal(connections, 1);
  await othersConnect();
  assert.equal(connections, 6);
  const droppedAgain = dropped();
  t.mock.timers.tick(1000);
  await droppedAgain;
  assert.equal(connections, 7);
});
