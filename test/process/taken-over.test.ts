/**
 * A worker of the builtin engine that somebody has taken over, by whatever fault: code of the test runs in it, and tries to
 * get what is not its session's. Beside it another session goes on.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { MONITOR_VERSION } from '../../src/monitor/protocol.js';
import { responseV2 } from '../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../src/mschap/password-hash.js';
import { runPaths } from '../../src/session/paths.js';
import { writeUsers } from '../../src/users/users-text.js';
import { accountsOf, builtinServer, secretsOf } from './support/engines.js';
import { prepareMachine } from './support/monitor.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, type Server, SERVER_ADDRESS, TUNNEL_LOCAL } from './support/server.js';
import { TakenOver } from './support/taken-over.js';
import { PASSWORD, USER, VpnClient } from './support/vpn-client.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

const [FIRST, SECOND] = CLIENT_ADDRESSES;

interface Scene {
  readonly server: Server;
  readonly alice: VpnClient;
  readonly bob: VpnClient;
  /** Process ids of the workers. */
  readonly workers: { readonly alice: number; readonly bob: number };
  /** Has bob's worker do something. */
  readonly act: ReturnType<TakenOver['worker']>;
}

async function scene(t: TestContext): Promise<Scene> {
  const server = builtinServer();
  writeFileSync(accountsOf(server), writeUsers([]), { mode: 0o600 });
  const takenOver = new TakenOver(join(server.directory, 'taken-over'));
  endWith(t, server);
  server.start(...takenOver.prefix);
  await server.ready();
  const alice = await VpnClient.loggedIn(t, { from: FIRST, callId: 1 });
  const bob = await VpnClient.loggedIn(t, { from: SECOND, callId: 2, user: 'bob' });
  const sessions = await server.sessions();
  const workerOf = (user: string): number =>
    sessions.find((session) => session.user === user)?.pid ?? assert.fail(`${user} has no session`);
  const workers = { alice: workerOf('alice'), bob: workerOf('bob') };
  return { server, alice, bob, workers, act: takenOver.worker(workers.bob) };
}

const message = (type: string, fields: object): string =>
  JSON.stringify({ v: MONITOR_VERSION, id: 1, type, ...fields });
const refused = (reason: string): string => JSON.stringify({ type: 'refused', reason, v: MONITOR_VERSION, id: 1 });
const login = (challenge: string, response: Uint8Array): string =>
  message('authenticate', {
    method: 'ms-chap-v2',
    name: Buffer.from(USER).toString('hex'),
    challenge,
    response: Buffer.from(response).toString('hex'),
    identifier: 1,
  });
const rightResponse = (challenge: Uint8Array): Uint8Array =>
  responseV2({ ntHash: ntHash(PASSWORD), name: Buffer.from(USER), challenge, clientChallenge: randomBytes(16) });

/** A challenge of the monitor, hexadecimal. */
async function drawn(act: Scene['act'], monitorSocket: string): Promise<string> {
  const answer = String(await act('ask', monitorSocket, message('challenge', { method: 'ms-chap-v2' })));
  return (JSON.parse(answer) as { readonly challenge: string }).challenge;
}

/** For an act whose arguments depend on the first one. */
const args = (...values: readonly unknown[]): never[] => values as never[];

// linux/if_tun.h, linux/ppp-ioctl.h
const PPPIOCGFLAGS = 0x8004745a;
const REQUESTS = [
  ['an interface that stays (TUNSETPERSIST)', 0x400454cb],
  ['an interface of another user’s (TUNSETOWNER)', 0x400454cc],
  ['another interface (TUNSETIFF)', 0x400454ca],
  ['a carrier (TUNSETCARRIER)', 0x400454e2],
  ['a channel at another’s interface (PPPIOCCONNECT)', 0x4004743a],
  ['the end of that (PPPIOCDISCONN)', 0x7439],
  ['another’s channel (PPPIOCATTCHAN)', 0x40047438],
  ['a bridge to another’s channel (PPPIOCBRIDGECHAN)', 0x40047435],
  ['an interface more (PPPIOCNEWUNIT)', 0xc004743e],
] as const;

/** The descriptor of a worker's TUN device. */
const tunOf = (pid: number): number =>
  Number(readdirSync(`/proc/${pid}/fd`).find((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === '/dev/net/tun'));

const shown = (...command: string[]): string => spawnSync('ip', command, { encoding: 'utf8' }).stdout;

describe('what it does not get', () => {
  test('secrets and other files of root’s', async (t) => {
    const { server, act, alice } = await scene(t);
    const { monitorState } = runPaths(server.runDirectory);
    for (const path of [
      secretsOf(server),
      accountsOf(server),
      '/etc/shadow',
      join(monitorState, 'manager.json'),
      '/proc/1/environ',
    ])
      assert.equal(await act('read', path), 'EACCES', path);
    for (const path of ['/etc/passwd', secretsOf(server), accountsOf(server), '/etc/ppp/ip-up'])
      assert.equal(await act('append', path), 'EACCES', path);
    assert.equal(await act('becomeRoot'), 'EPERM');
    assert.match(
      String(await act('read', '/proc/self/status')),
      /CapPrm:\t0000000000002000\nCapEff:\t0000000000002000/,
    );
    await alice.echoOnce();
  });

  test('an interface, an address or a route of its own making', async (t) => {
    const { act, alice, bob } = await scene(t);
    assert.equal(await act('openTun', 'ppp9'), 'EACCES');
    assert.equal(await act('configure', 'setAddresses', ...args('ppp1', TUNNEL_LOCAL, alice.address)), 'EPERM');
    assert.equal(await act('configure', 'setUp', ...args('ppp0', false)), 'EPERM');
    assert.equal(await act('configure', 'addProxyArp', ...args('lo', alice.address)), 'EPERM');
    await alice.echoOnce();
    await bob.echoOnce();
  });

  test('from the monitor: another’s address, a second interface, the manager’s and root’s requests', async (t) => {
    const { server, act, alice, bob } = await scene(t);
    const { monitorSocket } = runPaths(server.runDirectory);
    const configure = (local: string, remote: string): string =>
      message('configure', { mtu: 1400, ipv4: { local, remote }, ipv6: null });
    const identity = { pid: server.pid, startTime: '1' };
    const lease = { local: TUNNEL_LOCAL, remote: alice.address, peer: FIRST, server: SERVER_ADDRESS, callId: 9 };
    for (const [request, reason] of [
      [configure(TUNNEL_LOCAL, alice.address), 'address'],
      [configure('192.0.2.77', bob.address), 'address'],
      [configure(TUNNEL_LOCAL, TUNNEL_LOCAL), 'address'],
      [message('openTun', {}), 'notPermitted'],
      [message('openKernel', { peerCallId: 1 }), 'notPermitted'],
      [message('register', { session: 'abcdef', worker: identity, ...lease }), 'notPermitted'],
      [message('release', { session: 'abcdef' }), 'notPermitted'],
      [
        message('announce', {
          manager: identity,
          settings: {
            secrets: '/tmp/x',
            accounts: '/tmp/y',
            name: 'x',
            stripDomain: false,
            authentication: [],
            proxyArp: false,
            vrf: null,
          },
        }),
        'notPermitted',
      ],
    ] as const)
      assert.equal(await act('ask', monitorSocket, request), refused(reason), request);
    assert.match(shown('route', 'get', alice.address), /dev ppp0/);
    await alice.echoOnce();
    await bob.echoOnce();
  });

  test('more guesses than a client has', async (t) => {
    const { server, act, alice } = await scene(t);
    const { monitorSocket } = runPaths(server.runDirectory);
    let wrong = 0;
    let last = '';
    // Whatever it does between: calls again, connects anew.
    for (let round = 0; round < 20 && last !== refused('tooManyGuesses'); round += 1) {
      const challenge = await drawn(act, monitorSocket);
      const guess = login(challenge, randomBytes(49));
      const answers = String(await act('ask', monitorSocket, guess, message('close', {}))).split('\n');
      wrong += answers.filter((answer) => answer.includes('"accepted":false')).length;
      last = answers[0] ?? '';
    }
    assert.deepEqual([wrong, last], [10, refused('tooManyGuesses')]);
    await alice.echoOnce();
  });

  test('by a login that it has seen: a challenge of its own, or one that was used', async (t) => {
    const { server, act, alice } = await scene(t);
    const { monitorSocket } = runPaths(server.runDirectory);
    const seen = randomBytes(16);
    const reason = refused('challenge');
    assert.equal(await act('ask', monitorSocket, login(seen.toString('hex'), rightResponse(seen))), reason);
    const challenge = await drawn(act, monitorSocket);
    const right = login(challenge, rightResponse(Buffer.from(challenge, 'hex')));
    const answers = String(await act('ask', monitorSocket, right, right)).split('\n');
    assert.match(answers[0] ?? '', /"accepted":true/);
    assert.equal(answers[1], reason);
    await alice.echoOnce();
  });

  test('more of its own interface than packets', async (t) => {
    const { workers, act, alice, bob } = await scene(t);
    const tun = tunOf(workers.bob);
    for (const [what, request] of REQUESTS) assert.equal(await act('ioctl', tun, request, 1), 'EPERM', what);
    // A control: a request that is permitted comes to the device, which does not know it.
    assert.equal(await act('ioctl', tun, PPPIOCGFLAGS, 1), 'EINVAL');
    await alice.echoOnce();
    await bob.echoOnce();
  });

  test('a program, as one of root’s with a fault', async (t) => {
    const { workers, act, alice } = await scene(t);
    assert.equal(await act('run', '/bin/true'), 'EPERM');
    assert.match(readFileSync(`/proc/${workers.bob}/status`, 'utf8'), /NoNewPrivs:\t1\n(.*\n)?Seccomp:\t2/);
    await alice.echoOnce();
  });

  test('the end of other processes of its user, or of what they may open', async (t) => {
    const { server, workers, act, alice } = await scene(t);
    for (const pid of [workers.alice, server.pid, -workers.alice, -1]) {
      assert.equal(await act('signal', pid, 0), 'EPERM');
      assert.equal(await act('signal', pid, 9), 'EPERM');
    }
    for (const pid of [workers.alice, server.pid]) {
      assert.equal(await act('signalByDescriptor', pid, 9), 'EPERM');
      assert.equal(await act('limit', pid), 'EPERM');
    }
    assert.equal(await act('signal', workers.bob, 0), 'done');
    await alice.echoOnce();
  });

  test('memory and descriptors of other processes of its user', async (t) => {
    const { server, workers, act, alice } = await scene(t);
    const tun = tunOf(workers.alice);
    for (const pid of [workers.alice, server.pid, server.monitorProcesses().monitor ?? 0]) {
      assert.equal(await act('trace', pid), 'EPERM');
      assert.equal(await act('openMemory', pid), 'EACCES');
      assert.equal(await act('takeDescriptor', pid, tun), 'EPERM');
    }
    await alice.echoOnce();
  });

  test('anything of the monitor’s, though the run directory is its user’s', async (t) => {
    const { server, act, alice } = await scene(t);
    const { monitor, monitorSocket, monitorState } = runPaths(server.runDirectory);
    const elsewhere = join(server.runDirectory, 'elsewhere');
    for (const path of [monitor, monitorSocket, monitorState]) {
      assert.equal(await act('rename', path, elsewhere), 'EACCES', path);
      assert.match(String(await act('remove', path)), /EACCES|EPERM/, path);
    }
    assert.equal(await act('signal', server.monitorProcesses().monitor ?? 0, 9), 'EPERM');
    await alice.echoOnce();
  });
});

// docs/threats.md says so, and what would have to change.
test('what it can do all the same: receive what the machine receives', async (t) => {
  const { act, alice } = await scene(t);
  assert.equal(await act('listenToAll'), 'done');
  await alice.echoOnce();
});
