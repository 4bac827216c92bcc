/**
 * What the machine has run out of: descriptors, ptys, processes, memory, disk; and the run directory itself, gone. Sessions that are up go on, who comes
 * is refused, and when there is some again the server works as before.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { TCP_PORT } from '../../src/pptp/index.js';
import { CALL, Client, START } from './support/client.js';
import { atEnd } from './support/at-end.js';
import { ControlGroup } from './support/control-group.js';
import { enterNamespace, killChildrenOf, namespaceProcesses } from './support/netns.js';
import {
  CLIENT_ADDRESSES,
  endWith,
  type LogLine,
  SERVER_ADDRESS,
  Server,
  type Settings,
  startServer,
} from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';
import { MUCH_OCTETS } from './support/worker-fault.js';

const [NEWCOMER, BYSTANDER] = CLIENT_ADDRESSES;
/** Processes and threads: fewer than there are, so that none can be added, and more than any test needs. */
const [NONE, MANY] = [1, 10_000];
const MIB = 1 << 20;
enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

function run(...command: readonly [string, ...string[]]): void {
  const [program, ...args] = command;
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  assert.equal(status, 0, `${command.join(' ')}: ${stderr}`);
}

/** A session with data through it. */
async function bystanding(t: TestContext): Promise<Tunnel> {
  const tunnel = await Tunnel.open(t, BYSTANDER, 2);
  await tunnel.openLcp();
  await tunnel.assertRelays('before');
  return tunnel;
}

async function assertWell(tunnel: Tunnel): Promise<void> {
  await tunnel.client.echo();
  await tunnel.assertRelays('still there');
}

/** A client comes, and its start is answered or not: the connection is closed then. */
async function comes(): Promise<{ readonly client: Client; readonly isServed: boolean }> {
  const client = await Client.connect(NEWCOMER);
  client.send(START);
  const isServed = await Promise.race([
    client.whenClosed.then(() => false),
    client.messages
      .find('an answer', () => true)
      .then((message) => 'resultCode' in message && message.resultCode === 1),
  ]).catch(() => false);
  return { client, isServed };
}

/** Clients come until one is served; it calls, and leaves. */
async function assertServedAgain(): Promise<void> {
  const client = await until('a client to be served', async () => {
    const { client: each, isServed } = await comes();
    if (isServed) return each;
    await each.closed;
    return undefined;
  });
  client.send(CALL);
  await client.messages.find('the reply', ({ type }) => type === 'OutgoingCallReply');
  client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await client.closed;
}

test("the manager's descriptors: connections beyond them are closed or wait, and it lives", async (t) => {
  const server = await startServer(t);
  const tunnel = await bystanding(t);
  await server.waitForSpareWorkers(1);
  // As much as a worker needs, which inherits it.
  run('prlimit', '--pid', String(server.pid), '--nofile=64:64');
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let count = 0; count < 200; count += 1) {
    const socket = connect({ host: SERVER_ADDRESS, port: TCP_PORT, localAddress: NEWCOMER });
    socket.on('error', () => undefined);
    sockets.push(socket);
  }
  await until('all of them to be connected or closed', () => sockets.every(({ connecting }) => !connecting));
  await until('the manager to have run out', () => readdirSync(`/proc/${server.pid}/fd`).length > 60);
  await assertWell(tunnel);
  for (const socket of sockets) socket.destroy();
  await assertServedAgain();
  await assertWell(tunnel);
  assert(server.isRunning);
});

test('ptys: a call without one is refused, and no other is touched', async (t) => {
  // A pty file system of this test's own namespace, with one of them.
  run('mount', '-t', 'devpts', '-o', 'newinstance,ptmxmode=0666,max=1', 'devpts', '/dev/pts');
  t.after(() => run('umount', '--lazy', '/dev/pts'));
  run('mount', '--bind', '/dev/pts/ptmx', '/dev/ptmx');
  t.after(() => run('umount', '--lazy', '/dev/ptmx'));
  const server = await startServer(t);
  // Of two workers that start at once either may have it.
  await server.waitForSpareWorkers(1);
  const tunnel = await bystanding(t);
  const client = await Client.start(NEWCOMER);
  client.send(CALL);
  const reply = await client.next('OutgoingCallReply');
  assert.deepEqual([reply.resultCode, reply.errorCode], [2, 6]);
  await client.closed;
  const { detail } = await server.waitForLog('the end', ({ reason }) => reason === 'pppdFailed');
  assert.match(String(detail), /cannot start/);
  await assertWell(tunnel);
  tunnel.client.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await tunnel.client.closed;
  await server.waitForSessions(0);
  await assertServedAgain();
});

/** A server in this group. */
async function startIn(t: TestContext, group: ControlGroup, settings: Settings): Promise<Server> {
  const server = new Server();
  server.configure(settings);
  server.start(...group.prefix);
  endWith(t, server);
  // After the server's end, by the order of asking.
  atEnd(t, async () => group.remove());
  await server.ready();
  return server;
}

/** Two addresses: one for the bystander, and one that comes back or is missed. */
const TWO = { addresses: { remote: '203.0.113.10-11' } } as const;

/** The bystander's session alone is left, and nothing of another: files, zombies, descriptors of the manager. */
async function assertOthersGone(server: Server, descriptors: number): Promise<void> {
  await server.waitForSessions(1);
  await until('no more descriptors than before', () => server.descriptors() <= descriptors);
  await until('no zombie', () => !namespaceProcesses().some(({ zombie }) => zombie));
}

test('processes: a call without one is refused', async (t) => {
  const group = ControlGroup.make(t, 'pids');
  if (group === null) return;
  const server = await startIn(t, group, { ...TWO, workers: { spare: 0 } });
  const tunnel = await bystanding(t);
  const descriptors = server.descriptors();
  const started = await Client.start(CLIENT_ADDRESSES[2]);
  const worker = (await server.sessions()).find(({ phase }) => phase === 'connected')?.pid;
  group.limit(NONE);
  // Else the process that waits becomes its pppd.
  await killChildrenOf(worker);
  await started.echo();
  started.send(CALL);
  const reply = await started.next('OutgoingCallReply');
  assert.deepEqual([reply.resultCode, reply.errorCode], [2, 6]);
  await started.closed;
  const { detail } = await server.waitForLog('the end', ({ reason }) => reason === 'pppdFailed');
  assert.match(String(detail), /cannot start/);
  await assertWell(tunnel);
  group.limit(MANY);
  await assertServedAgain();
  await assertWell(tunnel);
  await assertOthersGone(server, descriptors);
});

test('processes: a client for whom no worker can be started waits, and is served when one can', async (t) => {
  const group = ControlGroup.make(t, 'pids');
  if (group === null) return;
  const server = await startIn(t, group, { ...TWO, workers: { spare: 0 } });
  const tunnel = await bystanding(t);
  const descriptors = server.descriptors();
  group.limit(NONE);
  const newcomer = await Client.connect(NEWCOMER);
  newcomer.send(START);
  await server.waitForLog(
    'no process',
    ({ level, msg }) => level === 'error' && /worker could not be started/.test(msg),
  );
  await assertWell(tunnel);
  group.limit(MANY);
  assert.equal((await newcomer.next('StartControlConnectionReply')).resultCode, 1);
  newcomer.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await newcomer.closed;
  await assertOthersGone(server, descriptors);
  await assertServedAgain();
});

test('memory: the worker that takes it all is ended, and its client closed; no other is touched', async (t) => {
  const group = ControlGroup.make(t, 'memory');
  if (group === null) return;
  const server = await startIn(t, group, { ...TWO, workers: { spare: 0 } });
  const tunnel = await bystanding(t);
  const descriptors = server.descriptors();
  const leaking = server.strikeWorker('leaksWhenTold');
  const client = await Client.start(NEWCOMER);
  const worker = await leaking;
  // More than any other process there has.
  group.limit(group.use + 256 * MIB);
  process.kill(worker, 'SIGUSR2');
  await client.closed;
  await assertWell(tunnel);
  await assertOthersGone(server, descriptors);
  assert(server.isRunning);
  // Within the same limit, at the same address.
  await assertServedAgain();
  await assertWell(tunnel);
});

test('memory: a client for whose worker there is none waits, and is served when there is some', async (t) => {
  const group = ControlGroup.make(t, 'memory');
  if (group === null) return;
  const server = await startIn(t, group, { ...TWO, workers: { spare: 0 } });
  const tunnel = await bystanding(t);
  const descriptors = server.descriptors();
  const struck = server.strikeWorker('everyOneNeedsMuchToStart');
  group.limit(group.use + MUCH_OCTETS / 2);
  const newcomer = await Client.connect(NEWCOMER);
  newcomer.send(START);
  const first = await struck;
  const diedEarly = (line: LogLine): boolean =>
    /ended before it was ready/.test(line.msg) && line['how'] === 'signal SIGKILL';
  await server.waitForLog('no memory', (line) => diedEarly(line) && line['worker'] === first);
  await server.waitForLog('another try in vain', (line) => diedEarly(line) && line['worker'] !== first);
  await assertWell(tunnel);
  assert(server.isRunning);
  group.limit(group.use + 4 * MUCH_OCTETS);
  assert.equal((await newcomer.next('StartControlConnectionReply')).resultCode, 1);
  newcomer.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await newcomer.closed;
  await assertOthersGone(server, descriptors);
  await assertServedAgain();
  await assertWell(tunnel);
});

/** Fills the file system under `folder`; the returned function makes room again. */
function fill(folder: string): () => void {
  const file = join(folder, 'filling');
  // Octets and, by many empty files, inodes.
  spawnSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1k'], { stdio: 'ignore' });
  return () => rmSync(file);
}

test('disk of the run directory: sessions go on, who comes is turned away until there is room', async (t) => {
  const server = new Server();
  server.configure();
  mkdirSync(server.runDirectory);
  run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', server.runDirectory);
  t.after(() => run('umount', '--lazy', server.runDirectory));
  endWith(t, server);
  server.start();
  await server.ready();
  const tunnel = await bystanding(t);
  const started = await Client.start(CLIENT_ADDRESSES[2]);
  const makeRoom = fill(server.runDirectory);
  const { client, isServed } = await comes();
  assert(!isServed);
  await client.closed;
  await server.waitForLog('why', ({ cause }) => cause === 'noWorker');
  // One that has started already cannot write down its pppd, and goes on without.
  started.send(CALL);
  assert.equal((await started.next('OutgoingCallReply')).resultCode, 1);
  started.send({ type: 'StopControlConnectionRequest', reason: 1 });
  await started.closed;
  await assertWell(tunnel);
  await server.waitForSessions(1);
  makeRoom();
  await assertServedAgain();
  await assertWell(tunnel);
});

test('the run directory is removed underneath: sessions go on, and the next client makes it anew', async (t) => {
  const server = await startServer(t);
  const tunnel = await bystanding(t);
  const started = await Client.start(CLIENT_ADDRESSES[2]);
  server.removeRunDirectory();
  started.send(CALL);
  assert.equal((await started.next('OutgoingCallReply')).resultCode, 1);
  await assertWell(tunnel);
  await assertServedAgain();
  await assertWell(tunnel);
});
