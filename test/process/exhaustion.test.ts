/**
 * What the machine has run out: descriptors, processes, ptys, disk; and the run directory itself, gone. Sessions that
 * are up go on, who comes is refused or waits, and when there is some again the server works as before.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { TCP_PORT } from '../../src/pptp/index.js';
import { CALL, Client, START } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, SERVER_ADDRESS, Server, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

const [NEWCOMER, BYSTANDER] = CLIENT_ADDRESSES;
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
    client.closed.then(() => false),
    client.messages
      .find('an answer', () => true)
      .then((message) => 'resultCode' in message && message.resultCode === 1),
  ]).catch(() => false);
  return { client, isServed };
}

/** Clients come until one is served; it calls, and leaves. */
async function assertServedAgain(): Promise<void> {
  for (;;) {
    const { client, isServed } = await comes();
    if (!isServed) {
      await client.closed;
      continue;
    }
    client.send(CALL);
    await client.messages.find('the reply', ({ type }) => type === 'OutgoingCallReply');
    client.send({ type: 'StopControlConnectionRequest', reason: 1 });
    await client.closed;
    return;
  }
}

test("the manager's descriptors: connections beyond them are closed or wait, and it lives", async (t) => {
  const server = new Server();
  server.configure();
  endWith(t, server);
  // Programs that it starts inherit the soft limit; a worker needs some 40.
  server.start('prlimit', '--nofile=96:96');
  await server.ready();
  const tunnel = await bystanding(t);
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
  await until('the manager to have run out', () => readdirSync(`/proc/${server.pid}/fd`).length > 80);
  await assertWell(tunnel);
  for (const socket of sockets) socket.destroy();
  await assertServedAgain();
  await assertWell(tunnel);
  assert(server.isRunning);
});

test('ptys: a call without one is refused, and no other is touched', async (t) => {
  // A pty file system of this test's own namespace, with two of them.
  run('mount', '-t', 'devpts', '-o', 'newinstance,ptmxmode=0666,max=1', 'devpts', '/dev/pts');
  t.after(() => run('umount', '--lazy', '/dev/pts'));
  run('mount', '--bind', '/dev/pts/ptmx', '/dev/ptmx');
  t.after(() => run('umount', '--lazy', '/dev/ptmx'));
  const server = await startServer(t);
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

test('processes: who comes waits for a worker, and a call without a pppd is refused', async (t) => {
  const root = '/sys/fs/cgroup';
  const group = join(root, existsSync(join(root, 'pids')) ? 'pids' : '', `pptpd-ts-${process.pid}`);
  try {
    mkdirSync(group);
    writeFileSync(join(group, 'pids.max'), 'max');
  } catch (error) {
    if (existsSync(group)) rmdirSync(group);
    t.skip(`no pids cgroup can be made here: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  const server = await startServer(t);
  t.after(async () => until('the cgroup to be empty', () => removed(group)));
  const tunnel = await bystanding(t);
  await until('a spare worker', () => server.spareWorkers().length === 1);
  const session = await server.sessions();
  for (const pid of [server.pid, ...server.spareWorkers(), ...session.map((each) => each.pid)])
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
  // What there is may stay, nothing may come.
  writeFileSync(join(group, 'pids.max'), '1');
  const client = await Client.start(NEWCOMER);
  client.send(CALL);
  assert.equal((await client.next('OutgoingCallReply')).errorCode, 6);
  const waiting = comes();
  await assertWell(tunnel);
  await server.waitForLog(
    'a worker that cannot be started',
    ({ msg }) => /ctrl worker/.test(msg) && /could not|ended before/.test(msg),
  );
  await assertWell(tunnel);
  writeFileSync(join(group, 'pids.max'), 'max');
  await (await waiting).client.messages.find('the start of the one that waited', () => true);
  (await waiting).client.end();
  await assertServedAgain();
});

function removed(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false; // a process of it is still going
  }
}

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
  rmSync(server.runDirectory, { recursive: true });
  started.send(CALL);
  assert.equal((await started.next('OutgoingCallReply')).resultCode, 1);
  await assertWell(tunnel);
  await assertServedAgain();
  await assertWell(tunnel);
});
