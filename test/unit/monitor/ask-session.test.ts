/** What a RADIUS server wants of a session, asked over the session's socket: when its worker answers, and when it does not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askSession } from '../../../src/monitor/ask-session.js';
import { sessionSocketPath } from '../../../src/session/paths.js';
import { LogLines } from '../ctrl/log-lines.js';

const SESSION = 'abc123';
const REQUEST = { op: 'disconnect', reason: 'radiusDisconnect', detail: 'test' } as const;

/** Longer than a busy machine takes, ms. */
const PATIENCE_MS = 30_000;

/** This process is the worker: `serve` has its end of each connection. */
async function fixture(t: TestContext, serve: (socket: Socket) => void, patience = PATIENCE_MS) {
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-ask-'));
  t.after(() => rmSync(runDirectory, { recursive: true }));
  const path = sessionSocketPath(runDirectory, SESSION);
  mkdirSync(dirname(path));
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    t.after(() => socket.destroy());
    serve(socket);
  }).listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  const lines = new LogLines('info');
  const ask = async (worker = process.pid): Promise<boolean> =>
    askSession({ runDirectory, session: SESSION, worker, request: REQUEST, log: lines.log, patience });
  return { ask, said: () => lines.at('warn').join() };
}

const line = (message: object): string => `${JSON.stringify(message)}\n`;

test('what the session answers is what comes of it', async (t) => {
  for (const [answer, isDone, said] of [
    [{ id: 1, ok: true, result: null }, true, /^$/],
    [{ id: 1, ok: false, error: 'it has no call' }, false, /it refuses: it has no call/],
  ] as const) {
    const asked: string[] = [];
    const { ask, said: words } = await fixture(t, (socket) => {
      socket.write(line({ greeting: 'pptpd-ts', v: 1, session: SESSION, version: '1' }));
      socket.on('data', (octets) => {
        asked.push(String(octets));
        socket.write(line(answer));
      });
    });
    assert.equal(await ask(), isDone);
    assert.match(words(), said);
    assert.deepEqual(asked, [line({ id: 1, ...REQUEST })]);
  }
});

test('nothing is asked of a process that is not its worker', async (t) => {
  const asked: string[] = [];
  const { ask, said } = await fixture(t, (socket) => socket.on('data', (octets) => asked.push(String(octets))));
  assert.equal(await ask(process.pid + 1), false);
  assert.match(said(), /another process listens on its socket/);
  assert.deepEqual(asked, []);
});

test('a worker that closes the connection, or sends nonsense, does not do it', async (t) => {
  for (const [serve, words] of [
    [(socket: Socket) => socket.on('data', () => socket.destroy()), /closed the connection|ECONNRESET/],
    [(socket: Socket) => socket.write('nonsense\n'), /not JSON/],
    [(socket: Socket) => socket.write(line({ id: 1, ok: false, error: { toString: 1 } })), /it says no reason/],
  ] as const) {
    const { ask, said } = await fixture(t, (socket) => void serve(socket));
    assert.equal(await ask(), false);
    assert.match(said(), words);
  }
});

test('a worker that hangs does not do it, and its connection is closed though it never closes its own', async (t) => {
  let connected: (socket: Socket) => void = () => undefined;
  const connection = new Promise<Socket>((resolve) => (connected = resolve));
  const { ask, said } = await fixture(t, (socket) => connected(socket), 50);
  const asked = ask();
  const socket = await connection;
  // Writing fails as soon as nobody has the other end.
  const closed = once(socket, 'error').catch((error: unknown) => [error]);
  assert.equal(await asked, false);
  assert.match(said(), /its worker does not answer/);
  const probe = setInterval(() => socket.write('x'), 20);
  t.after(() => clearInterval(probe));
  const [error] = await closed;
  assert(['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? ''));
});
