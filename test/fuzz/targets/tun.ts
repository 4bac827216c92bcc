/**
 * Segmentation offload in WebAssembly, where nothing else protects the memory: what a TUN device hands over, and what a
 * client sends. Canaries lie around everything that it may write.
 */
import assert from 'node:assert/strict';
import { PacketBuffers } from '../../../src/gre/packet-buffers.js';
import { noneCounted } from '../../../src/gre/relay-counters.js';
import { CIPHER_HEADER, type FrameCipher, OUT_OF_SYNC } from '../../../src/link/tun/frame-cipher.js';
import { Offload, SLACK } from '../../../src/link/tun/offload.js';
import { TunPort } from '../../../src/link/tun/tun-port.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';
import { MAX_READ, OFFLOAD_HEADER } from '../../../src/sys/tun-device.js';
import { payloadOf, superPacket, TIMESTAMPS, tcp4, tcp6 } from '../../unit/link/tun/packets.js';
import type { Target } from '../target.js';

const CANARY = 0xa5;
const CANARIES = 32;
const CAPACITY = 16;
const MAX_PACKET = 2000;
const SLOT = MAX_PACKET + SLACK + CANARIES + OFFLOAD_HEADER;
const VECTOR = 16;
const TCP_HEADER = 20;
/** Shortest headers of IPv4 and IPv6: shorter packets are not handed to the code. */
const SHORTEST: Readonly<Record<number, number>> = { 4: 20, 6: 40 };

const memory = new SharedMemory();
const offload = new Offload(memory, CAPACITY);
const { octets, view } = memory;
const readAt = memory.take(MAX_READ + SLACK);
const slotAt = memory.take(2 * CANARIES + SLOT) + CANARIES;
const queueAt = memory.take(CAPACITY * SLOT);

const versionOf = (packet: Uint8Array): number => (packet[0] ?? 0) >> 4;
const isCanary = (at: number, length: number): boolean =>
  octets.subarray(at, at + length).every((octet) => octet === CANARY);

/** The first octet chooses the limit for a packet; the rest is what was read. */
export const tunCut: Target = {
  covers: ['/src/link/tun/offload.js'],
  seeds: () =>
    [tcp4, tcp6].flatMap((make) => {
      const packet = make({ payload: payloadOf(100), options: TIMESTAMPS });
      const whole = superPacket(packet, 0);
      whole[1] = 0;
      return [superPacket(packet, 30), whole, Buffer.concat([Buffer.alloc(OFFLOAD_HEADER), packet])].map((read) =>
        Uint8Array.from([200, ...read]),
      );
    }),
  run: (input) => {
    const limit = Math.min((input[0] ?? 0) * 8, MAX_PACKET);
    const read = input.subarray(1);
    octets.set(read, readAt);
    const count = offload.open(readAt, read.length, limit);
    if (count < 0) {
      assert([offload.bad, offload.tooLong].includes(count));
      return String(count);
    }
    octets.fill(CANARY, slotAt - CANARIES, slotAt + SLOT);
    let cut = 0;
    let total = 0;
    for (let length: number; (length = offload.cut(slotAt)) > 0; cut += 1) {
      assert(length <= limit, 'a packet exceeds the limit');
      total += length;
    }
    assert.equal(cut, count);
    assert(cut > 1 || total === read.length - OFFLOAD_HEADER, 'octets are missing');
    assert(isCanary(slotAt - CANARIES, CANARIES) && isCanary(slotAt + limit + SLACK, CANARIES), 'it wrote elsewhere');
    return `${cut === 1} ${versionOf(read.subarray(OFFLOAD_HEADER))}`;
  },
};

const PORT_BITS = { network: 1, ipv6: 2, mustEncrypt: 4, cipher: 8 } as const;
const CLIENT = 0xc000_0202;
/** Where the frame lies: nothing behind it may have an effect. */
const frameAt = memory.take(MAX_PACKET + 2 * CANARIES) + CANARIES;
let events = 0;
const port = new TunPort({ memory, buffers: new PacketBuffers(memory), onEvent: () => (events += 1) });
/** Decrypts all but packets of an odd length. */
const cipher: FrameCipher = {
  encrypt: (_at, length) => length + CIPHER_HEADER,
  decrypt: (_at, length) => (length <= CIPHER_HEADER || length % 2 === 1 ? OUT_OF_SYNC : length - CIPHER_HEADER),
};

function counted(): Record<string, number> {
  const counters = noneCounted();
  port.count(counters);
  return counters;
}

/** The first octet chooses what is agreed (PORT_BITS); the rest is a frame of the client. It has no device to go to. */
export const tunFrame: Target = {
  covers: ['/src/link/tun/tun-port.js'],
  seeds: () => {
    const frames = [tcp4, tcp6].flatMap((make) => {
      const packet = make({ from: make === tcp4 ? '192.0.2.2' : '2', payload: payloadOf(20) });
      const protocol = make === tcp4 ? 0x21 : 0x57;
      return [
        [0xff, 3, 0, protocol, ...packet],
        [protocol, ...packet],
        [0, 0xfd, 0x90, 0, 0, protocol, ...packet],
      ];
    });
    return [0, 3, 7, 8, 15].flatMap((bits) =>
      [...frames, [0x2b, 1, 2]].map((frame) => Uint8Array.from([bits, ...frame])),
    );
  },
  run: (input) => {
    const has = (bit: keyof typeof PORT_BITS): boolean => ((input[0] ?? 0) & PORT_BITS[bit]) !== 0;
    port.setNetwork(has('network') ? { client: CLIENT, ipv6: has('ipv6'), mtu: 1400 } : null);
    port.setRequireEncryption(has('mustEncrypt'));
    port.setEncryption(has('cipher') ? cipher : null);
    const frame = input.subarray(1, 1 + MAX_PACKET);
    if (frame.length === 0) return '';
    octets.fill(CANARY, frameAt - CANARIES, frameAt + frame.length + CANARIES);
    octets.set(frame, frameAt);
    const before = counted();
    events = 0;
    assert(port.push(frameAt, frame.length, false));
    port.flush();
    assert(isCanary(frameAt + frame.length, CANARIES), 'it wrote behind the frame');
    const after = counted();
    const fates = Object.keys(after).filter((name) => after[name] !== before[name]);
    const dropped = fates.filter((name) => name !== 'rxForeignSource');
    assert.equal(dropped.length, 1, `a frame has more than one fate, or none: ${fates.join()}`);
    assert(events <= 1);
    return fates.join();
  },
};

/** Packets, each after two octets with its length. */
export const tunJoin: Target = {
  covers: ['/src/link/tun/offload.js'],
  seeds: () =>
    [tcp4, tcp6].map((make) =>
      Buffer.concat(
        [
          ...[0, 1, 2].map((index) => ({ sequence: index * 20, identification: index, payload: payloadOf(20) })),
          ...[8, 9, 9, 10].map((acknowledgment) => ({ sequence: 60, acknowledgment, options: TIMESTAMPS })),
        ].flatMap((fields) => {
          const packet = make(fields);
          return [Uint8Array.of(packet.length >> 8, packet.length), packet];
        }),
      ),
    ),
  run: (input) => {
    const packets = packetsOf(input);
    offload.clear();
    for (const [index, packet] of packets.entries()) {
      const at = queueAt + index * SLOT + OFFLOAD_HEADER;
      octets.set(packet, at);
      octets.fill(CANARY, at + packet.length, at + packet.length + CANARIES);
      assert(offload.push(at, packet.length));
    }
    let joined = 0;
    const left = new Set(packets.keys());
    for (let index = 0; index < offload.queued; index += 1) {
      const count = offload.prepare(index);
      if (count === 0) continue;
      left.delete(index);
      const written = vectors(count);
      if (count === 1) assert.deepEqual(written.subarray(OFFLOAD_HEADER), Buffer.from(packets[index] ?? []));
      else assertCutAgain(written, count, packets);
      joined += count - 1;
    }
    const superseded = [...left].filter((index) => isSuperseded(packets, index)).length;
    assert.equal(left.size, joined + superseded, 'a packet is missing');
    for (const [index, packet] of packets.entries())
      assert(isCanary(queueAt + index * SLOT + OFFLOAD_HEADER + packet.length, CANARIES), 'it wrote behind a packet');
    return `${joined} ${superseded}`;
  },
};

/** Whether it is an acknowledgment without data, and a later one between the same ports has a higher number. */
function isSuperseded(packets: readonly Uint8Array[], index: number): boolean {
  const [one, ...later] = packets.slice(index).map(acknowledgmentOf);
  if (one == null) return false;
  return later.some((other) => other?.ports === one.ports && ((other.number - one.number) | 0) > 0);
}

/** null: it has data, or is too short. */
function acknowledgmentOf(packet: Uint8Array): { readonly ports: number; readonly number: number } | null {
  const tcp = Buffer.from(packet.subarray(versionOf(packet) === 4 ? ((packet[0] ?? 0) & 0x0f) * 4 : 40));
  if (tcp.length < TCP_HEADER || tcp.length !== (tcp.readUInt8(12) >> 4) * 4) return null;
  return { ports: tcp.readUInt32BE(), number: tcp.readUInt32BE(8) };
}

function packetsOf(input: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at + 2 <= input.length && packets.length < CAPACITY; ) {
    const length = Math.min(((input[at] ?? 0) << 8) | (input[at + 1] ?? 0), MAX_PACKET);
    const packet = input.subarray(at + 2, at + 2 + length);
    if (packet.length >= (SHORTEST[versionOf(packet)] ?? Number.POSITIVE_INFINITY)) packets.push(packet);
    at += 2 + length;
  }
  return packets;
}

function vectors(count: number): Buffer {
  const vectorsAt = offload.vectors - memory.address;
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const at = vectorsAt + index * VECTOR;
      const from = Number(view.getBigUint64(at, true)) - memory.address;
      const length = Number(view.getBigUint64(at + 8, true));
      assert(from >= queueAt && from + length <= queueAt + CAPACITY * SLOT, 'a vector is elsewhere');
      return octets.subarray(from, from + length);
    }),
  );
}

/** Cut again, it is what it was joined from, in this order. */
function assertCutAgain(written: Buffer, count: number, packets: readonly Uint8Array[]): void {
  octets.set(written, readAt);
  assert.equal(offload.open(readAt, written.length, MAX_PACKET), count);
  let from = 0;
  for (let length: number; (length = offload.cut(slotAt)) > 0; ) {
    const cut = Buffer.from(octets.subarray(slotAt, slotAt + length));
    const found = packets.findIndex((packet, index) => index >= from && isSame(cut, packet));
    assert(found >= 0, 'a segment differs from what was sent');
    from = found + 1;
  }
}

/** Apart from the identification of a packet that is never cut into fragments, and the checksum over it. */
function isSame(cut: Buffer, packet: Uint8Array): boolean {
  const sent = Buffer.from(packet);
  if (versionOf(packet) === 4 && ((packet[6] ?? 0) & 0x40) !== 0) {
    for (const at of [4, 10]) cut.copy(sent, at, at, at + 2);
  }
  return cut.equals(sent);
}
