/**
 * The server as a user that is not root (`user` of the configuration): the rights of its processes are as documented, they
 * suffice, and the folders that root prepares belong to that user.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { runPaths } from '../../src/session/paths.js';
import { findUnixUser, identityArguments, UNNAMED_USER } from '../../src/host/unix-user.js';
import { readRecord } from '../../src/session/record.js';
import { Client } from './support/client.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { makeReachable } from './support/reachable.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, endWith, SERVER_ADDRESS, Server, type Settings } from './support/server.js';
import { ip } from './support/station.js';
import { Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

/** A user that exists on every machine and owns nothing. */
const USER = 'nobody';
const account = findUnixUser(USER) ?? assert.fail(`this machine has no user ${USER}`);
const CAP_NET_RAW = '0000000000002000';
const PPPD = '/usr/sbin/pppd';

/** Runs a command with the rights that the server gives itself. */
const asUser = (...command: string[]): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync('setpriv', [...identityArguments(account), ...command], {
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}` };
};

/** The lines of /proc/PID/status about a process's rights. */
const rights = (status: string): string[] =>
  status.split('\n').filter((line) => /^(Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp):/.test(line));
const rightsOf = (pid: number): string[] => rights(readFileSync(`/proc/${pid}/status`, 'latin1'));

const workerOf = (server: Server): number => {
  const [name = ''] = server.sessionFiles('.json');
  return readRecord(server.runDirectory, name.slice(0, -5))?.worker.pid ?? assert.fail('no session has a record');
};

/** Compares a process's rights with the documentation. */
function assertRights(pid: number, who: string): void {
  const own = rightsOf(pid);
  const [uid, gid] = [account.uid, account.gid].map((id) => Array.from({ length: 4 }, () => id).join('\t'));
  for (const line of [`Uid:\t${uid}`, `Gid:\t${gid}`, 'NoNewPrivs:\t0'])
    assert(own.includes(line), `${who}: ${line} in ${own.join('; ')}`);
  for (const set of ['Inh', 'Prm', 'Eff', 'Amb'])
    assert(own.includes(`Cap${set}:\t${CAP_NET_RAW}`), `${who}: Cap${set} in ${own.join('; ')}`);
}

/** Lets the user write to the file in which the stand-in for pppd records its events. */
function open(server: Server): void {
  chmodSync(server.directory, 0o755);
  const notes = join(server.directory, 'stand-in-pppd.jsonl');
  writeFileSync(notes, '');
  chmodSync(notes, 0o666);
}

async function startAsUser(t: TestContext, settings: Settings = {}, ...standIn: string[]): Promise<Server> {
  const server = new Server();
  open(server);
  server.configure({ user: USER, ...settings }, standIn);
  endWith(t, server);
  server.start();
  await server.ready();
  return server;
}

before(() => {
  const folders = [process.cwd(), dirname(process.execPath), tmpdir()];
  makeReachable(folders, (folder) => asUser('test', '-x', folder).status === 0);
});

test('manager and workers run as that user with only CAP_NET_RAW, and a tunnel works', async (t) => {
  const server = await startAsUser(t);
  await server.waitForLog('who runs as what', ({ msg }) =>
    msg.startsWith(
      `manager and workers run as ${USER} (uid ${account.uid}) with only CAP_NET_RAW; pppd runs as the same user`,
    ),
  );
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  await tunnel.assertRelays('as nobody');
  const worker = workerOf(server);
  assertRights(server.pid, 'the manager');
  assertRights(worker, 'the worker');
  const pppd = await server.waitForPppd('its start', ({ event }) => event === 'started');
  assert(rightsOf(pppd.pid).includes(`CapEff:\t${CAP_NET_RAW}`));
  const status = new Running(server, 'status');
  assert.equal(await status.ended(), 0, status.words);
  assert.match(status.output, /^runs as +manager and workers run as nobody /m);
  for (const path of ['', 'sessions', 'accounts', 'manager.pid', 'manager.sock']) {
    assert.equal(statSync(join(server.runDirectory, path)).uid, account.uid, path);
  }
});

test('a process with a worker’s rights cannot open root’s files', async (t) => {
  const server = await startAsUser(t);
  const { client } = await Client.call();
  const alike = asUser('cat', '/proc/self/status');
  assert.deepEqual(rights(alike.said), rightsOf(workerOf(server)), 'the process that tries has the same rights');
  const secret = join(server.directory, 'secret');
  writeFileSync(secret, 'root alone', { mode: 0o600 });
  for (const path of ['/etc/shadow', secret, '/proc/1/environ']) {
    assert.match(asUser('cat', path).said, /Permission denied/, path);
  }
  for (const path of ['/etc/passwd', secret])
    assert.match(asUser('sh', '-c', `: >> ${path}`).said, /Permission denied/, path);
  assert.match(asUser('sh', '-c', `kill -0 ${process.pid}`).said, /not permitted/);
  assert.match(asUser('setpriv', '--reuid=0', 'true').said, /not permitted/);
  await client.echo();
});

test('a manager that replaces a killed one knows the session, and ends a pppd whose worker died', async (t) => {
  const server = await startAsUser(t, { timeouts: { pppdExit: 0.2 } }, 'ignore');
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  server.signal('SIGKILL');
  await server.exited();
  await tunnel.assertRelays('without a manager');
  server.start();
  await server.ready();
  assert.equal((await server.sessions()).length, 1);
  await tunnel.assertRelays('with a new one');
  process.kill(workerOf(server), 'SIGKILL');
  await tunnel.client.closed;
  await server.waitForSessions(0);
  await until('pppd to be gone', () => !namespaceProcesses().some(({ command }) => command.includes('stand-in-pppd')));
});

test('a manager with the builtin engine takes over the run directory and the sessions of one that was root', async (t) => {
  const server = new Server();
  open(server);
  server.configure({}, ['ignore']);
  endWith(t, server);
  server.start();
  await server.ready();
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  server.signal('SIGKILL');
  await server.exited();
  server.configure({ ppp: { engine: 'builtin', dataPath: 'tun' } });
  server.start();
  await server.ready();
  await tunnel.assertRelays('with the new manager');
  const [session] = await server.sessions();
  assert(session !== undefined, 'the session is known');
  const ownerOf = (path: string): number => statSync(join(server.runDirectory, path)).uid;
  for (const path of [
    '',
    'sessions',
    'accounts',
    'manager.sock',
    ...server.sessionFiles('.sock').map((name) => join('sessions', name)),
  ])
    assert.equal(ownerOf(path), UNNAMED_USER.uid, path);
  assert.equal(statSync(runPaths(server.runDirectory).monitor).uid, 0);
  const kick = new Running(server, 'kick', session.session);
  assert.equal(await kick.ended(), 0, kick.words);
  await server.waitForSessions(0);
});

test('the broadcast relay needs no other rights', async (t) => {
  ip('link add lan0 type veth peer name lan1');
  t.after(() => ip('link delete lan0'));
  ip('address add 198.51.100.100/24 brd + dev lan0');
  for (const name of ['lan0', 'lan1']) ip(`link set ${name} up`);
  const server = await startAsUser(t, { broadcastRelay: { interface: 'lan0' } });
  const { pid } = await server.waitForLog('a relay that runs', ({ msg }) =>
    msg.startsWith('relaying broadcasts between lan0'),
  );
  assertRights(pid, 'the relay');
});

test('folders of logs and accounts are made for the user', async (t) => {
  const server = new Server();
  open(server);
  const folders = ['logs', 'accounts'].map((name) => join(server.directory, 'var', name));
  const [directory = '', accounts = ''] = folders;
  const file = join(accounts, 'accounting.jsonl');
  server.configure({ user: USER, log: { directory }, accounting: { file, interim: 0 } });
  endWith(t, server);
  server.start();
  const log = join(directory, 'manager.log');
  await until('the server to listen', () => existsSync(log) && readFileSync(log, 'utf8').includes('listening on'));
  const { client } = await Client.call();
  client.end();
  await client.closed;
  await until('an account', () => existsSync(file) && readFileSync(file, 'utf8').includes('"record":"ended"'));
  for (const path of [...folders, file, log]) {
    assert.deepEqual([statSync(path).uid, statSync(path).mode & 0o007], [account.uid, 0], path);
  }
});

test('a pid file in a folder of root’s is written by root and stays root’s', async (t) => {
  const server = new Server();
  open(server);
  // Left by an earlier server that was killed.
  const pidFile = join(server.directory, 'pptpd.pid');
  writeFileSync(pidFile, '1\n');
  server.configure({ user: USER, pidFile });
  endWith(t, server);
  server.start();
  await server.ready();
  assert.equal(readFileSync(pidFile, 'utf8'), `${server.pid}\n`);
  const { uid, mode } = statSync(pidFile);
  assert.deepEqual([uid, mode & 0o777, statSync(server.directory).uid], [0, 0o644, 0]);
});

test('a pid file in a folder that does not exist yet belongs to the user', async (t) => {
  const server = new Server();
  open(server);
  const pidFile = join(server.directory, 'own', 'pptpd.pid');
  server.configure({ user: USER, pidFile });
  endWith(t, server);
  server.start();
  await server.ready();
  assert.equal(readFileSync(pidFile, 'utf8'), `${server.pid}\n`);
  assert.equal(statSync(pidFile).uid, account.uid);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert(!existsSync(pidFile));
});

test('a pid file that cannot be written causes a warning', async (t) => {
  const server = new Server();
  open(server);
  const pidFile = join(server.directory, 'pptpd.pid');
  mkdirSync(pidFile);
  server.configure({ user: USER, pidFile });
  endWith(t, server);
  server.start();
  await server.ready();
  await server.waitForLog(
    'the pid file',
    ({ level, msg }) => level === 'warn' && msg.startsWith(`cannot write the process id to ${pidFile} (pidFile): `),
  );
});

describe('errors are reported, and nothing is started', () => {
  async function refusal(
    t: TestContext,
    prepare: (server: Server) => void,
    start?: string,
  ): Promise<readonly [number | null, string]> {
    const server = new Server();
    t.after(() => server.cleanUp());
    open(server);
    prepare(server);
    if (start === undefined) {
      server.start();
      const { code } = await server.closed();
      await server.nothingLeft();
      return [code, server.words];
    }
    const { status, stderr } = spawnSync(process.execPath, [start, '-c', server.configurationFile], {
      encoding: 'utf8',
    });
    return [status, stderr];
  }

  test('a user that does not exist', async (t) => {
    const [code, words] = await refusal(t, (server) => server.configure({ user: 'no-such-user' }));
    assert.equal(code, 1);
    assert.match(words, /no user "no-such-user" \(user\); remedy: adduser /);
  });

  test('a run directory of root’s, which is not changed', async (t) => {
    const [code, words] = await refusal(t, (server) => {
      server.configure({ user: USER });
      mkdirSync(server.runDirectory, { mode: 0o750 });
    });
    assert.equal(code, 1);
    assert.match(words, /run cannot be written to \(runDirectory\); remedy: chown -R nobody: /);
  });

  test('a log directory of root’s', async (t) => {
    const [code, words] = await refusal(t, (server) => {
      const directory = join(server.directory, 'logs');
      mkdirSync(directory, { mode: 0o750 });
      server.configure({ user: USER, log: { directory } });
    });
    assert.equal(code, 1);
    assert.match(words, /logs cannot be written to \(log\.directory\); remedy: chown -R nobody: /);
  });

  test('a manager that root starts without the launcher', async (t) => {
    const [code, words] = await refusal(t, (server) => server.configure({ user: USER }), 'dist/src/bundle/manager.js');
    assert.equal(code, 1);
    assert.match(words, /the server runs as root, but must run as nobody/);
  });

  test('a pppd that is not set-uid', { skip: existsSync(PPPD) ? false : 'there is no pppd here' }, async (t) => {
    const [code, words] = await refusal(t, (server) => {
      const pppd = join(server.directory, 'pppd');
      copyFileSync(PPPD, pppd);
      chmodSync(pppd, 0o755);
      server.configure({ user: USER, pppd: { path: pppd, args: [] } });
    });
    assert.equal(code, 1);
    assert.match(words, /pppd is not set-uid root, and the server is not root/);
  });
});
