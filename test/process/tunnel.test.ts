/** Data through the whole of a session: GRE in, HDLC to a stand-in pppd and back, GRE out. Nothing is lost or changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, startServer } from './support/server.js';
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

test('Set-Link-Info tells which octets pppd is sent escaped', async (t) => {
  const server = await startServer(t, {}, 'frames');
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  const everyControl = Buffer.from(Array.from({ length: 32 }, (_, value) => value));
  /** The pty's octets of the data frame that begins with this text. */
  const onPty = async (mark: string): Promise<string> => {
    await tunnel.sendFrame(IPV4, Buffer.concat([Buffer.from(mark), everyControl]));
    await tunnel.nextFrame(IPV4);
    const hex = Buffer.from(mark).toString('hex');
    const { octets } = await server.waitForPppd(mark, (note) => note.octets?.includes(hex) === true);
    return octets?.slice(octets.indexOf(hex) + hex.length) ?? '';
  };
  // pppd has negotiated ACCM 0.
  assert((await onPty('negotiated')).startsWith(everyControl.toString('hex')));
  for (const [sendAccm, escaped] of [
    [0xffffffff, 32],
    [0x0000000f, 4],
    [0, 0],
  ] as const) {
    tunnel.client.send({ type: 'SetLinkInfo', peerCallId: tunnel.reply.callId, sendAccm, receiveAccm: 0xffffffff });
    await tunnel.client.echo();
    const expected = [...everyControl].flatMap((value) => (value < escaped ? [0x7d, value ^ 0x20] : [value]));
    assert((await onPty(`accm ${sendAccm}`)).startsWith(Buffer.from(expected).toString('hex')), `ACCM ${sendAccm}`);
  }
});

test('two clients behind one address have a tunnel each', async (t) => {
  await startServer(t);
  const [address] = CLIENT_ADDRESSES;
  const tunnels = [await Tunnel.open(t, address, 101), await Tunnel.open(t, address, 102)];
  for (const tunnel of tunnels) await tunnel.openLcp();
  for (let round = 0; round < 20; round += 1)
    for (const [index, tunnel] of tunnels.entries()) await tunnel.assertRelays(`round ${round} of ${index}`);
});
