/**
 * Floods against a server with three live sessions: the sessions are not disturbed, a new client gets its tunnel, and
 * afterwards the manager is as before. PPTPD_TS_FLOOD multiplies the sizes that are reduced to save time in CI.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { encode, TCP_PORT } from '../../src/pptp/index.js';
import { SessionClient } from '../../src/session/client.js';
import { assertNewcomerServed, Bystanders, MEMORY_SLACK, memoryOf, NEWCOMER } from './support/bystanders.js';
import { CALL, Client, START } from './support/client.js';
import { GreFlood, junk } from './support/gre-flood.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

const FLOODER = '198.51.100.66';
enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES, FLOODER, NEWCOMER);

const FACTOR = Number(process.env['PPTPD_TS_FLOOD'] ?? '1');
const SILENT = 5000;
const CLOSING = 10_000;
const HALF = 1000;
const STARTS = 500;
const PACKETS = 100_000 * FACTOR;
const CONTROL_MESSAGES = 20_000 * FACTOR;
const RENEGOTIATIONS = 300;
/** More than the socket buffers of both ends hold. */
const UNANSWERED_OCTETS = 64 << 20;
/** Connections that are opened at the same time. */
const BATCH = 250;

const SETTINGS = { limits: { connections: 20 }, log: { level: 'info' } } as const;

/** A connection from the flooder's address. Its errors are ignored. */
async function rawConnection(): Promise<Socket> {
  const socket = connect({ host: SERVER_ADDRESS, port: TCP_PORT, localAddress: FLOODER });
  socket.on('error', () => undefined);
  socket.resume();
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(socket));
    socket.on('close', () => resolve(socket));
  });
}

/** Connects `count` times, and calls `then` with each connection. */
async function connectMany(t: TestContext, count: number, then: (socket: Socket) => void): Promise<Socket[]> {
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.resetAndDestroy();
  });
  while (sockets.length < count) {
    const batch = await Promise.all(Array.from({ length: Math.min(BATCH, count - sockets.length) }, rawConnection));
    for (const socket of batch) then(socket);
    sockets.push(...batch);
  }
  return sockets;
}

/** The lines about refused clients in the manager's log, and the number of clients that they count. */
function turnedAway(server: Server): { readonly lines: number; readonly clients: number } {
  const lines = server.log.all.filter(({ cause }) => cause !== undefined);
  return { lines: lines.length, clients: lines.reduce((sum, { count = 1 }) => sum + Number(count), 0) };
}

/** The log counts every refused client, in few lines. */
async function assertCounted(server: Server, least: number): Promise<void> {
  const before = turnedAway(server).lines;
  assert(before <= 6, `${before} lines while it went on`);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  // Its last lines may still be on their way.
  await until(`at least ${least} clients to be counted`, () => turnedAway(server).clients >= least);
  const { lines } = turnedAway(server);
  assert(lines <= 12, `${lines} lines in the end`);
}

test(`${SILENT} silent connections that are held open`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystanders = await Bystanders.up(t, server);
  const sockets = await connectMany(t, SILENT, () => undefined);
  await bystanders.assertWell('amid silence');
  await assertNewcomerServed(t);
  for (const socket of sockets) socket.destroy();
  await bystanders.assertAsBefore(t);
  await assertCounted(server, SILENT);
});

test(`${CLOSING} connections that are closed at once`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystanders = await Bystanders.up(t, server);
  await connectMany(t, CLOSING, (socket) => socket.destroy());
  await bystanders.assertWell('amid comings and goings');
  await assertNewcomerServed(t);
  await bystanders.assertAsBefore(t);
  await assertCounted(server, 1);
});

test(`${HALF} start requests, one byte at a time and incomplete`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystanders = await Bystanders.up(t, server);
  const sockets = await connectMany(t, HALF, (socket) => socket.setNoDelay(true));
  const start = encode(START);
  // Less than a header, so that no client gets a worker.
  for (const octet of start.subarray(0, 11)) {
    for (const socket of sockets) if (socket.writable) socket.write(Uint8Array.of(octet));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await bystanders.assertWell('amid half starts');
  await assertNewcomerServed(t);
  for (const socket of sockets) socket.destroy();
  await bystanders.assertAsBefore(t);
  await assertCounted(server, HALF);
});

test(`${STARTS} valid starts without a call`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystanders = await Bystanders.up(t, server);
  const start = encode(START);
  const sockets = await connectMany(t, STARTS, (socket) => socket.write(start));
  await bystanders.assertWell('amid starts');
  await assertNewcomerServed(t);
  for (const socket of sockets) socket.destroy();
  await bystanders.assertAsBefore(t);
});

test(`${PACKETS} invalid GRE packets of every kind, from right and wrong addresses`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystanders = await Bystanders.up(t, server);
  const { reply, client } = bystanders.first;
  const session = (await server.sessions()).find(({ callId }) => callId === reply.callId);
  assert(session !== undefined);
  const [from] = CLIENT_ADDRESSES;
  const { callId } = reply;
  const gre = new GreFlood(SERVER_ADDRESS);
  t.after(() => gre.close());
  const kinds = [
    gre.build({ from, callId: callId ^ 1, sequence: 5, payload: junk(64) }),
    gre.build({ from: FLOODER, callId, sequence: 5, payload: junk(64) }),
    gre.build({ from, callId, flags: 0x3000, payload: junk(64) }),
    gre.build({ from, callId, protocol: 0x0800, sequence: 5, payload: junk(64) }),
    gre.build({ from, callId, flags: 0xb081, payload: junk(1400) }),
    gre.build({ from, callId, sequence: 5, payload: junk(64), length: 0xffff }),
    gre.build({ from, callId, payload: junk(64) }),
    gre.build({ from, callId, sequence: 0x4000_0000, payload: junk(1400) }),
    gre.build({ from, callId, acknowledgment: 0x4000_0000 }),
    gre.build({ from, callId, sequence: 0x7000_0000, payload: junk(4000) }),
  ];
  const before = memoryOf(session.pid);
  // The control connection answers during the flood, not only afterwards.
  let echoes = 0;
  while (gre.sent < PACKETS) {
    await Promise.all([
      gre.flood(PACKETS / 50, (index) => kinds[index % kinds.length] ?? junk(60)),
      client.echo(echoes),
    ]);
    echoes += 1;
  }
  t.diagnostic(`${gre.sent} packets, ${echoes} echoes meanwhile`);
  await bystanders.assertAsBefore(t);
  const after = memoryOf(session.pid);
  t.diagnostic(`worker: ${before.toFixed(0)} MiB before, ${after.toFixed(0)} MiB after`);
  assert(after < before + MEMORY_SLACK, `${before} MiB became ${after} MiB`);
  const state = (await server.sessions()).find(({ callId: each }) => each === reply.callId);
  assert(Number(state?.counters?.['rxWrongFlags']) > 0, 'packets with the right call id were counted by their error');
  await assertNewcomerServed(t);
});

test(`${CONTROL_MESSAGES} control messages on one connection fill no log`, async (t) => {
  const server = await startServer(t, SETTINGS);
  const bystanders = await Bystanders.up(t, server);
  const client = await Client.start(FLOODER);
  const notice = {
    type: 'SetLinkInfo',
    peerCallId: 0,
    sendAccm: 0xffff_ffff,
    receiveAccm: 0xffff_ffff,
  } as const;
  for (let sent = 0; sent < CONTROL_MESSAGES; sent += 100) {
    client.send(...Array.from({ length: 99 }, () => notice), { ...CALL, framingType: 9 });
    if (sent % 1000 === 0) {
      await bystanders.assertWell('amid messages');
    }
  }
  client.send({ type: 'EchoRequest', identifier: 1 });
  await client.next('EchoReply', 'OutgoingCallReply');
  client.end();
  await client.closed;
  await bystanders.assertAsBefore(t);
  const lines = server.log.all.filter(({ peer }) => peer === client.name);
  t.diagnostic(`${lines.length} lines`);
  assert(lines.length < 1000);
  assert(lines.some(({ msg }) => /log lines about the client's messages were omitted/.test(msg)));
});

test('a client that sends Echo-Requests but never reads is not read either, and is closed as silent', async (t) => {
  const server = await startServer(t, { ...SETTINGS, timeouts: { echoInterval: 1, echoReply: 5 } });
  const bystanders = await Bystanders.up(t, server);
  const client = await Client.start(FLOODER);
  const session = (await server.sessions()).find(({ peer }) => `${peer.address}:${peer.port}` === client.name);
  assert(session !== undefined);
  const before = memoryOf(session.pid);
  client.stopReading();
  const echoes = Buffer.alloc(UNANSWERED_OCTETS, encode({ type: 'EchoRequest', identifier: 1 }));
  let outcome: 'all of it was taken' | 'closed' | undefined;
  client.sendBytes(echoes, (error) => (outcome = error ? 'closed' : 'all of it was taken'));
  const end = server.waitForLog('the end', ({ msg, peer }) => peer === client.name && msg.startsWith('session ended'));
  let most = before;
  await until('the server to take or end it', () => {
    most = Math.max(most, memoryOf(session.pid));
    return outcome;
  });
  assert.equal(outcome, 'closed');
  const { reason, detail } = await end;
  assert.deepEqual([reason, detail], ['clientSilent', 'it reads nothing of what is sent to it']);
  t.diagnostic(`worker: ${before.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most`);
  assert(most < before + MEMORY_SLACK, `${before} MiB became ${most} MiB`);
  await client.closed;
  await bystanders.assertAsBefore(t);
});

test(`LCP restarted ${RENEGOTIATIONS} times before a login fills no log, and is not published each time`, async (t) => {
  const server = await startServer(t, SETTINGS, 'anew');
  const tunnel = await Tunnel.open(t, FLOODER);
  const [session] = await server.sessions();
  assert(session !== undefined);
  const follower = await SessionClient.connect(server.runDirectory, session.session);
  t.after(() => follower.close());
  let states = 0;
  let last = session;
  follower.onState = (state) => {
    states += 1;
    last = state;
  };
  await follower.request('subscribe', {});
  await tunnel.openLcp();
  for (let round = 0; round < RENEGOTIATIONS; round += 1) await tunnel.reopenLcp(round & 0xff);
  await tunnel.client.echo();
  await until('the last of it to be told', () => last.ppp?.['phase'] === 'network');
  t.diagnostic(`${states} states`);
  assert(states < RENEGOTIATIONS / 2, `${states} states`);
  tunnel.client.end();
  const lines = server.log.all.filter((line) => line.session === session.session && line.msg.startsWith('PPP: '));
  t.diagnostic(`${lines.length} lines`);
  await server.waitForLog('the omitted lines', ({ msg }) =>
    /log lines about the client's messages were omitted/.test(msg),
  );
});
