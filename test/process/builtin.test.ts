/**
 * A whole tunnel of the builtin engine on this kernel: login by MS-CHAPv2, MPPE, the interface, data, scripts, and the end of
 * it all.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { findUnixUser, UNNAMED_USER } from '../../src/host/unix-user.js';
import { tableName } from '../../src/network/ruleset.js';
import { runPaths } from '../../src/session/paths.js';
import { readRecord } from '../../src/session/record.js';
import type { MppeOffer } from '../../src/ppp/options.js';
import { payloadOf } from '../unit/link/tun/packets.js';
import { secretsOf, startBuiltin } from './support/engines.js';
import { ECHO_PORT, FarHost } from './support/far-host.js';
import { prepareMachine, recordScripts } from './support/monitor.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { Running } from './support/running.js';
import { CLIENT_ADDRESSES, type Server, SERVER_ADDRESS, type Settings, TUNNEL_LOCAL } from './support/server.js';
import { VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

const [FIRST, SECOND] = CLIENT_ADDRESSES;
const REMOTE = '203.0.113.10';
const CAP_NET_RAW = '0000000000002000';

const shown = (...command: string[]): string => spawnSync('ip', command, { encoding: 'utf8' }).stdout;
const hasLink = (name: string): boolean => existsSync(`/sys/class/net/${name}`) || shown('link', 'show', name) !== '';

async function output(server: Server, ...command: readonly string[]): Promise<string> {
  const running = new Running(server, ...command);
  assert.equal(await running.ended(), 0, running.words);
  return running.output;
}

const workersOf = (server: Server): number[] =>
  server
    .sessionFiles('.json')
    .map((name) => readRecord(server.runDirectory, name.slice(0, -5))?.worker.pid ?? assert.fail('no record'));

describe('a tunnel', () => {
  test('login with MPPE-128, echoes by the kernel, and nothing left of it', async (t) => {
    const { calls } = recordScripts(t);
    const server = await startBuiltin(t);
    const vpn = await VpnClient.loggedIn(t);
    assert.equal(vpn.address, REMOTE);
    assert.match(shown('-o', 'link', 'show', 'ppp0'), /POINTOPOINT.*UP.* mtu 1396 /);
    assert.match(shown('-o', 'address', 'show', 'ppp0'), new RegExp(`inet ${TUNNEL_LOCAL} peer ${REMOTE}/32`));
    assert.match(shown('route', 'get', REMOTE), /dev ppp0/);
    for (let count = 0; count < 20; count += 1) await vpn.echoOnce();
    await until('ip-up', () => calls().some((call) => call.startsWith('ip-up ')));
    await vpn.leave();
    await until('ppp0 to be gone', () => !hasLink('ppp0'));
    await until('ip-down', () => calls().some((call) => call.startsWith('ip-down ')));
    assert.equal(shown('route', 'show', REMOTE), '');
    await server.waitForSessions(0);
    const tail = `ppp0 /dev/net/tun 115200 ${TUNNEL_LOCAL} ${REMOTE} ${FIRST} |`;
    const began = calls().map((call) => call.slice(0, call.indexOf('|') + 1));
    assert.deepEqual(began, [`ip-pre-up ${tail}`, `ip-up ${tail}`, `ip-down ${tail}`]);
    assert.match(calls()[1] ?? '', /PEERNAME='alice'/);
    const [, sent = 0, received = 0] = /BYTES_RCVD='(\d+)' BYTES_SENT='(\d+)'/.exec(calls()[2] ?? '') ?? [];
    assert(Number(sent) >= 20 * 84 && Number(received) >= 20 * 84, calls()[2]);
  });

  const modes: readonly [string, NonNullable<Settings['ppp']>, MppeOffer | null][] = [
    [
      'stateful encryption, 40 bits',
      { encryptionKeys: [40], statefulEncryption: true },
      { keys: [40], stateless: false, mppc: false },
    ],
    ['no encryption', { encryption: 'none' }, null],
  ];
  for (const [what, ppp, mppe] of modes)
    test(what, async (t) => {
      await startBuiltin(t, { ppp });
      const vpn = await VpnClient.loggedIn(t, { ppp: { mppe } });
      for (let count = 0; count < 300; count += 1) await vpn.echoOnce();
    });

  test('TCP of two kernels both ways, in super packets', async (t) => {
    const sessions: VpnClient[] = [];
    const far = await FarHost.start(t, {
      address: REMOTE,
      peer: TUNNEL_LOCAL,
      address6: '2001:db8::2/64',
      mtu: 1396,
      onPacket: (packet) => sessions[0]?.sendPacket(packet),
    });
    const server = await startBuiltin(t, { addresses: { remote: [REMOTE] } });
    const vpn = await VpnClient.loggedIn(t);
    vpn.onPacket = (packet) => far.recv(packet);
    sessions.push(vpn);
    const sent = Buffer.concat(Array.from({ length: 40 }, (_, index) => payloadOf(50_021, index)));
    const socket = connect(ECHO_PORT, REMOTE);
    socket.end(sent);
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    assert.equal(digest(Buffer.concat(parts)), digest(sent));
    const [session] = await server.sessions();
    const { txCut = 0, rxJoined = 0, rxUndecryptable, rxUnencrypted } = session?.counters ?? {};
    assert(txCut > 500 && rxJoined > 100, `${txCut} cut, ${rxJoined} joined`);
    assert.deepEqual([rxUndecryptable, rxUnencrypted], [0, 0]);
  });

  test('the address of the account, and a second session beside the first', async (t) => {
    const server = await startBuiltin(t);
    writeFileSync(secretsOf(server), 'alice * wonderland 203.0.113.77\nbob * wonderland *\n');
    const alice = await VpnClient.loggedIn(t);
    const bob = await VpnClient.loggedIn(t, { from: SECOND, user: 'bob', callId: 2 });
    assert.equal(alice.address, '203.0.113.77');
    assert.match(shown('route', 'get', alice.address), /dev ppp0/);
    assert.match(shown('route', 'get', bob.address), /dev ppp1/);
    await alice.leave();
    await until('ppp0 to be gone', () => !hasLink('ppp0'));
    await bob.echoOnce();
  });

  test('a call after a call, on one control connection', async (t) => {
    const server = await startBuiltin(t);
    const vpn = await VpnClient.loggedIn(t);
    vpn.client.send({ type: 'CallClearRequest', callId: 0x1234 });
    await vpn.client.next('CallDisconnectNotify', 'SetLinkInfo');
    await until('ppp0 to be gone', () => !hasLink('ppp0'));
    const again = await vpn.callAgain(t, 77);
    await again.logIn();
    await again.echoOnce();
    assert.equal((await server.sessions()).length, 1);
  });
});

const digest = (text: Buffer): string => createHash('sha256').update(text).digest('hex');

describe('who runs as what', () => {
  const rightsOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'latin1');
  for (const [what, user, expected] of [
    ['without user: one without a name', undefined, UNNAMED_USER],
    ['with user', 'nobody', findUnixUser('nobody') ?? assert.fail('this machine has no user nobody')],
  ] as const)
    test(what, async (t) => {
      const server = await startBuiltin(t, user === undefined ? {} : { user });
      const vpn = await VpnClient.loggedIn(t);
      const [worker = 0] = workersOf(server);
      for (const pid of [server.pid, worker]) {
        const rights = rightsOf(pid);
        for (const line of [
          `Uid:\t${[1, 2, 3, 4].map(() => expected.uid).join('\t')}`,
          `Gid:\t${[1, 2, 3, 4].map(() => expected.gid).join('\t')}`,
          ...['Inh', 'Prm', 'Eff', 'Amb'].map((set) => `Cap${set}:\t${CAP_NET_RAW}`),
        ])
          assert(rights.includes(line), `${line} in ${rights}`);
      }
      const { monitor = 0, supervisor = 0 } = server.monitorProcesses();
      for (const pid of [monitor, supervisor]) assert.match(rightsOf(pid), /^Uid:\t0\t0\t0\t0$/m);
      assert.match(
        await output(server, 'status'),
        /with only CAP_NET_RAW; the monitor runs as root and reads no network\n[^]*PPP by the builtin engine/,
      );
      assert.equal(statSync(server.runDirectory).uid, expected.uid);
      assert.equal(statSync(runPaths(server.runDirectory).monitor).uid, 0);
      await vpn.echo();
    });

  test('the monitor ends by itself after the server, and takes the firewall rules with it', async (t) => {
    const server = await startBuiltin(t, { network: { isolateClients: true } });
    const tables = (): string => spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' }).stdout;
    assert.equal(tables(), `table inet ${tableName(server.runDirectory)}\n`);
    const vpn = await VpnClient.loggedIn(t);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    await vpn.gone();
    await server.nothingLeft();
    assert.deepEqual(namespaceProcesses(), []);
    assert.equal(tables(), '');
  });
});

describe('what administrators see', () => {
  test('show, sessions and capture', async (t) => {
    const server = await startBuiltin(t);
    const file = join(server.directory, 'session.pcapng');
    const capture = new Running(server, 'capture', '--next', FIRST, '-w', file);
    await capture.says(/^waiting/);
    const vpn = await VpnClient.call(t);
    await capture.says(/capturing session/);
    await vpn.logIn();
    const [session] = await server.sessions();
    assert(session !== undefined);
    assert.deepEqual([session.user, session.phase, session.pppdPid], ['alice', 'up', null]);
    const show = await output(server, 'show', session.session);
    for (const text of ['alice', REMOTE, /MPPE.*128/]) assert.match(show, new RegExp(text));
    assert.match(await output(server, 'sessions'), new RegExp(`alice .*${FIRST} .*${REMOTE}`));
    await vpn.leave();
    assert.equal(await capture.ended(), 0, capture.words);
    assert.match(capture.words, / 0 lost\n$/);
    const { stdout, error } = spawnSync('tshark', ['-r', file, '-T', 'fields', '-e', '_ws.col.Protocol'], {
      encoding: 'utf8',
    });
    if (error !== undefined) t.diagnostic('tshark is not installed: the capture was not read');
    else
      for (const protocol of ['PPTP', 'PPP LCP', 'PPP CHAP', 'PPP CCP', 'PPP IPCP', 'PPP Comp'])
        assert(stdout.split('\n').includes(protocol), `${protocol} in ${[...new Set(stdout.split('\n'))].join()}`);
  });
});
