import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { mkdirSync } from 'node:fs';
import { listSessions, SessionClient, SessionGone } from '../../../src/session/client.js';
import { runPaths, sessionSocketPath } from '../../../src/session/paths.js';
import { SessionServer } from '../../../src/session/server.js';
import type { SessionState } from '../../../src/session/state.js';
import { aStateUp } from './a-state.js';

const ID = 'abc123';

const state = aStateUp({ session: ID, counters: { rxBytes: 1, txBytes: 2 } });

function runDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  mkdirSync(runPaths(directory).sessions);
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function serve(t: TestContext, directory: string): Promise<{ server: SessionServer; disconnects: string[] }> {
  const disconnects: string[] = [];
  const server = new SessionServer({
    session: ID,
    version: '0.1.0',
    handlers: {
      state: () => state,
      disconnect: ({ reason }) => void disconnects.push(reason),
      probe: () => undefined,
      reopenLog: () => {
        throw new Error('the disk is full');
      },
      limits: () => undefined,
      logLevel: ({ level }) => ({ level: level ?? 'info' }),
    },
  });
  await server.listen(sessionSocketPath(directory, ID));
  t.after(() => server.close());
  return { server, disconnects };
}

async function ask(directory: string, bytes: string): Promise<{ socket: Socket; answer: () => Promise<string> }> {
  const socket = connect(sessionSocketPath(directory, ID));
  socket.on('error', () => undefined);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'data');
  socket.write(bytes);
  return {
    socket,
    answer: async () => {
      while (text.split('\n').length < 3) await once(socket, 'data');
      return text.split('\n')[1] ?? '';
    },
  };
}

test('a session sends its state on request', async (t) => {
  const directory = runDirectory(t);
  await serve(t, directory);
  assert.deepEqual(await listSessions(directory), { sessions: [state], unreachable: [] });
});

test('the socket is for owner and group only', async (t) => {
  const directory = runDirectory(t);
  await serve(t, directory);
  assert.equal(statSync(sessionSocketPath(directory, ID)).mode & 0o777, 0o660);
});

test('a disconnect reaches the session with its reason', async (t) => {
  const directory = runDirectory(t);
  const { disconnects } = await serve(t, directory);
  const client = await SessionClient.connect(directory, ID);
  await client.request('disconnect', { reason: 'kicked' });
  client.close();
  assert.deepEqual(disconnects, ['kicked']);
});

test('subscribers get every state, and the socket closes at the end', async (t) => {
  const directory = runDirectory(t);
  const { server } = await serve(t, directory);
  const client = await SessionClient.connect(directory, ID);
  await client.request('subscribe', {});
  const seen = new Promise<SessionState>((resolve) => (client.onState = resolve));
  server.publish({ ...state, phase: 'ending' });
  assert.equal((await seen).phase, 'ending');
  const closed = new Promise<void>((resolve) => (client.onClose = () => resolve()));
  server.close();
  await closed;
});

test('events from before the end also reach a client that sends a request after it', async (t) => {
  const directory = runDirectory(t);
  const { server } = await serve(t, directory);
  const client = await SessionClient.connect(directory, ID);
  const told: SessionState[] = [];
  client.onState = (each) => told.push(each);
  await client.request('subscribe', {});
  client.pause();
  server.publish(state);
  server.close();
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const asked = client.request('state', {});
  // A failed write is reported before anything is read again.
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  client.resume();
  await assert.rejects(asked, SessionGone);
  assert.deepEqual(told, [state]);
});

test('an error of a handler is the answer', async (t) => {
  const directory = runDirectory(t);
  await serve(t, directory);
  const client = await SessionClient.connect(directory, ID);
  await assert.rejects(client.request('reopenLog', {}), /the disk is full/);
  client.close();
});

const nonsense: [title: string, bytes: string, answer: RegExp][] = [
  [
    'an unknown operation is answered with the known ones',
    '{"id":7,"op":"reboot"}\n',
    /"id":7,"ok":false.*known are state/,
  ],
  ['an operation from the prototype chain is unknown', '{"id":7,"op":"constructor"}\n', /"ok":false/],
  ['a missing field is named', '{"id":7,"op":"disconnect"}\n', /reason must be/],
  ['a probe names a session', '{"id":7,"op":"probe","by":"../x"}\n', /by must be a session/],
  ['a message that is not an object is answered', '[1]\n', /"ok":false/],
  ['null is answered', 'null\n', /"ok":false/],
];
for (const [title, bytes, expected] of nonsense) {
  test(title, async (t) => {
    const directory = runDirectory(t);
    await serve(t, directory);
    const { socket, answer } = await ask(directory, bytes);
    assert.match(await answer(), expected);
    socket.destroy();
  });
}

for (const [title, bytes] of [
  ['garbage ends its sender’s connection', '\x00\xff garbage\n'],
  ['an endless line ends its sender’s connection', 'x'.repeat(100_000)],
] as const) {
  test(title, async (t) => {
    const directory = runDirectory(t);
    await serve(t, directory);
    const { socket } = await ask(directory, bytes);
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    assert.equal((await listSessions(directory)).sessions.length, 1);
  });
}

test('a request in pieces and two requests in one write are understood', async (t) => {
  const directory = runDirectory(t);
  await serve(t, directory);
  const { socket } = await ask(directory, '{"id":1,"op":"st');
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  socket.write('ate"}\n{"id":2,"op":"state"}\n');
  while (!text.includes('"id":2')) await once(socket, 'data');
  assert.match(text, /"id":1,"ok":true[^]*"id":2,"ok":true/);
  socket.destroy();
});

test('a socket without a listener means that the session is gone', async (t) => {
  const directory = runDirectory(t);
  const { server } = await serve(t, directory);
  server.close();
  await assert.rejects(SessionClient.connect(directory, ID), SessionGone);
  assert.deepEqual(await listSessions(directory), { sessions: [], unreachable: [] });
});

test('the error for a session of another version names both versions', async (t) => {
  const directory = runDirectory(t);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`${JSON.stringify({ greeting: 'pptpd-ts', v: 99, session: ID, version: '9.0.0' })}\n`);
  });
  server.listen(sessionSocketPath(directory, ID));
  await once(server, 'listening');
  t.after(() => server.close());
  const listing = await listSessions(directory);
  assert.match(listing.unreachable[0]?.why ?? '', /9\.0\.0.*version 99.*this program: 1/);
});

test('a missing run directory has no sessions', async () => {
  assert.deepEqual(await listSessions('/nonexistent'), { sessions: [], unreachable: [] });
});

test('other files in the run directory are ignored', async (t) => {
  const directory = runDirectory(t);
  await serve(t, directory);
  for (const name of ['README', 'abcdefg.sock', 'ABC123.json', 'abc123.json.new']) {
    mkdirSync(join(runPaths(directory).sessions, name));
    chmodSync(join(runPaths(directory).sessions, name), 0o700);
  }
  assert.equal((await listSessions(directory)).sessions.length, 1);
});
