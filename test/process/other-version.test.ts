/** A session of a worker of another version: the manager reserves its address and can end it, but knows nothing else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { identify } from '../../src/host/process.js';
import { sessionSocketPath } from '../../src/session/paths.js';
import type { SessionRecord } from '../../src/session/record.js';
import { removeSessionFiles, writeRecord } from '../../src/session/record-writer.js';
import { Client } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';
import { LIMIT_MS } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const SESSION = 'other1';
/** The first address of TUNNEL_REMOTE, which the first client would otherwise get. */
const ADDRESS = '203.0.113.10';

/** A session of another version: it greets, sends messages that this version does not understand, and ends on request. */
async function otherVersion(
  t: TestContext,
  runDirectory: string,
  v: number,
  agreed: Pick<SessionRecord, 'agreedRemote'> = {},
): Promise<unknown[]> {
  const worker = identify(process.pid);
  assert(worker !== null);
  const lease = { local: '203.0.113.1', remote: ADDRESS, callId: 4711 };
  writeRecord(runDirectory, { session: SESSION, lease, worker, pppd: null, ...agreed });
  const asked: unknown[] = [];
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => undefined); // whoever came has gone
    const greeting = { greeting: 'pptpd-ts', v, session: SESSION, version: '9.1.0' };
    socket.write(`${JSON.stringify(greeting)}\n{"news":"of another kind"}\n`);
    socket.setEncoding('utf8').on('data', (line: string) => {
      asked.push(JSON.parse(line));
      removeSessionFiles(runDirectory, SESSION);
      server.close();
      for (const each of connections) each.destroy();
    });
  });
  server.listen(sessionSocketPath(runDirectory, SESSION));
  await once(server, 'listening');
  t.after(() => server.close());
  return asked;
}

/** Waits until `status` prints this, and returns its output. */
async function statusWith(server: Server, text: RegExp): Promise<string> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const status = await statusOf(server);
    if (text.test(status)) return status;
    assert(performance.now() < limit, `waited in vain for ${text}: ${status}`);
  }
}

async function statusOf(server: Server): Promise<string> {
  const command = new Running(server, 'status');
  assert.equal(await command.ended(), 0, command.words);
  return command.output;
}

for (const [v, agreed] of [
  [0, {}],
  [2, { agreedRemote: '203.0.113.12' }],
] as const) {
  const address = 'agreedRemote' in agreed ? agreed.agreedRemote : ADDRESS;
  test(`version ${v}: a new manager finds the session, does not lend its address again, and kick ends it by that address`, async (t) => {
    const server = await startServer(t);
    server.signal('SIGKILL');
    await server.exited();
    const asked = await otherVersion(t, server.runDirectory, v, agreed);
    server.start();
    await server.ready();
    await server.waitForLog('a word on it', ({ msg }) => msg.startsWith('a session runs under another version'));
    await Client.start(CLIENT_ADDRESSES[0]);
    const status = await statusWith(server, /^sessions +1 connected, 1 unknown$/m);
    assert.match(status, /^addresses +2 of \d+ leased$/m);

    const sessions = new Running(server, 'sessions');
    assert.equal(await sessions.ended(), 1, 'the state of one session is unknown');
    assert.match(sessions.words, new RegExp(`session other1 is run by pptpd-ts 9\\.1\\.0, which speaks version ${v} `));
    assert(!sessions.output.includes(address), 'the client has another address');

    const kick = new Running(server, 'kick', address);
    assert.equal(await kick.ended(), 0, kick.words);
    assert.equal(kick.output, 'session other1 (client unknown) has ended\n');
    assert.deepEqual(asked, [{ reason: 'kicked', id: 1, op: 'disconnect' }]);
    await statusWith(server, /^addresses +1 of \d+ leased$/m);
  });
}

test('a manager that stops ends it too', async (t) => {
  const server = await startServer(t);
  server.signal('SIGKILL');
  await server.exited();
  const asked = await otherVersion(t, server.runDirectory, 2);
  server.start();
  await server.ready();
  await server.stop();
  assert.deepEqual(asked, [{ reason: 'serverShutdown', id: 1, op: 'disconnect' }]);
});
