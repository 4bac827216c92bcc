/** Data through the whole of a session: GRE in, HDLC to a stand-in pppd and back, GRE out. Nothing is lost or changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, type Server, startServer } from './support/server.js';
import { IPV4, parseFrame, Tunnel } from './support/tunnel.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const PACKETS = 1000;
const LARGEST = 1400;
/** On their way at once: what a socket's default buffer holds with room to spare. */
const IN_FLIGHT = 32;

/** Every octet value in every place: lengths 1 to 1400, each packet's octets begin elsewhere. */
const payloadOf = (index: number): Buffer =>
  Buffer.from(Array.from({ length: 1 + ((index * 701) % LARGEST) }, (_, at) => (index * 7 + at) & 0xff));

test(`${PACKETS} payloads of 1 to ${LARGEST} octets come back whole and in order`, async (t) => {
  const server = await startServer(t);
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  const echoed = (): Buffer[] =>
    tunnel.packets.flatMap(({ payload }) => {
      const frame = parseFrame(payload);
      return frame?.protocol === IPV4 ? [frame.data] : [];
    });
  for (let sent = 0; sent < PACKETS; ) {
    const end = Math.min(sent + IN_FLIGHT, PACKETS);
    for (; sent < end; sent += 1) await tunnel.sendFrame(IPV4, payloadOf(sent));
    await until(`${end} echoes`, () => echoed().length >= end);
  }
  const came = echoed();
  assert.equal(came.length, PACKETS);
  for (const [index, data] of came.entries()) assert(data.equals(payloadOf(index)), `packet ${index} was changed`);
  const sequences = tunnel.packets.flatMap(({ sequence }) => sequence ?? []);
  assert.deepEqual(
    sequences,
    sequences.map((_, index) => index),
    'our numbers start at 0 and leave none out',
  );
  const acknowledged = tunnel.packets.flatMap(({ acknowledgment }) => acknowledgment ?? []);
  assert.deepEqual(
    acknowledged,
    acknowledged.toSorted((a, b) => a - b),
    'acknowledgments never go back',
  );
  const [session] = await server.sessions();
  const { rxPackets, txPackets, ptyBadFcs } = session?.counters ?? {};
  // Two packets of LCP each way.
  assert.deepEqual(
    { rxPackets, txPackets, ptyBadFcs },
    { rxPackets: PACKETS + 2, txPackets: PACKETS + 2, ptyBadFcs: 0 },
  );
});

const ACCM_ALL = 0xffffffff;
const everyControl = Buffer.from(Array.from({ length: 32 }, (_, value) => value));

/** All control characters as they lie on the pty under this ACCM. */
const escapedBy = (accm: number): string =>
  Buffer.from([...everyControl].flatMap((value) => ((accm >>> value) & 1 ? [0x7d, value ^ 0x20] : [value]))).toString(
    'hex',
  );

/** What pppd asks for, and for each Set-Link-Info that follows (null: none) what is escaped then. */
const accms: readonly (readonly [
  what: string,
  standIn: readonly string[],
  steps: readonly (readonly [sendAccm: number | null, escaped: number])[],
])[] = [
  [
    'adds to ACCM 0',
    [],
    [
      [null, 0],
      [ACCM_ALL, ACCM_ALL],
      [0x0000000f, 0x0000000f],
      [0, 0],
    ],
  ],
  [
    'takes nothing away from what pppd has negotiated',
    ['asyncmap=000a0000'],
    [
      [null, 0x000a0000],
      [0, 0x000a0000],
      [0x00000001, 0x000a0001],
    ],
  ],
  [
    'takes nothing away from the default, where pppd asks for no ACCM',
    ['asyncmap='],
    [
      [null, ACCM_ALL],
      [0, ACCM_ALL],
    ],
  ],
];

/** Relays a data frame with every control character in it; returns the pty's octets of these. */
async function onPty(server: Server, tunnel: Tunnel, mark: string): Promise<string> {
  await tunnel.sendFrame(IPV4, Buffer.concat([Buffer.from(mark), everyControl]));
  await tunnel.nextFrame(IPV4);
  const hex = Buffer.from(mark).toString('hex');
  const { octets } = await server.waitForPppd(mark, (note) => note.octets?.includes(hex) === true);
  return octets?.slice(octets.indexOf(hex) + hex.length) ?? '';
}

async function setLinkInfo({ client, reply }: Tunnel, sendAccm: number): Promise<void> {
  client.send({ type: 'SetLinkInfo', peerCallId: reply.callId, sendAccm, receiveAccm: ACCM_ALL });
  await client.echo();
}

for (const [what, standIn, steps] of accms) {
  test(`Set-Link-Info tells which octets pppd is sent escaped: it ${what}`, async (t) => {
    const server = await startServer(t, {}, 'frames', ...standIn);
    const tunnel = await Tunnel.open(t);
    await tunnel.openLcp();
    for (const [step, [sendAccm, escaped]] of steps.entries()) {
      if (sendAccm !== null) await setLinkInfo(tunnel, sendAccm);
      const octets = await onPty(server, tunnel, `step ${step}:`);
      assert(octets.startsWith(escapedBy(escaped)), `step ${step}: ${octets}`);
    }
  });
}

test('a Set-Link-Info of before LCP opens holds afterwards, also when LCP begins anew and agrees on another ACCM', async (t) => {
  const server = await startServer(t, {}, 'frames', 'anew', 'asyncmap=000a0000,00500000');
  const tunnel = await Tunnel.open(t);
  await setLinkInfo(tunnel, 0x00000001);
  await tunnel.openLcp();
  assert((await onPty(server, tunnel, 'opened:')).startsWith(escapedBy(0x000a0001)));
  await tunnel.reopenLcp(2);
  assert((await onPty(server, tunnel, 'anew:')).startsWith(escapedBy(0x00500001)));
  await setLinkInfo(tunnel, 0);
  assert((await onPty(server, tunnel, 'less:')).startsWith(escapedBy(0x00500000)));
});

test('two clients behind one address have a tunnel each', async (t) => {
  await startServer(t);
  const [address] = CLIENT_ADDRESSES;
  const tunnels = [await Tunnel.open(t, address, 101), await Tunnel.open(t, address, 102)];
  for (const tunnel of tunnels) await tunnel.openLcp();
  for (let round = 0; round < 20; round += 1)
    for (const [index, tunnel] of tunnels.entries()) await tunnel.assertRelays(`round ${round} of ${index}`);
});
