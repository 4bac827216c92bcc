/**
 * The broadcast relay as it runs: the built server with `broadcastRelay`, real UDP sockets behind its interfaces.
 *
 *     station 198.51.100.9 ── lan0 ┐              ┌ ppp0 (veth) ── station 203.0.113.10
 *                                  ├ the server's ┤
 *                                  │  namespace   ├ ppp1 (TUN, point-to-point) ── the test, octet by octet
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { heard, sealHeader, udpPacket } from '../unit/broadcast/packets.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { SERVER_ADDRESS, Server, startServer } from './support/server.js';
import { ip, Station } from './support/station.js';
import { Tun } from './support/tun.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS);

const LAN = 'lan0';
const LAN_BROADCAST = '198.51.100.255';
const EVERYONE = '255.255.255.255';
const LAN_STATION = '198.51.100.9';
const TUNNEL_STATION = '203.0.113.10';
const CLIENT = '203.0.113.11';
const STATION_PORT = 6000;

const SETTINGS = { broadcastRelay: { interface: LAN } };

const relayProcesses = (): number[] =>
  namespaceProcesses().flatMap(({ command, pid, zombie }) => (/broadcast/.test(command) && !zombie ? [pid] : []));

function linkLan(station: Station): void {
  station.link(LAN, `${LAN_STATION}/24`);
  ip(`address add 198.51.100.1/24 brd + dev ${LAN}`);
}

const linkTunnel = (station: Station): void => station.link('ppp0', `${TUNNEL_STATION}/24`);

interface Network {
  readonly server: Server;
  readonly lan: Station;
  readonly tunnel: Station;
  readonly tun: Tun;
}

/** Everything is up, and the relay relays. */
async function makeNetwork(t: TestContext): Promise<Network> {
  const [lan, tunnel] = [await Station.start(t), await Station.start(t)];
  linkLan(lan);
  linkTunnel(tunnel);
  const tun = new Tun(t, 'ppp1', '203.0.113.1', CLIENT);
  const server = await startServer(t, SETTINGS);
  await relaying(server, LAN);
  return { server, lan, tunnel, tun };
}

const relaying = async (server: Server, lan: string): Promise<unknown> =>
  server.waitForLog('a relay that runs', ({ msg }) => msg === `relaying broadcasts between ${lan} and the tunnels`);

/** Says it until it is heard: the relay may not know of an interface yet. */
async function saidUntilHeard(from: Station, to: Station, text: string): Promise<void> {
  await until(`"${text}" to be relayed`, () => {
    from.say(text, EVERYONE);
    return to.heard.all.some((word) => word.text === text);
  });
}

/** A station hears what it says itself, once. */
const texts = (station: Station): string[] => station.heard.all.map(({ text }) => text);

test('from the LAN to every tunnel, and not back', async (t) => {
  const { lan, tunnel, tun } = await makeNetwork(t);
  lan.say('to the network', LAN_BROADCAST);
  lan.say('to everyone', EVERYONE);
  for (const text of ['to the network', 'to everyone']) {
    assert.deepEqual(await tunnel.hears(text), { from: LAN_STATION, text });
    assert.deepEqual(heard(await tun.hears(text)), {
      source: LAN_STATION,
      destination: EVERYONE,
      ttl: 1,
      sourcePort: STATION_PORT,
      destinationPort: STATION_PORT,
      udpChecksum: 'right',
      text,
    });
  }
  tun.send(udpPacket({ source: CLIENT, destination: EVERYONE, text: 'the end' }));
  await lan.hears('the end');
  assert.deepEqual(texts(lan), ['to the network', 'to everyone', 'the end']);
});

test('from a tunnel to the LAN and the other tunnels, not back to it', async (t) => {
  const { lan, tunnel, tun } = await makeNetwork(t);
  tunnel.say('from a client', EVERYONE);
  assert.deepEqual(await lan.hears('from a client'), { from: TUNNEL_STATION, text: 'from a client' });
  assert.equal(heard(await tun.hears('from a client')).source, TUNNEL_STATION);
  lan.say('the end', EVERYONE);
  await tunnel.hears('the end');
  assert.deepEqual(texts(tunnel), ['from a client', 'the end']);
});

test("a client's broadcasts come from the address that the tunnel gave it", async (t) => {
  const { lan, tunnel, tun } = await makeNetwork(t);
  tun.send(udpPacket({ source: '192.0.2.77', destination: '192.0.2.255', text: 'from my other card' }));
  assert.deepEqual(await lan.hears('from my other card'), { from: CLIENT, text: 'from my other card' });
  assert.deepEqual(await tunnel.hears('from my other card'), { from: CLIENT, text: 'from my other card' });
});

test("the server's own broadcasts on the LAN reach the tunnels", async (t) => {
  const { lan, tunnel, tun } = await makeNetwork(t);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind();
  await once(socket, 'listening');
  socket.setBroadcast(true);
  socket.send('from the server', STATION_PORT, LAN_BROADCAST);
  await lan.hears('from the server');
  assert.deepEqual(await tunnel.hears('from the server'), { from: '198.51.100.1', text: 'from the server' });
  assert.equal(heard(await tun.hears('from the server')).udpChecksum, 'right');
});

test('unicast, multicast, other protocols and what was relayed before go nowhere', async (t) => {
  const { lan, tunnel, tun } = await makeNetwork(t);
  const plain = { source: CLIENT, destination: EVERYONE };
  tun.send(udpPacket({ ...plain, destination: LAN_STATION, text: 'to one host' }));
  tun.send(udpPacket({ ...plain, destination: '224.0.0.251', text: 'to a group' }));
  tun.send(udpPacket({ ...plain, protocol: 1, text: 'not UDP' }));
  tun.send(udpPacket({ ...plain, ttl: 1, text: 'relayed before' }));
  tun.send(udpPacket({ ...plain, text: 'the end' }));
  await lan.hears('the end');
  await tunnel.hears('the end');
  assert.deepEqual(texts(lan), ['the end']);
  assert.deepEqual(texts(tunnel), ['the end']);
});

test('a copy that comes back without its mark is known', async (t) => {
  const { server, lan, tunnel, tun } = await makeNetwork(t);
  lan.say('round and round', EVERYONE);
  const copy = await tun.hears('round and round');
  copy[8] = 64;
  tun.send(sealHeader(copy));
  tun.send(udpPacket({ source: CLIENT, destination: EVERYONE, text: 'the end' }));
  await lan.hears('the end');
  await tunnel.hears('the end');
  assert.deepEqual(texts(lan), ['round and round', 'the end']);
  assert.deepEqual(texts(tunnel), ['round and round', 'the end']);
  await server.stop();
  const { counts } = await server.waitForLog(
    'what the relay counted',
    (line) => line.role === 'broadcast' && line['counts'] !== undefined,
  );
  assert.deepEqual(counts, { relayed: 2, sent: 4, copies: 1 });
});

test('interfaces come and go, the LAN too', async (t) => {
  const [lan, tunnel] = [await Station.start(t), await Station.start(t)];
  const server = await startServer(t, SETTINGS);
  await relaying(server, LAN);
  await server.waitForLog(
    'a relay that waits',
    ({ msg }) => msg === `there is no interface ${LAN} (broadcastRelay); waiting for it`,
  );
  linkLan(lan);
  const tun = new Tun(t, 'ppp1', '203.0.113.1', CLIENT);
  linkTunnel(tunnel);
  await saidUntilHeard(lan, tunnel, 'a tunnel that came later');
  await saidUntilHeard(tunnel, lan, 'and back');
  tun.close();
  lan.say('with a tunnel that went', EVERYONE);
  await tunnel.hears('with a tunnel that went');
  ip(`link set ${LAN} down`);
  ip(`link set ${LAN} up`);
  await saidUntilHeard(lan, tunnel, 'after the LAN was down');
  assert.deepEqual(
    server.log.all.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  );
});

test('a relay that dies is started again', async (t) => {
  const { server, lan, tunnel } = await makeNetwork(t);
  const [before] = relayProcesses();
  assert(before !== undefined);
  process.kill(before, 'SIGKILL');
  await server.waitForLog('its death', ({ msg }) => msg.startsWith('the broadcast relay ended (signal SIGKILL)'));
  await saidUntilHeard(lan, tunnel, 'after its death');
  assert.notEqual(relayProcesses()[0], before);
});

test('it comes, changes and goes with the configuration', async (t) => {
  const server = await startServer(t);
  assert.deepEqual(relayProcesses(), []);
  await server.reconfigure(SETTINGS);
  await relaying(server, LAN);
  assert.equal(relayProcesses().length, 1);
  await server.reconfigure({ broadcastRelay: { interface: 'lan1' } });
  await relaying(server, 'lan1');
  await until('the relay of the old configuration to go', () => relayProcesses().length === 1);
  await server.reconfigure({});
  await until('the relay to go', () => relayProcesses().length === 0);
});

for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
  test(`it goes with a manager that is ended by ${signal}`, async (t) => {
    const server = new Server();
    t.after(() => server.cleanUp());
    server.configure(SETTINGS);
    server.start();
    await relaying(server, LAN);
    server.signal(signal);
    await server.exited();
    await server.nothingLeft();
  });
}
