/**
 * The section `network` in this file's network namespace: real rules of nftables, and clients whose packets go through
 * them to a station behind the server.
 *
 *     clients ══ tunnels ══ server, namespace of this file ── lan0 .129 ── .130 station
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { findBlockers } from '../../src/network/other-firewalls.js';
import { readFirewallRules } from '../../src/network/read-firewall-rules.js';
import { tableName } from '../../src/network/ruleset.js';
import type { NetworkSettings } from '../../src/network/settings.js';
import { runPaths } from '../../src/session/paths.js';
import { checksum, FLAGS, tcp4 } from '../unit/link/tun/packets.js';
import { ClientLogins } from './support/client-logins.js';
import { configureBuiltin, startBuiltin } from './support/engines.js';
import { prepareMachine } from './support/monitor.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, Server, SERVER_ADDRESS, TUNNEL_LOCAL } from './support/server.js';
import { ip, Station, STATION_PORT } from './support/station.js';
import { VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

const [FIRST, SECOND] = CLIENT_ADDRESSES;
const OWN = '192.0.2.129';
const STATION = '192.0.2.130';
/** Of the tunnels, without the headers of IPv4 and TCP. */
const TUNNEL_MSS = 1396 - 40;
const MSS_OPTION = [2, 4, 1460 >> 8, 1460 & 0xff] as const;
const UDP = 17;
const TCP = 6;
const ICMP = 1;

function nft(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('nft', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

const tableOf = (server: Server): string => tableName(server.runDirectory);
const rulesOf = (server: Server): string => (hasTable(server) ? nft('list', 'table', 'inet', tableOf(server)) : '');
const hasTable = (server: Server): boolean => nft('list', 'tables').includes(`table inet ${tableOf(server)}\n`);

/** What the server says about its rules, once the monitor has answered in time. */
const reportOf = async (server: Server) =>
  until('the monitor to answer', async () => {
    const { network } = await server.status();
    return network !== null && network.state !== 'unknown' && network;
  });

/** A datagram without a checksum (RFC 768). */
function udp4(from: string, to: string, port: number, text: string): Buffer {
  const data = Buffer.from(text);
  const packet = tcp4({ from, to, payload: Buffer.alloc(data.length) }).subarray(0, 28 + data.length);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt8(UDP, 9);
  packet.writeUInt16BE(4000, 20);
  packet.writeUInt16BE(port, 22);
  packet.writeUInt16BE(8 + data.length, 24);
  packet.writeUInt16BE(0, 26);
  packet.set(data, 28);
  packet.writeUInt16BE(0, 10);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  return packet;
}

const isTcp = (packet: Buffer): boolean => packet[9] === TCP;
/** Type 3, code 13 (RFC 1812 §5.2.7.1). */
const isProhibition = (packet: Buffer): boolean => packet[9] === ICMP && packet.readUInt16BE(20) === 0x030d;

test('rules while the server serves, and none before and after', async (t) => {
  const station = await Station.start(t);
  station.link('lan0', `${STATION}/25`);
  ip(`address add ${OWN}/25 dev lan0`);
  ip(`route add default via ${STATION} dev lan0`);
  assert.equal(nft('list', 'ruleset'), '');
  assert.equal(readFileSync('/proc/sys/net/ipv4/ip_forward', 'latin1'), '0\n');

  // What others have stays as it is, whatever happens to the server's table.
  nft('add table inet administrator');
  const network: NetworkSettings = {
    forward: true,
    masquerade: 'auto',
    clampMss: true,
    isolateClients: true,
    allow: [TUNNEL_LOCAL, '203.0.113.0/24', `${STATION} udp ${STATION_PORT}`, `${STATION} tcp ${STATION_PORT}`],
  };
  const server = await startBuiltin(t, { network });
  assert.equal(readFileSync('/proc/sys/net/ipv4/ip_forward', 'latin1'), '1\n');
  const rules = rulesOf(server);
  t.diagnostic(rules);
  const [alice, bob] = [
    await VpnClient.loggedIn(t),
    await VpnClient.loggedIn(t, { from: SECOND, user: 'bob', callId: 2 }),
  ];
  const received: Buffer[] = [];
  alice.onPacket = (packet) => received.push(Buffer.from(packet));

  await t.test('masquerade: the station sees the server', async () => {
    alice.sendPacket(udp4(alice.address, STATION, STATION_PORT, 'from alice'));
    assert.equal((await station.hears('from alice')).from, OWN);
  });

  await t.test("clampMss: the station's SYN fits into the tunnel", async () => {
    const syn = { from: alice.address, to: STATION, fromPort: 4000, toPort: STATION_PORT, flags: FLAGS.SYN };
    alice.sendPacket(tcp4({ ...syn, options: MSS_OPTION }));
    const answer = await until('a SYN with ACK', () => received.find(isTcp));
    assert.deepEqual([answer[33], answer.readUInt16BE(40), answer.readUInt16BE(42)], [0x12, 0x0204, TUNNEL_MSS]);
  });

  await t.test('allow: everything else is rejected, also of the server', async () => {
    for (const [to, port] of [
      [STATION, STATION_PORT + 1],
      [SERVER_ADDRESS, STATION_PORT],
    ] as const) {
      received.length = 0;
      alice.sendPacket(udp4(alice.address, to, port, 'not permitted'));
      const rejection = await until('an ICMP error', () => received.find(isProhibition));
      assert.deepEqual([...rejection.subarray(44, 48)], to.split('.').map(Number));
    }
  });

  await t.test('isolateClients: nothing comes from another client', async () => {
    const heard: Buffer[] = [];
    bob.onPacket = (packet) => heard.push(Buffer.from(packet));
    alice.sendPacket(udp4(alice.address, bob.address, STATION_PORT, 'from alice to bob'));
    // Alice's packet has been forwarded or dropped by then, and in the second step bob's worker has taken what there was.
    await alice.echoOnce();
    await bob.echoOnce();
    assert.deepEqual(
      heard.filter((packet) => packet.includes('from alice')),
      [],
    );
  });

  await t.test('a table that somebody deletes or changes is made again, and nothing else', async () => {
    const again = async (what: RegExp, count: number): Promise<void> => {
      await until(
        `the server to say ${what}`,
        () => server.log.all.filter(({ msg }) => what.test(msg)).length === count,
      );
      assert.equal(rulesOf(server), rules);
    };
    const begun = Date.now();
    nft('delete', 'table', 'inet', tableOf(server));
    await again(/restored .*: another program has deleted it/, 1);
    nft('flush', 'chain', 'inet', tableOf(server), 'forward');
    await again(/restored .*: another program has changed it/, 1);
    nft('flush', 'ruleset');
    await again(/restored .*: another program has deleted it/, 2);
    const reported = await reportOf(server);
    const { restored, since, ...others } = reported;
    assert.deepEqual(others, { state: 'inForce', table: tableOf(server), forwarding: true, masquerade: ['lan0'] });
    assert.deepEqual([restored?.count, restored?.why], [3, 'deleted']);
    assert(restored !== null && restored.at >= begun && since >= begun && since <= restored.at);
    nft('add table inet administrator');
    alice.sendPacket(udp4(alice.address, STATION, STATION_PORT, 'after all'));
    assert.equal((await station.hears('after all')).from, OWN);
  });

  await t.test('auto follows the default route', async () => {
    ip('route del default');
    await until('no masquerading', () => hasTable(server) && !rulesOf(server).includes('masquerade'));
    ip(`route add default via ${STATION} dev lan0`);
    await until('masquerading again', () => rulesOf(server) === rules);
  });

  await t.test('status says when the monitor does not answer', async () => {
    const { monitor = assert.fail('no monitor runs') } = server.monitorProcesses();
    process.kill(monitor, 'SIGSTOP');
    try {
      assert.equal((await server.status()).network?.state, 'unknown');
    } finally {
      process.kill(monitor, 'SIGCONT');
    }
    assert.equal((await reportOf(server)).state, 'inForce');
  });

  await t.test('the monitor dies: the rules stay, and the next one guards them', async () => {
    const { monitor = assert.fail('no monitor runs') } = server.monitorProcesses();
    process.kill(monitor, 'SIGKILL');
    await until('another monitor', () => (server.monitorProcesses().monitor ?? monitor) !== monitor);
    await server.waitForLog(
      'the next monitor to have made the table',
      ({ msg, pid }) => pid === server.monitorProcesses().monitor && msg.startsWith('rules of the section'),
    );
    nft('delete', 'table', 'inet', tableOf(server));
    await until('the table again', () => rulesOf(server) === rules);
  });

  await t.test('a manager that is replaced: the rules stay; without the section they go, and no session', async () => {
    server.signal('SIGKILL');
    await server.exited();
    assert.equal(rulesOf(server), rules);
    server.start();
    await server.ready();
    assert.equal(rulesOf(server), rules);
    server.signal('SIGQUIT');
    await server.exited();
    configureBuiltin(server);
    server.start();
    await server.ready();
    assert.deepEqual([rulesOf(server), nft('list', 'tables')], ['', 'table inet administrator\n']);
    await alice.echoOnce();
  });
});

test('with pppd: the rules stay while a session lives, and go with the monitor', async (t) => {
  const logins = new ClientLogins();
  t.after(() => logins.close());
  const server = new Server();
  // Without privileges; the stand-in for pppd writes its notes as the same user.
  chmodSync(server.directory, 0o755);
  const notes = join(server.directory, 'stand-in-pppd.jsonl');
  writeFileSync(notes, '');
  chmodSync(notes, 0o666);
  const network = { isolateClients: true, clampMss: false };
  server.configure({ user: 'nobody', network }, ['login']);
  endWith(t, server);
  server.start();
  await server.ready();
  assert.match(rulesOf(server), /iifname "ppp\*" oifname "ppp\*" drop/);
  const visitor = await logins.loggedIn(t, 'alice', FIRST);
  const state = runPaths(server.runDirectory).monitorState;
  const known = (): string[] => readdirSync(state).filter((name) => /^[a-z0-9]{6}\.json$/.test(name));
  await until('the monitor to know of the session', () => known().length === 1);
  server.signal('SIGKILL');
  await server.exited();
  // A manager that finds the session tells a monitor that does not know of it.
  server.endMonitor();
  await until('the monitor to end', () => server.monitorProcesses().supervisor === undefined);
  assert(hasTable(server));
  for (const name of known()) rmSync(join(state, name));
  // This one stays root.
  server.configure({ network }, ['login']);
  server.start();
  await server.ready();
  await until('the monitor to know of the session', () => known().length === 1);
  await visitor.echo();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  await until('the workers to be gone', () =>
    namespaceProcesses().every(({ command, zombie }) => zombie || command.startsWith('pptpd-ts monitor')),
  );
  server.endMonitor();
  await until('the table to be gone', () => !hasTable(server));
});

test('what drops the packets of clients, as the system prints it, and the remedy', async () => {
  const shell = (command: string): void => {
    const { status, stderr } = spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  };
  const found = async () => findBlockers(await readFirewallRules(), '203.0.113.10');
  const cases: [who: RegExp, block: string, undo: string][] = [
    [
      /chain forward of the table "inet filter"/,
      `nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; }'`,
      'nft delete table inet filter',
    ],
    [
      /chain forward of the table "inet filter"/,
      `nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; }
        add rule inet filter forward iifname eth1 accept; add rule inet filter forward counter reject with icmpx admin-prohibited'`,
      'nft delete table inet filter',
    ],
    [
      /chain FORWARD of the table "ip filter"/,
      'iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT',
      'iptables-nft -P FORWARD ACCEPT; iptables-nft -F',
    ],
    [
      /^Docker$/,
      'iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER; iptables-nft -A FORWARD -j DOCKER-USER',
      'iptables-nft -P FORWARD ACCEPT; iptables-nft -F; iptables-nft -X DOCKER-USER; nft flush ruleset',
    ],
    [/iptables-legacy/, 'iptables-legacy -P FORWARD DROP', 'iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F'],
  ];
  for (const [who, block, undo] of cases) {
    assert.deepEqual(await found(), []);
    shell(block);
    const [blocker, ...others] = await found();
    assert.match(blocker?.who ?? '', who);
    assert.deepEqual(others, []);
    shell(blocker?.remedy ?? 'false');
    assert.deepEqual(await found(), [], blocker?.remedy);
    shell(undo);
  }
});
