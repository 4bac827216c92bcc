/**
 * What a client sends through a bad network, and the judgement of what comes out of the TUN device: packets that were
 * delivered, octet by octet, and nothing else.
 */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { checksum, FLAGS, payloadOf, TIMESTAMPS, type TcpFields, tcp4, tcp6, tcpOf, TYPES } from './packets.js';

const { ACK, FIN, PSH } = FLAGS;
const OFFLOAD_HEADER = 10;
const SIZE = 100;
/** More than are remembered for joining. */
const FLOWS = 10;
const DONT_FRAGMENT = 0x40;

type Kind = 'data' | 'short' | 'pushed' | 'final' | 'acknowledgment' | 'wrongSum';

export interface Sending {
  readonly flow: number;
  readonly kind: Kind;
  /** After how many more packets it arrives, once for each number: none if it is lost. */
  readonly delays: readonly number[];
}

/** Packets of several flows; `longest` is the longest delay of the few that are far behind. */
export const sendings = (most: number, longest: number): fc.Arbitrary<readonly Sending[]> =>
  fc.array(
    fc.record({
      flow: fc.nat(FLOWS - 1).map((flow) => (flow < 5 ? 0 : flow)),
      kind: fc.oneof(
        { weight: 8, arbitrary: fc.constant<Kind>('data') },
        ...(['short', 'pushed', 'final', 'acknowledgment', 'acknowledgment', 'wrongSum'] as const).map((kind) => ({
          weight: 1,
          arbitrary: fc.constant<Kind>(kind),
        })),
      ),
      delays: fc.oneof(
        { weight: 30, arbitrary: fc.constant([0]) },
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 4, arbitrary: fc.tuple(fc.nat(12)) },
        { weight: 2, arbitrary: fc.tuple(fc.nat(12), fc.nat(12)) },
        { weight: 1, arbitrary: fc.tuple(fc.nat(longest)) },
      ),
    }),
    { minLength: 1, maxLength: most },
  );

/** Numbers packets and makes them, so that no two are the same. */
export class Flows {
  readonly #addresses: Pick<TcpFields, 'from' | 'to'>;
  readonly #sequences = new Int32Array(FLOWS).fill(-3 * SIZE);
  readonly #counts = new Int32Array(FLOWS);

  constructor(addresses: Pick<TcpFields, 'from' | 'to'> = {}) {
    this.#addresses = addresses;
  }

  /** Flows 6 and 9 are of IPv6, flow 7 may be fragmented, flows 8 and 9 have timestamps. */
  packet({ flow, kind }: Sending): Buffer {
    const index = (this.#counts[flow] ?? 0) + 1;
    this.#counts[flow] = index;
    const sequence = this.#sequences[flow] ?? 0;
    const length = kind === 'acknowledgment' ? 0 : kind === 'short' ? 1 + (index % (SIZE - 1)) : SIZE;
    this.#sequences[flow] = sequence + length;
    const fields: TcpFields = {
      fromPort: 1000 + flow,
      sequence: sequence >>> 0,
      // Only acknowledgments are told apart by it: other segments with different windows are not joined.
      window: kind === 'acknowledgment' ? index : 512,
      acknowledgment: kind === 'acknowledgment' ? 1000 + Math.floor(index / 2) : 7,
      flags: kind === 'pushed' ? ACK | PSH : kind === 'final' ? ACK | FIN : ACK,
      payload: payloadOf(length, index),
      identification: flow === 7 ? index : (index * 7) & 0xffff,
      dontFragment: flow !== 7,
      options: flow >= 8 ? TIMESTAMPS : [],
    };
    const packet = flow % 3 === 0 && flow > 0 ? tcp6(fields) : tcp4({ ...fields, ...this.#addresses });
    if (kind === 'wrongSum') packet.writeUInt16BE(packet.readUInt16BE(tcpOf(packet) + 16) ^ 1, tcpOf(packet) + 16);
    return packet;
  }
}

/** The packets that a write to a TUN device is to the kernel (virtio_net.h, tcp_gso_segment). */
export function cutByTheRules(written: Buffer): Buffer[] {
  const packet = written.subarray(OFFLOAD_HEADER);
  if (written[1] === TYPES.none) {
    assert.deepEqual(
      [...written.subarray(0, OFFLOAD_HEADER)],
      Array.from({ length: OFFLOAD_HEADER }, () => 0),
    );
    return [packet];
  }
  const at = tcpOf(packet);
  const isV4 = at === 20;
  const headers = at + (packet.readUInt8(at + 12) >> 4) * 4;
  const size = written.readUInt16LE(4);
  assert.deepEqual(
    [written[0], written[1], written.readUInt16LE(2), written.readUInt16LE(6), written.readUInt16LE(8)],
    [1, isV4 ? TYPES.tcp4 : TYPES.tcp6, headers, at, 16],
  );
  assert.equal(packet.readUInt16BE(at + 16), ~tcpSum(packet, Buffer.alloc(0), packet.length - at) & 0xffff);
  const segments: Buffer[] = [];
  for (let from = headers; from < packet.length; from += size) {
    const segment = Buffer.concat([packet.subarray(0, headers), packet.subarray(from, from + size)]);
    const isLast = from + size >= packet.length;
    segment.writeUInt16BE(segment.length - (isV4 ? 0 : at), isV4 ? 2 : 4);
    segment.writeUInt32BE((packet.readUInt32BE(at + 4) + from - headers) >>> 0, at + 4);
    segment.writeUInt8(packet.readUInt8(at + 13) & (isLast ? ~0 : ~(FIN | PSH)), at + 13);
    segment.writeUInt16BE(0, at + 16);
    segment.writeUInt16BE(tcpSum(segment, segment.subarray(at), segment.length - at), at + 16);
    if (isV4) {
      segment.writeUInt16BE((packet.readUInt16BE(4) + segments.length) & 0xffff, 4);
      segment.writeUInt16BE(0, 10);
      segment.writeUInt16BE(checksum(segment.subarray(0, at)), 10);
    }
    segments.push(segment);
  }
  return segments;
}

/** Of the pseudo-header and `octets`. */
function tcpSum(packet: Buffer, octets: Buffer, length: number): number {
  const addresses = tcpOf(packet) === 20 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  return checksum(Buffer.concat([addresses, Uint8Array.of(0, 6, length >> 8, length), octets]));
}

/** The packet without what joining may change: the identification of one that is never cut into fragments. */
function essence(packet: Buffer): string {
  const same = Buffer.from(packet);
  if (tcpOf(packet) === 20 && ((packet[6] ?? 0) & DONT_FRAGMENT) !== 0) {
    assert.equal(checksum(packet.subarray(0, 20)), 0, 'the checksum of an IPv4 header is wrong');
    for (const at of [4, 10]) same.writeUInt16BE(0, at);
  }
  return same.toString('latin1');
}

/**
 * Judges the packets that have come out: each is one of `sent`, once, in the order of its flow. Returns those of `sent`
 * that are missing.
 */
export function judge(sent: readonly Buffer[], cameOut: readonly Buffer[]): Buffer[] {
  const numbers = new Map(sent.map((packet, number) => [essence(packet), number]));
  assert.equal(numbers.size, sent.length, 'the test has sent the same packet twice');
  const last = new Map<number, number>();
  const seen = new Set<number>();
  for (const packet of cameOut) {
    const number = numbers.get(essence(packet));
    assert.ok(number !== undefined, `a packet came out that was not delivered: ${packet.toString('hex')}`);
    assert.ok(!seen.has(number), `packet ${number} came out twice`);
    seen.add(number);
    const flow = packet.readUInt16BE(tcpOf(packet));
    assert.ok(number > (last.get(flow) ?? -1), `packet ${number} of flow ${flow} came after ${last.get(flow)}`);
    last.set(flow, number);
  }
  return sent.filter((_, number) => !seen.has(number));
}

export function hasData(packet: Buffer): boolean {
  const at = tcpOf(packet);
  return packet.length > at + (packet.readUInt8(at + 12) >> 4) * 4;
}
