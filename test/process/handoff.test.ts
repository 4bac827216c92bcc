/**
 * From the TCP connection to a worker of one's own: what a client sent early survives the way, slow and broken clients
 * keep nobody waiting, and workers that die are replaced.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { encode } from '../../src/pptp/index.js';
import { CALL, Client, START } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, Server, SERVER_ADDRESS, startServer } from './support/server.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

test('what is sent in one segment with the start request is answered, in order', async (t) => {
  await startServer(t);
  const client = await Client.connect();
  client.send(START, { type: 'EchoRequest', identifier: 7 }, CALL, { type: 'EchoRequest', identifier: 8 });
  assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1);
  assert.equal((await client.next('EchoReply')).identifier, 7);
  // The call's reply comes when pppd speaks, which takes longer than an echo.
  assert.equal((await client.next('EchoReply')).identifier, 8);
  assert.equal((await client.next('OutgoingCallReply')).resultCode, 1);
});

test('what is sent while the socket is on its way to the worker reaches the worker', async (t) => {
  const server = await startServer(t, { workers: { spare: 0 } });
  const stopped = server.strikeWorker('stoppedOnceReady');
  const client = await Client.connect();
  client.send(START);
  const worker = await stopped;
  await client.delivered();
  client.send({ type: 'EchoRequest', identifier: 9 });
  // By the time that another client is served, the manager has had every occasion to read what is not its own.
  await (await Client.start(CLIENT_ADDRESSES[1])).echo();
  process.kill(worker, 'SIGCONT');
  assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1);
  assert.equal((await client.next('EchoReply')).identifier, 9);
});

test('a start request that comes a byte at a time is served', async (t) => {
  await startServer(t);
  const client = await Client.connect();
  for (const octet of encode(START)) {
    client.sendBytes(Uint8Array.of(octet));
    // Lets the segment leave before the next is written.
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1);
});

test('a client with half a start request delays no other', async (t) => {
  const server = await startServer(t);
  const slow = await Promise.all(Array.from({ length: 6 }, async () => Client.connect()));
  for (const client of slow) client.sendBytes(encode(START).subarray(0, 100));
  const quick = await Client.start();
  await quick.echo();
  assert.deepEqual(
    (await server.sessions()).map(({ peer }) => `${peer.address}:${peer.port}`),
    [quick.name],
  );
  // And the slow ones are not forgotten for it.
  for (const client of slow) client.sendBytes(encode(START).subarray(100));
  for (const client of slow) assert.equal((await client.next('StartControlConnectionReply')).resultCode, 1);
});

test('a client that never finishes its start request is closed after timeouts.firstMessage', async (t) => {
  const server = await startServer(t, { timeouts: { firstMessage: 0.2 } });
  for (const sent of [6, 12, 155]) {
    const client = await Client.connect();
    client.sendBytes(encode(START).subarray(0, sent));
    await client.closed;
    const turnedAway = ({ cause, peer }: { readonly cause?: unknown; readonly peer?: string }): boolean =>
      cause === 'noFirstMessage' && peer === client.name;
    // The first of a kind is logged at once, the others in a minute.
    if (sent === 6) await server.waitForLog('the client', turnedAway);
  }
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  const { count } = await server.waitForLog('the others', (line) => line['count'] !== undefined);
  assert.equal(count, 2);
  assert.equal(
    server.log.all.some(({ msg }) => msg.startsWith('client handed')),
    false,
    'none of them had a worker',
  );
});

test('a start request of which 12 octets have come takes no address and no worker', async (t) => {
  const server = await startServer(t, { limits: { connections: 1 }, addresses: { remote: '203.0.113.10' } });
  const slow = await Client.connect();
  slow.sendBytes(encode(START).subarray(0, 12));
  await slow.delivered();
  const quick = await Client.start();
  await quick.echo();
  assert.deepEqual(
    (await server.sessions()).map(({ peer }) => `${peer.address}:${peer.port}`),
    [quick.name],
  );
  // The other one has called nobody, and makes room.
  slow.sendBytes(Buffer.concat([encode(START).subarray(12), encode({ type: 'EchoRequest', identifier: 4 })]));
  assert.equal((await slow.next('StartControlConnectionReply')).resultCode, 1);
  assert.equal((await slow.next('EchoReply')).identifier, 4);
});

test('a spare worker that was used or killed is replaced', async (t) => {
  const server = await startServer(t, { workers: { spare: 2 } });
  const before = await until('two spare workers', () => pairOf(server.spareWorkers()));
  await Client.start();
  await server.waitForLog('the handoff', ({ msg }) => msg.startsWith('client handed'));
  const after = await until('two spare workers again', () => pairOf(server.spareWorkers()));
  assert.equal(after.filter((pid) => before.includes(pid)).length, 1);
  for (const pid of after) process.kill(pid, 'SIGKILL');
  await until('two new spare workers', () => {
    const pair = pairOf(server.spareWorkers());
    return pair?.some((pid) => after.includes(pid)) === false;
  });
  await (await Client.start()).echo();
});

const pairOf = (pids: readonly number[]): readonly number[] | undefined => (pids.length === 2 ? pids : undefined);

test('a worker that dies before it is ready: its client is served by the next', async (t) => {
  const server = await startServer(t, { workers: { spare: 0 } });
  const death = server.strikeWorker('killedBeforeReady');
  const client = await Client.start();
  await death;
  await client.echo();
  await server.waitForLog('the death', ({ msg }) => msg.includes('before it was ready'));
});

test('a worker that dies with the client in its hands: the client is served by the next', async (t) => {
  const server = await startServer(t, { limits: { connections: 1 } });
  const death = server.strikeWorker('killedAtHandoff');
  const client = await Client.start();
  await death;
  await client.echo();
  const line = await server.waitForLog('the failed handoff', ({ msg }) => msg.startsWith('a handoff failed'));
  assert.equal(line.peer, client.name);
  await server.waitForSessions(1);
});

test('a session whose worker has spoken is nobody else’s, though the manager has not heard of it in time', async (t) => {
  const server = await startServer(t);
  const mute = server.strikeWorker('neverSaysAdopted');
  const { client } = await Client.call();
  const worker = await mute;
  await server.waitForLog('the handoff', ({ msg }) => msg.startsWith('client handed'));
  await client.echo();
  const [session] = await server.sessions();
  assert.equal(session?.pid, worker);
  assert.deepEqual(
    client.messages.all.map(({ type }) => type),
    ['StartControlConnectionReply', 'OutgoingCallReply', 'EchoReply'],
  );
});

test('a client whose workers die one after the other: it is closed, its address lent again', async (t) => {
  const server = await startServer(t, { limits: { connections: 1 } });
  const unlucky = await Client.connect();
  const deaths = server.strikeWorker('everyOneKilledAtHandoff');
  unlucky.send(START);
  await deaths;
  await unlucky.closed;
  server.cancelStrike('everyOneKilledAtHandoff');
  const line = await server.waitForLog('the client', ({ cause }) => cause === 'noWorker');
  assert.equal(line.peer, unlucky.name);
  await (await Client.start()).echo();
});

for (const lie of [
  'readyTwice',
  'readyAtHandoff',
  'readyWhileServing',
  'liesAboutItsSession',
  'talksNonsense',
] as const) {
  test(`a worker that is wrong about itself (${lie}) is not believed, and its client is served`, async (t) => {
    const server = await startServer(t, { workers: { spare: 0 } });
    const done = server.strikeWorker(lie);
    const client = await Client.start();
    await done;
    await client.echo();
    await server.waitForLog('the lie', ({ level, msg }) => level === 'error' && /ctrl worker.*ignored/.test(msg));
    const [session, ...others] = await server.sessions();
    assert.deepEqual([session?.peer.address, others], [CLIENT_ADDRESSES[0], []]);
    // Nobody else is given to the worker that has a client.
    await (await Client.start(CLIENT_ADDRESSES[1])).echo();
    await client.echo();
    assert.equal(new Set((await server.sessions()).map(({ pid }) => pid)).size, 2);
  });
}

test('more clients at once than there are workers are queued, not refused', async (t) => {
  const server = await startServer(t, { workers: { spare: 1 } });
  const clients = await Promise.all(Array.from({ length: 8 }, async () => Client.start()));
  await Promise.all(clients.map(async (client) => client.echo()));
  const sessions = await server.sessions();
  assert.equal(new Set(sessions.map(({ callId }) => callId)).size, 8);
  assert.equal(new Set(sessions.map(({ tunnel }) => tunnel.remote)).size, 8);
});

test('the process id is in the run directory and in pidFile, and gone after the end', async (t) => {
  const pidFile = join(mkdtempSync(join(tmpdir(), 'pptpd-ts-pid-')), 'pptpd.pid');
  t.after(() => rmSync(dirname(pidFile), { recursive: true }));
  const server = await startServer(t, { pidFile });
  const paths = [pidFile, join(server.runDirectory, 'manager.pid')];
  for (const path of paths) assert.equal(readFileSync(path, 'utf8'), `${server.pid}\n`);
  await server.stop();
  for (const path of paths) assert.ok(!existsSync(path));
});

test('no worker reads the certificates that the environment names, which takes longer than Node’s own start', async (t) => {
  const server = new Server();
  server.configure();
  endWith(t, server);
  server.start('env', 'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt');
  await server.ready();
  const worker = await until('a spare worker', () => server.spareWorkers()[0]);
  for (const pid of [server.pid, worker])
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /NODE_EXTRA_CA_CERTS/);
});
