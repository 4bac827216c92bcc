/**
 * The monitor, asked by a process without privileges: what a worker gets, and what one that was taken over does not get.
 * The interfaces are in this file's network namespace, the scripts in its own /etc/ppp.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { findUnixUser } from '../../src/host/unix-user.js';
import { runPaths } from '../../src/session/paths.js';
import {
  LOCAL,
  type MonitorWorker,
  MonitorWorker as Worker,
  PEER,
  prepareMachine,
  recordScripts,
  SERVER,
  TestMonitor,
} from './support/monitor.js';
import { enterNamespace } from './support/netns.js';
import { ip } from './support/station.js';
import { until } from './support/wait.js';

enterNamespace();
before(prepareMachine);

const NOBODY = findUnixUser('nobody')?.uid ?? assert.fail('this machine has no user nobody');
const REMOTE = '203.0.113.10';
const MTU = 1396;
const IPV4 = { local: LOCAL, remote: REMOTE };
const IPV6 = { local: '0:0:0:1', remote: '0:0:0:2' };
const DOWN = { mtu: MTU, ipv4: null, ipv6: null };
const UP = { mtu: MTU, ipv4: IPV4, ipv6: null };

const shown = (...command: string[]): string => spawnSync('ip', command, { encoding: 'utf8' }).stdout;
const link = (name: string): string => shown('-o', 'link', 'show', name);
const hasLink = (name: string): boolean => existsSync(`/sys/class/net/${name}`) || link(name) !== '';

/** A worker whose client has logged in, with its interface. */
async function loggedIn(t: TestContext, monitor: TestMonitor, remote = REMOTE): Promise<MonitorWorker> {
  const worker = await monitor.worker(t, remote);
  await worker.does('openTun');
  assert.equal(((await worker.does('authenticate', 'alice', 'wonderland')) as { accepted: boolean }).accepted, true);
  return worker;
}

describe('what a worker without privileges gets', () => {
  test('it is nobody, with no capability', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    const status = (await worker.does('readFile', '/proc/self/status')) as string;
    for (const line of ['CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000', 'NoNewPrivs:\t1'])
      assert(status.includes(line), status);
    const outcome = await worker.act('readFile', monitor.secrets);
    assert('failure' in outcome && JSON.stringify(outcome).includes('EACCES'));
  });

  test('an interface with its addresses, by which packets travel', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    assert.equal(await worker.does('openTun'), 'ppp0');
    assert.match(link('ppp0'), /state DOWN/);
    const verdict = (await worker.does('authenticate', 'alice', 'wonderland')) as Record<string, unknown>;
    assert.match(String(verdict['message']), /^S=[0-9A-F]{40} M=/);
    assert.equal((verdict['keys'] as { send: { data: number[] } }).send.data.length, 16);
    assert.deepEqual([verdict['remote'], verdict['remoteChoices']], [REMOTE, []]);
    await worker.does('configure', UP);
    assert.match(link('ppp0'), new RegExp(`POINTOPOINT.*UP.* mtu ${MTU} `));
    assert.match(shown('-o', 'address', 'show', 'ppp0'), new RegExp(`inet ${LOCAL} peer ${REMOTE}/32`));
    assert.match(shown('route', 'get', REMOTE), /dev ppp0/);
    const socket = createSocket('udp4');
    socket.send('hello', 6000, REMOTE, () => socket.close());
    await once(socket, 'close');
    const packets = (await worker.does('readTun')) as string[];
    assert(
      packets.some((packet) => packet.startsWith('45') && packet.includes('cb00710a')),
      packets.join(),
    );
  });

  test('IPv6 by interface identifiers, beside IPv4 or alone', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', { ...DOWN, ipv6: IPV6 });
    const addresses = shown('-6', '-o', 'address', 'show', 'dev', 'ppp0');
    assert.match(addresses, /inet6 fe80::1\/64 scope link/);
    assert.equal(addresses.trimEnd().split('\n').length, 1, addresses);
    await worker.does('configure', { ...UP, ipv6: IPV6 });
    assert.match(shown('-o', 'address', 'show', 'ppp0'), /inet 192[^]*inet6 fe80::1/);
    await worker.does('configure', UP);
    assert.doesNotMatch(shown('-o', 'address', 'show', 'ppp0'), /inet6/);
    await worker.does('configure', DOWN);
    assert.equal(shown('-o', 'address', 'show', 'ppp0'), '');
    assert.match(link('ppp0'), /state DOWN/);
  });

  test('the address of its account', async (t) => {
    const monitor = await TestMonitor.start(t);
    writeFileSync(monitor.secrets, 'bob * builder 203.0.113.77\n');
    const worker = await monitor.worker(t);
    await worker.does('openTun');
    assert.equal(((await worker.does('authenticate', 'bob', 'builder')) as { remote: string }).remote, '203.0.113.77');
    await worker.does('configure', { ...UP, ipv4: { local: LOCAL, remote: '203.0.113.77' } });
    assert.match(shown('route', 'get', '203.0.113.77'), /dev ppp0/);
    await worker.isRefused('address', 'configure', UP);
  });

  test('the lowest number that is free', async (t) => {
    const monitor = await TestMonitor.start(t);
    const workers = await Promise.all([monitor.worker(t), monitor.worker(t), monitor.worker(t)]);
    const names: unknown[] = [];
    for (const worker of workers) names.push(await worker.does('openTun'));
    assert.deepEqual(names, ['ppp0', 'ppp1', 'ppp2']);
    await workers[1]?.kill();
    await until('ppp1 to be gone', () => !hasLink('ppp1'));
    assert.equal(await (await monitor.worker(t)).does('openTun'), 'ppp1');
  });

  test('one call after the other', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    await worker.does('close');
    await worker.does('closeTun');
    await worker.does('openTun');
    await worker.isRefused('notPermitted', 'configure', UP);
    await worker.does('authenticate', 'alice', 'wonderland');
    await worker.does('configure', UP);
    assert.match(shown('-o', 'address', 'show', 'ppp0'), new RegExp(`inet ${LOCAL} peer ${REMOTE}/32`));
  });

  test('one session after the other', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    await worker.does('close');
    assert.match(link('ppp0'), /state DOWN/);
    await worker.does('closeTun');
    await worker.does('serve', await monitor.register(worker, '203.0.113.11'));
    // The login of the last client is none of this one's.
    await worker.does('openTun');
    await worker.isRefused('notPermitted', 'configure', UP);
    assert.equal(
      ((await worker.does('authenticate', 'alice', 'wonderland')) as { remote: string }).remote,
      '203.0.113.11',
    );
  });

  test('what it asks for before its next session is registered waits for that, and is none of the last one', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('close');
    await worker.does('closeTun');
    await worker.does('serve', 'sess02');
    const interfaceName = worker.does('openTun');
    const [serve, openTun] = ['{"v":1,"id":0,"type":"serve","session":"sess02"}', '{"v":1,"id":3,"type":"openTun"}'];
    assert.deepEqual(await worker.does('raw', serve, openTun), [refusedAs('stranger')]);
    await monitor.register(worker, '203.0.113.11');
    assert.equal(await interfaceName, 'ppp0');
    await worker.does('authenticate', 'alice', 'wonderland');
    await worker.does('configure', { ...UP, ipv4: { local: LOCAL, remote: '203.0.113.11' } });
  });
});

describe('scripts as pppd runs them', () => {
  const environment = (extra: string): string =>
    `DEVICE='/dev/net/tun' IFNAME='ppp0' ${extra}ORIG_UID='0' PEERNAME='alice' PPPLOGNAME='root' SPEED='115200'`;

  test('each with its arguments and environment', async (t) => {
    const monitor = await TestMonitor.start(t);
    const { calls } = recordScripts(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', { ...UP, ipv6: IPV6 });
    await until('three scripts to have run', () => calls().length === 3);
    const v4 = `ppp0 /dev/net/tun 115200 ${LOCAL} ${REMOTE} ${PEER}`;
    const v6 = `ppp0 /dev/net/tun 115200 fe80::0000:0000:0000:0001 fe80::0000:0000:0000:0002 ${PEER}`;
    const addresses = `IPLOCAL='${LOCAL}' IPREMOTE='${REMOTE}' `;
    assert.deepEqual(
      calls().map((call) => call.trimEnd()),
      [
        `ip-pre-up ${v4} | ${environment(addresses)}`,
        `ip-up ${v4} | ${environment(addresses)}`,
        `ipv6-up ${v6} | ${environment("LLLOCAL='fe80::0000:0000:0000:0001' LLREMOTE='fe80::0000:0000:0000:0002' ")}`,
      ],
    );
    await worker.does('close');
    await until('the scripts of the end', () => calls().length === 5);
    const [down6 = '', down4 = ''] = calls().slice(3);
    assert(down6.startsWith(`ipv6-down ${v6} | BYTES_RCVD='`), down6);
    assert(down4.startsWith(`ip-down ${v4} | BYTES_RCVD='`), down4);
    assert.match(down4, /BYTES_SENT='\d+' CONNECT_TIME='\d+'/);
  });

  test('ip-up runs once, and ip-down when the worker has vanished', async (t) => {
    const monitor = await TestMonitor.start(t);
    const { calls } = recordScripts(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    await worker.does('configure', UP);
    await worker.kill();
    await until('ip-down', () => calls().some((call) => call.startsWith(`ip-down ppp0`)));
    assert.deepEqual(
      calls().map((call) => call.split(' ', 1).join()),
      ['ip-pre-up', 'ip-up', 'ip-down'],
    );
    await until('ppp0 to be gone', () => !hasLink('ppp0'));
  });

  test('a file that may not be executed is no script', async (t) => {
    const monitor = await TestMonitor.start(t);
    const { calls } = recordScripts(t);
    const worker = await loggedIn(t, monitor);
    rmSync('/etc/ppp/ip-up');
    writeFileSync('/etc/ppp/ip-up', '', { mode: 0o644 });
    await worker.does('configure', UP);
    await worker.does('close');
    await until('ip-down', () => calls().some((call) => call.startsWith(`ip-down`)));
    assert.equal(calls().length, 2);
  });
});

test('proxy ARP: an entry while the address is in use, also when the worker dies', async (t) => {
  ip('link add lan0 type veth peer name lan1');
  t.after(() => ip('link delete lan0'));
  ip('address add 203.0.113.1/24 dev lan0');
  ip('link set lan0 up');
  ip('link set lan1 up');
  await until('lan0 to run', () => networkInterfaces()['lan0'] !== undefined);
  const monitor = await TestMonitor.start(t, { proxyArp: true });
  const worker = await loggedIn(t, monitor);
  await worker.does('configure', UP);
  const entries = (): string => shown('neighbour', 'show', 'proxy');
  assert.match(entries(), new RegExp(`^${REMOTE} dev lan0`));
  await worker.does('configure', DOWN);
  assert.equal(entries(), '');
  await worker.does('configure', UP);
  await worker.kill();
  await until('the entry to be gone', () => entries() === '');
});

describe('what a worker that was taken over does not get', () => {
  const others: [what: string, state: object][] = [
    ["another session's address", { ...UP, ipv4: { local: LOCAL, remote: '203.0.113.11' } }],
    ["another end of the server's", { ...UP, ipv4: { local: '192.0.2.9', remote: REMOTE } }],
  ];
  for (const [what, state] of others)
    test(what, async (t) => {
      const monitor = await TestMonitor.start(t);
      const worker = await loggedIn(t, monitor);
      await worker.isRefused('address', 'configure', state);
      assert.equal(shown('-o', 'address', 'show', 'ppp0'), '');
      await worker.does('configure', UP);
    });

  test('an interface that is up without a login, or with a wrong password', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    await worker.does('openTun');
    await worker.isRefused('notPermitted', 'configure', UP);
    await worker.does('authenticate', 'alice', 'wrong');
    await worker.isRefused('notPermitted', 'configure', UP);
  });

  for (const [whose, remote] of [
    ['client', PEER],
    ['server', SERVER],
  ] as const)
    test(`the ${whose}'s address outside as the client's inside, since the tunnel would lead into itself (addressIsOuter)`, async (t) => {
      const monitor = await TestMonitor.start(t);
      const worker = await loggedIn(t, monitor, remote);
      await worker.isRefused('outerAddress', 'configure', { ...UP, ipv4: { local: LOCAL, remote } });
      assert.equal(shown('-o', 'address', 'show', 'ppp0'), '');
    });

  test("another session's interface, whose name it had itself", async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('closeTun');
    await until('ppp0 to be gone', () => !hasLink('ppp0'));
    const other = await loggedIn(t, monitor, '203.0.113.11');
    await worker.isRefused('notTheDevice', 'configure', UP);
    assert.equal(shown('-o', 'address', 'show', 'ppp0'), '');
    await other.does('configure', { ...UP, ipv4: { local: LOCAL, remote: '203.0.113.11' } });
    // Nor does its end take anything from the other.
    await worker.does('close');
    assert.match(shown('-o', 'address', 'show', 'ppp0'), /203\.0\.113\.11/);
  });

  test('an interface that stays when it has ended', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    assert.equal(await worker.does('persist'), 0);
    await worker.kill();
    await until('ppp0 to be gone', () => !hasLink('ppp0'));
  });

  test('a second interface', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    await worker.does('openTun');
    await worker.isRefused('notPermitted', 'openTun');
    assert.equal(hasLink('ppp1'), false);
  });

  test('an eleventh guess, whatever it does', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    for (let guess = 1; guess <= 10; guess += 1) {
      const verdict = (await worker.does('authenticate', 'alice', `guess ${guess}`)) as {
        accepted: boolean;
      };
      assert.equal(verdict.accepted, false);
    }
    await worker.isRefused('tooManyGuesses', 'authenticate', 'alice', 'wonderland');
    await monitor.killed();
    await worker.isRefused('tooManyGuesses', 'authenticate', 'alice', 'wonderland');
  });

  test('a second interface, by ending a call and keeping the first', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    await worker.does('close');
    await worker.isRefused('deviceOpen', 'openTun');
    assert.equal(shown('-o', 'address', 'show', 'ppp0'), '');
    assert.equal(hasLink('ppp1'), false);
  });

  test('more guesses by calling again', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    for (let guess = 1; guess <= 10; guess += 1) {
      await worker.does('authenticate', 'alice', `guess ${guess}`);
      await worker.does('close');
    }
    await worker.isRefused('tooManyGuesses', 'authenticate', 'alice', 'wonderland');
  });

  test("manager's and root's requests", async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    const identity = JSON.stringify(worker.identity);
    const settings = `{"secrets":"/etc/passwd","accounts":"/tmp/x","name":"x","stripDomain":false,"authentication":[],"proxyArp":false,"vrf":null}`;
    for (const request of [
      `{"v":1,"id":7,"type":"announce","manager":${identity},"settings":${settings}}`,
      `{"v":1,"id":7,"type":"register","session":"abcdef","worker":${identity},"local":"${LOCAL}","remote":null,"peer":"${PEER}","server":"${SERVER}","callId":9}`,
      `{"v":1,"id":7,"type":"release","session":"abcdef"}`,
      '{"v":1,"id":7,"type":"review"}',
    ])
      assert.deepEqual(await worker.does('raw', request), [refusedAs('notPermitted', 7)]);
  });
});

const refusedAs = (reason: string, id = 0): string => JSON.stringify({ type: 'refused', reason, v: 1, id });

describe('nonsense ends the connection it came by, and nothing else', () => {
  const messages: [what: string, message: string, answer: string][] = [
    ['no JSON', 'hello', refusedAs('malformed')],
    ['no object', '[1]', refusedAs('malformed')],
    ['an unknown request', '{"v":1,"id":3,"type":"reboot"}', refusedAs('malformed', 3)],
    ['an inherited name', '{"v":1,"id":3,"type":"constructor"}', refusedAs('malformed', 3)],
    ['a field that is missing', '{"v":1,"id":3,"type":"configure","mtu":1400}', refusedAs('malformed', 3)],
    ['another version', '{"v":2,"id":3,"type":"openTun"}', refusedAs('version', 3)],
    ['too long a message', `{"v":1,"id":3,"type":"openTun","x":"${'x'.repeat(4096)}"}`, refusedAs('tooLong')],
  ];
  test('messages', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    const bystander = await loggedIn(t, monitor, '203.0.113.11');
    for (const [what, message, answer] of messages)
      assert.deepEqual(await worker.does('raw', message, '{"v":1,"id":4,"type":"openTun"}'), [answer], what);
    await bystander.does('configure', { ...UP, ipv4: { local: LOCAL, remote: '203.0.113.11' } });
    assert.equal(await worker.does('openTun'), 'ppp1');
    assert.equal(monitor.processes('monitor').length, 1);
  });

  test('a flood', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await monitor.worker(t);
    const [pid] = monitor.processes('monitor');
    const bystander = await loggedIn(t, monitor, '203.0.113.11');
    const flood = Array.from({ length: 2000 }, (_, id) =>
      JSON.stringify({
        v: 1,
        id,
        type: 'authenticate',
        method: 'pap',
        name: '',
        challenge: '',
        response: '',
        identifier: 0,
      }),
    );
    const answers = (await worker.does('raw', ...flood)) as string[];
    assert.equal(answers.length, 11);
    assert.match(answers[10] ?? '', /tooManyGuesses/);
    await bystander.does('configure', { ...UP, ipv4: { local: LOCAL, remote: '203.0.113.11' } });
    assert.deepEqual(monitor.processes('monitor'), [pid]);
  });

  test('requests without number', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    const configure = (id: number): string => JSON.stringify({ v: 1, id, type: 'configure', ...DOWN });
    let reason = '';
    for (let round = 0; round < 100 && reason === ''; round += 1) {
      const answers = (await worker.does(
        'raw',
        ...Array.from({ length: 50 }, (_, id) => configure(id)),
        'end',
      )) as string[];
      reason = answers.find((answer) => answer.includes('tooManyRequests')) ?? '';
    }
    assert.match(reason, /tooManyRequests/);
  });

  test('a process that is no worker', async (t) => {
    const monitor = await TestMonitor.start(t);
    const stranger = new Worker(t, monitor.path);
    const asks = async (): Promise<unknown> => stranger.does('raw', '{"v":1,"id":3,"type":"openTun"}');
    assert.deepEqual(await asks(), [refusedAs('stranger')]);
    // Registered with the start time of another process of the same id: still a stranger.
    await assert.rejects(async () => monitor.register({ identity: { ...stranger.identity, startTime: '1' } }), /ESRCH/);
    assert.deepEqual(await asks(), [refusedAs('stranger')]);
  });
});

describe('the monitor dies', () => {
  test('another one knows the sessions; an interface that is up stays up', async (t) => {
    const monitor = await TestMonitor.start(t);
    const { calls } = recordScripts(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    await monitor.killed();
    assert.match(shown('-o', 'address', 'show', 'ppp0'), new RegExp(`inet ${LOCAL} peer ${REMOTE}/32`));
    await worker.isRefused('notPermitted', 'openTun');
    await worker.does('configure', { ...UP, ipv6: IPV6 });
    await worker.does('close');
    await until('ip-down', () => calls().some((call) => call.startsWith('ip-down ppp0')));
    assert.equal(calls().filter((call) => call.startsWith('ip-up')).length, 1);
    // The manager has not noticed, and goes on.
    assert.equal(await (await monitor.worker(t)).does('openTun'), 'ppp1');
  });

  test('a worker that died meanwhile', async (t) => {
    const monitor = await TestMonitor.start(t);
    const { calls } = recordScripts(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    const [pid = assert.fail('no monitor runs')] = monitor.processes('monitor');
    process.kill(pid, 'SIGSTOP');
    await worker.kill();
    process.kill(pid, 'SIGKILL');
    await until('ip-down', () => calls().some((call) => call.startsWith('ip-down ppp0')));
    await until('the session to be forgotten', () => sessionsOf(monitor).length === 0);
  });

  test('a worker that asks before the manager has registered it waits for that', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = new Worker(t, monitor.path);
    const interfaceName = worker.does('openTun');
    assert.deepEqual(await worker.does('raw', '{"v":1,"id":3,"type":"openTun"}'), [refusedAs('stranger')]);
    await monitor.register(worker);
    assert.equal(await interfaceName, 'ppp0');
  });

  test('both processes of it: the next start of the server has another one', async (t) => {
    const monitor = await TestMonitor.start(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    for (const pid of [...monitor.processes('supervisor'), ...monitor.processes('monitor')])
      process.kill(pid, 'SIGKILL');
    await until(
      'both to be gone',
      () => monitor.processes('supervisor').length + monitor.processes('monitor').length === 0,
    );
    await monitor.ensure();
    await worker.does('configure', DOWN);
  });
});

const sessionsOf = (monitor: TestMonitor): string[] =>
  readdirSync(runPaths(monitor.directory).monitorState).filter((name) => name !== 'manager.json');

describe('manager and run directory', () => {
  test('a session that the manager releases is taken back', async (t) => {
    const monitor = await TestMonitor.start(t);
    const { calls } = recordScripts(t);
    const worker = await loggedIn(t, monitor);
    await worker.does('configure', UP);
    await monitor.registrar.release('sess01');
    await until('ip-down', () => calls().some((call) => call.startsWith('ip-down')));
    await until('the session to be forgotten', () => sessionsOf(monitor).length === 0);
    await worker.isRefused('stranger', 'configure', UP);
  });

  test('a second start of the server finds the monitor', async (t) => {
    const monitor = await TestMonitor.start(t);
    const [pid] = monitor.processes('supervisor');
    await monitor.ensure();
    assert.deepEqual(monitor.processes('supervisor'), [pid]);
  });

  test('a monitor of another version is replaced', async (t) => {
    const monitor = await TestMonitor.start(t);
    await monitor.stopped();
    const older = new Worker(t, monitor.path, undefined, []);
    await older.does('beMonitor', '0.0.1');
    await monitor.ensure();
    await older.ended;
    assert.equal(await (await monitor.worker(t)).does('openTun'), 'ppp0');
  });

  test('it ends when neither manager nor session is left', async (t) => {
    const monitor = await TestMonitor.start(t);
    const manager = new Worker(t, monitor.path);
    await monitor.ensure(manager.identity.pid);
    await manager.kill();
    await until('the monitor to end', () => monitor.processes('supervisor').length === 0);
    assert.equal(existsSync(monitor.path), false);
  });

  test("its folder is root's: the server's user can change nothing there", async (t) => {
    const monitor = await TestMonitor.start(t);
    const { monitor: folder, monitorSocket, monitorState } = runPaths(monitor.directory);
    assert.equal(statSync(monitorState).mode & 0o777, 0o700);
    const worker = await monitor.worker(t);
    const own = join(monitor.directory, 'mine');
    for (const [act, ...args] of [
      ['remove', monitorSocket],
      ['rename', monitorSocket, own],
      ['rename', folder, own],
      ['rename', monitorState, own],
      ['readFile', join(monitorState, 'manager.json')],
      ['listen', join(folder, 'other')],
    ] as const) {
      const outcome = await worker.act(act, ...args);
      assert.match(JSON.stringify(outcome), /"failure".*(EACCES|EPERM)/, `${act} ${args.join(' ')}`);
    }
    assert.equal(await worker.does('openTun'), 'ppp0');
  });

  for (const [what, open] of [
    ['another user', (folder: string) => chownSync(folder, NOBODY, NOBODY)],
    ['everybody', (folder: string) => chmodSync(folder, 0o777)],
  ] as const)
    test(`a run directory in a folder that ${what} can change: the server does not start, and says why`, async (t) => {
      const monitor = await TestMonitor.start(t);
      await monitor.stopped();
      const parent = dirname(monitor.directory);
      open(parent);
      await assert.rejects(monitor.ensure(), {
        message:
          `the monitor cannot use ${monitor.directory}.monitor: users other than root can change ${parent}. ` +
          'Set runDirectory to a folder below one that root alone can write to, such as /run/pptpd-ts.',
      });
      assert.deepEqual(monitor.processes('supervisor'), []);
    });

  test('a symbolic link in the place of its folder is not followed', async (t) => {
    const monitor = await TestMonitor.start(t);
    const other = await TestMonitor.start(t);
    await monitor.stopped();
    const { monitor: folder } = runPaths(monitor.directory);
    rmSync(folder, { recursive: true });
    symlinkSync(runPaths(other.directory).monitor, folder);
    await assert.rejects(monitor.ensure(), /users other than root can change/);
  });

  test('a monitor that cannot listen: the start of the server says so at once', async (t) => {
    const monitor = await TestMonitor.start(t);
    await monitor.stopped();
    mkdirSync(join(monitor.path, 'in the way'), { recursive: true });
    await assert.rejects(monitor.ensure(), /the monitor does not start/);
  });

  test('without a secrets file it says which step failed', async (t) => {
    const monitor = await TestMonitor.start(t);
    rmSync(monitor.secrets);
    const worker = await monitor.worker(t);
    const failure = { kind: 'failed', step: `read ${monitor.secrets}`, code: 'ENOENT' };
    // None of them is a guess.
    for (let login = 0; login < 40; login += 1)
      assert.deepEqual(await worker.act('authenticate', 'alice', 'wonderland'), { failure });
    await worker.does('openTun');
  });
});
