import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { MPPE_HEADER, Mppe, type MppeBits, type MppeMode, UNDECRYPTED } from '../../../src/mschap/mppe.js';
import type { StartKeys } from '../../../src/mschap/start-keys.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';
import { hex, toHex } from './octets.js';
import { COUNT, ENCRYPTED, FLUSHED, type Options, Rc4, Receiver, Sender, type System } from './reference-mppe.js';

const SYSTEMS: readonly System[] = ['RFC 3078', 'FreeBSD', 'Linux'];
const BITS: readonly MppeBits[] = [40, 56, 128];
const MODES: readonly MppeMode[] = BITS.flatMap((bits) => [
  { bits, stateless: true },
  { bits, stateless: false },
]);
const nameOf = ({ bits, stateless }: MppeMode): string => `${bits} bits, ${stateless ? 'stateless' : 'stateful'}`;

const keys: StartKeys = {
  send: hex('8b7cdc149b993a1ba118cb153f56dccb'),
  receive: hex('d5f0e9521e3ea9589645e86051c82226'),
  weak: null,
};
const LONGEST = 1600;
const CANARY = 0xa5;
const MARGIN = 64;

/** An Mppe with a place for one packet, between canaries. */
class Bench {
  readonly #memory = new SharedMemory();
  readonly mppe = new Mppe(this.#memory);
  readonly #from = this.#memory.take(LONGEST + 2 * MARGIN);
  readonly #at = this.#from + MARGIN;

  constructor(mode: MppeMode, startKeys = keys) {
    this.mppe.start(startKeys, mode);
  }

  encrypt(frame: Uint8Array): Uint8Array {
    this.#place(frame);
    const length = this.mppe.encrypt(this.#at, frame.length);
    assert.ok(length === frame.length + MPPE_HEADER || length === 0);
    this.#assertCanaries(this.#at - MPPE_HEADER, this.#at + frame.length);
    return this.#memory.part(this.#at - MPPE_HEADER, length).slice();
  }

  /** The frame, or a number of UNDECRYPTED. */
  decrypt(packet: Uint8Array): Uint8Array | number {
    this.#place(packet);
    const length = this.mppe.decrypt(this.#at, packet.length);
    this.#assertCanaries(this.#at, this.#at + packet.length);
    if (length < 0) {
      assert.ok(Object.values(UNDECRYPTED).some((code) => code === length));
      assert.deepEqual(this.#memory.part(this.#at, packet.length), packet, 'what is not decrypted stays as it was');
      return length;
    }
    assert.equal(length, packet.length - MPPE_HEADER);
    return this.#memory.part(this.#at + MPPE_HEADER, length).slice();
  }

  #place(octets: Uint8Array): void {
    const end = this.#at + octets.length;
    this.#memory.octets.fill(CANARY, this.#from, this.#at).set(octets, this.#at);
    this.#memory.octets.fill(CANARY, end, end + MARGIN);
  }

  /** Nothing but the octets from `begin` to `end` has been written. */
  #assertCanaries(begin: number, end: number): void {
    const around = [this.#memory.octets.subarray(this.#from, begin), this.#memory.octets.subarray(end, end + MARGIN)];
    assert.ok(
      around.every((octets) => octets.every((octet) => octet === CANARY)),
      'it wrote outside the packet',
    );
  }
}

/** One for all tests: each is 1.25 MiB of addresses. `fresh` starts it anew. */
const server = new Bench({ bits: 128, stateless: true });
const client = new Bench({ bits: 128, stateless: true });
const clientKeys: StartKeys = { send: keys.receive, receive: keys.send, weak: null };
function fresh(mode: MppeMode): void {
  server.mppe.start(keys, mode);
  client.mppe.start(clientKeys, mode);
}

/** A PPP frame with an IPv4 or IPv6 packet of `length` octets that says which one it is. */
function ipFrame(number: number, length = 40, version: 4 | 6 = 4): Uint8Array {
  const frame = new Uint8Array(2 + length);
  const view = new DataView(frame.buffer);
  view.setUint16(0, version === 4 ? 0x0021 : 0x0057);
  view.setUint8(2, version << 4);
  view.setUint16(version === 4 ? 4 : 6, version === 4 ? length : length - 40);
  view.setUint32(2 + length - 4, number);
  return frame;
}

const headerOf = (packet: Uint8Array): number => ((packet[0] ?? 0) << 8) | (packet[1] ?? 0);
const withHeader = (header: number, packet: Uint8Array): Uint8Array =>
  Uint8Array.from([header >> 8, header & 0xff, ...packet.subarray(MPPE_HEADER)]);
const options = (mode: MppeMode, system: System, start: Uint8Array): Options => ({ ...mode, system, start });

test('The reference: RC4 as in RFC 6229, 128-bit key', () => {
  const stream = new Rc4(hex('0102030405060708090a0b0c0d0e0f10')).crypt(new Uint8Array(32));
  assert.equal(toHex(stream), '9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c');
});

describe('MPPE octet by octet as the reference', () => {
  for (const mode of MODES) {
    test(`${nameOf(mode)}: 5000 packets each way, with a wrap of the count`, () => {
      fresh(mode);
      const sender = new Sender(options(mode, 'RFC 3078', keys.receive));
      const receiver = new Receiver(options(mode, 'RFC 3078', keys.send));
      for (let number = 0; number < COUNT + 1000; number += 1) {
        const frame = ipFrame(number, 24 + (number % 40));
        const packet = server.encrypt(frame);
        assert.equal(headerOf(packet) & COUNT, number & COUNT);
        assert.deepEqual(receiver.decrypt(packet), frame);
        assert.deepEqual(server.decrypt(sender.encrypt(frame)), frame);
      }
    });
  }

  test('frames of every length to 1500 octets, with any octets', () => {
    for (const mode of MODES) {
      fresh(mode);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 1500 }), (frame) => {
          assert.deepEqual(client.decrypt(server.encrypt(frame)), frame);
        }),
        { numRuns: 20 },
      );
    }
  });

  test("MS-CHAPv1's key of 40 and 56 bits, in both directions", () => {
    const weak = hex('76a152936096d783');
    for (const bits of [40, 56] as const) {
      const mode = { bits, stateless: true };
      const bench = new Bench(mode, { ...keys, weak });
      const frame = ipFrame(1);
      assert.deepEqual(new Receiver(options(mode, 'RFC 3078', weak)).decrypt(bench.encrypt(frame)), frame);
      assert.deepEqual(bench.decrypt(new Sender(options(mode, 'RFC 3078', weak)).encrypt(frame)), frame);
    }
  });
});

describe('What a packet says of itself', () => {
  test('stateless: FLUSHED on every one', () => {
    fresh({ bits: 128, stateless: true });
    for (let count = 0; count < 10_000; count += 1) {
      assert.equal(headerOf(server.encrypt(ipFrame(count))), FLUSHED | ENCRYPTED | (count & COUNT));
    }
  });

  test('stateful: FLUSHED on flag packets, and not on the first one, for which Linux would change its key', () => {
    fresh({ bits: 128, stateless: false });
    for (let count = 0; count < 10_000; count += 1) {
      const flushed = count % 256 === 255 ? FLUSHED : 0;
      assert.equal(headerOf(server.encrypt(ipFrame(count))), flushed | ENCRYPTED | (count & COUNT));
    }
  });

  test('stateful, after a Reset-Request: the next flag packet, once', () => {
    fresh({ bits: 128, stateless: false });
    server.encrypt(ipFrame(0));
    server.mppe.flushNext();
    server.mppe.flushNext();
    assert.equal(headerOf(server.encrypt(ipFrame(1))), FLUSHED | ENCRYPTED | 0x0ff);
    assert.equal(headerOf(server.encrypt(ipFrame(2))), ENCRYPTED | 0x100);
  });

  test('stateless, a Reset-Request changes nothing', () => {
    fresh({ bits: 128, stateless: true });
    server.mppe.flushNext();
    assert.equal(headerOf(server.encrypt(ipFrame(0))), FLUSHED | ENCRYPTED | 0);
  });
});

describe('Packets that are lost, doubled, late', () => {
  /** Any of these happens to each packet. */
  const fates = fc.array(
    fc.oneof(
      { arbitrary: fc.constant('arrives' as const), weight: 6 },
      { arbitrary: fc.constantFrom('lost' as const, 'doubled' as const, 'late' as const), weight: 1 },
    ),
    { minLength: 1, maxLength: 400 },
  );

  /** Sends a packet for each fate; `deliver` gets them as the network has them. */
  function send(
    list: readonly string[],
    first: number,
    next: (number: number) => Uint8Array,
    deliver: (number: number, packet: Uint8Array) => void,
  ): void {
    let late: { number: number; packet: Uint8Array } | null = null;
    for (const [index, fate] of list.entries()) {
      const number = first + index;
      const packet = next(number);
      if (fate === 'lost') continue;
      if (fate === 'late' && late === null) {
        late = { number, packet };
        continue;
      }
      deliver(number, packet);
      if (fate === 'doubled') deliver(number, packet);
      if (late !== null) deliver(late.number, late.packet);
      late = null;
    }
  }

  for (const bits of BITS) {
    test(`${bits} bits, stateless: what comes in order is decrypted, what comes late is dropped`, () => {
      fc.assert(
        fc.property(fc.nat({ max: COUNT }), fates, (first, list) => {
          fresh({ bits, stateless: true });
          // Not from the first packet on, so that the count wraps; a jump of less than half its range is a loss.
          for (let sent = 0; sent < first; sent += 1) {
            const packet = server.encrypt(ipFrame(sent));
            if (sent % 2000 === 1999) assert.deepEqual(client.decrypt(packet), ipFrame(sent));
          }
          let last = -1;
          send(
            list,
            first,
            (number) => server.encrypt(ipFrame(number)),
            (number, packet) => {
              assert.deepEqual(client.decrypt(packet), number > last ? ipFrame(number) : UNDECRYPTED.late);
              last = Math.max(last, number);
            },
          );
        }),
        { numRuns: 10 },
      );
    });
  }

  for (const system of SYSTEMS) {
    for (const bits of BITS) {
      const mode = { bits, stateless: false };

      test(`${bits} bits, stateful, from ${system}: nothing wrong is decrypted, and a reset repairs it`, () => {
        fc.assert(
          fc.property(fc.nat({ max: 600 }), fates, fc.nat({ max: 5 }), (first, list, delay) => {
            fresh(mode);
            const sender = new Sender(options(mode, system, keys.receive));
            for (let number = 0; number < first; number += 1) server.decrypt(sender.encrypt(ipFrame(number)));
            let requestedAt: number | null = null;
            let last = -1;
            const deliver = (number: number, packet: Uint8Array): void => {
              const result = server.decrypt(packet);
              if (typeof result === 'number') {
                assert.ok(result === UNDECRYPTED.outOfSync || (result === UNDECRYPTED.late && number <= last));
                if (result === UNDECRYPTED.outOfSync) requestedAt ??= number;
              } else assert.deepEqual(result, ipFrame(number, 40, number % 3 ? 4 : 6));
              last = Math.max(last, number);
            };
            send(
              list,
              first,
              (number) => {
                // The request takes some packets to arrive, and is made again while nothing is decrypted.
                if (requestedAt !== null && number > requestedAt + delay) {
                  sender.recvResetRequest();
                  requestedAt = null;
                }
                return sender.encrypt(ipFrame(number, 40, number % 3 ? 4 : 6));
              },
              deliver,
            );
            sender.recvResetRequest();
            const number = first + list.length;
            for (const after of [number, number + 1]) {
              deliver(after, sender.encrypt(ipFrame(after, 40, after % 3 ? 4 : 6)));
            }
            assert.deepEqual(server.decrypt(sender.encrypt(ipFrame(number + 2))), ipFrame(number + 2));
          }),
          { numRuns: 20 },
        );
      });

      test(`${bits} bits, stateful, to ${system}: nothing wrong is decrypted, and a reset repairs it`, () => {
        fc.assert(
          fc.property(fc.nat({ max: 600 }), fc.array(fc.boolean(), { maxLength: 400 }), (first, arrivals) => {
            fresh(mode);
            const receiver = new Receiver(options(mode, system, keys.send));
            for (let number = 0; number < first; number += 1) receiver.decrypt(server.encrypt(ipFrame(number)));
            // Only one packet in five is at risk; what flushes is lost as often as others.
            const decrypts = (number: number, arrives: boolean): boolean => {
              const packet = server.encrypt(ipFrame(number));
              if (!arrives) return true;
              const result = receiver.decrypt(packet);
              if (result === null) server.mppe.flushNext();
              else assert.deepEqual(result, ipFrame(number));
              return result !== null;
            };
            let number = first;
            for (const arrives of arrivals) decrypts(number++, arrives || number % 5 !== 0);
            // A loss that nobody has noticed yet costs one packet, its repair none.
            decrypts(number++, true);
            assert.ok(decrypts(number++, true));
            assert.ok(decrypts(number++, true));
          }),
          { numRuns: 20 },
        );
      });
    }
  }

  test('stateful, 10,000 packets that are discarded for want of an answer: then a flag packet repairs it', () => {
    fresh({ bits: 128, stateless: false });
    const sender = new Sender(options({ bits: 128, stateless: false }, 'FreeBSD', keys.receive));
    sender.encrypt(ipFrame(0));
    let number = 1;
    for (; number < 255; number += 1)
      assert.equal(server.decrypt(sender.encrypt(ipFrame(number))), UNDECRYPTED.outOfSync);
    // FreeBSD does not mark it.
    for (; number < 10_000; number += 1)
      assert.deepEqual(server.decrypt(sender.encrypt(ipFrame(number))), ipFrame(number));
  });

  test('stateful, from Linux: 8 resets whose packets were lost', () => {
    const mode = { bits: 128, stateless: false } as const;
    fresh(mode);
    const sender = new Sender(options(mode, 'Linux', keys.receive));
    for (let lost = 0; lost < 7; lost += 1) {
      sender.recvResetRequest();
      sender.encrypt(ipFrame(lost));
    }
    assert.equal(server.decrypt(sender.encrypt(ipFrame(7))), UNDECRYPTED.outOfSync);
    sender.recvResetRequest();
    for (const number of [8, 9]) assert.deepEqual(server.decrypt(sender.encrypt(ipFrame(number))), ipFrame(number));
  });

  for (const bits of BITS)
    for (const lost of [1, 2047, 2048, 2301, 4095, 4097, 5000, 12_287])
      for (const stateless of [true, false])
        test(`${bits} bits, ${stateless ? 'stateless' : 'stateful'}: the session goes on after ${lost} lost packets`, () => {
          const mode = { bits, stateless };
          fresh(mode);
          const sender = new Sender(options(mode, 'RFC 3078', keys.receive));
          for (let number = 0; number < 3; number += 1)
            assert.deepEqual(server.decrypt(sender.encrypt(ipFrame(number))), ipFrame(number));
          let number = 3;
          for (; number < 3 + lost; number += 1) sender.encrypt(ipFrame(number));
          if (!stateless) {
            assert.equal(server.decrypt(sender.encrypt(ipFrame(number))), UNDECRYPTED.outOfSync);
            number += 1;
            sender.recvResetRequest();
          }
          for (const end = number + 300; number < end; number += 1)
            assert.deepEqual(server.decrypt(sender.encrypt(ipFrame(number))), ipFrame(number));
        });

  test('stateless, after more lost packets than can be followed: the link is ended within 4096 packets', () => {
    const mode = { bits: 128, stateless: true } as const;
    fresh(mode);
    const sender = new Sender(options(mode, 'RFC 3078', keys.receive));
    for (let number = 0; number < 4 * 4096 + 2100; number += 1) sender.encrypt(ipFrame(number));
    let count = 0;
    while (server.decrypt(sender.encrypt(ipFrame(count))) !== UNDECRYPTED.fatal && count < 4096) count += 1;
    assert.equal(count, 1599);
  });

  test('stateless: a packet that is late, or of another protocol, costs nothing', () => {
    const mode = { bits: 128, stateless: true } as const;
    fresh(mode);
    const sender = new Sender(options(mode, 'RFC 3078', keys.receive));
    const other = Uint8Array.of(0x00, 0x2b, 1, 2, 3, 4, 5, 6, 7, 8);
    const late = sender.encrypt(ipFrame(0));
    sender.encrypt(ipFrame(1));
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(server.decrypt(sender.encrypt(other)), other);
      assert.equal(server.decrypt(late), UNDECRYPTED.late);
      assert.deepEqual(server.decrypt(sender.encrypt(ipFrame(round))), ipFrame(round));
      sender.encrypt(ipFrame(9));
    }
  });

  test('stateful: what flushes need not carry IP', () => {
    const mode = { bits: 128, stateless: false } as const;
    fresh(mode);
    const sender = new Sender(options(mode, 'RFC 3078', keys.receive));
    sender.encrypt(ipFrame(0));
    sender.recvResetRequest();
    const other = Uint8Array.of(0x00, 0x2b, 1, 2, 3, 4, 5, 6, 7, 8);
    assert.deepEqual(server.decrypt(sender.encrypt(other)), other);
    assert.deepEqual(server.decrypt(sender.encrypt(ipFrame(2))), ipFrame(2));
  });
});

describe('Packets that are no MPPE', () => {
  const good = (mode: MppeMode): Uint8Array => {
    fresh(mode);
    return client.encrypt(ipFrame(0));
  };

  for (const mode of MODES) {
    test(`${nameOf(mode)}: not encrypted, compressed, too short, without FLUSHED`, () => {
      const packet = good(mode);
      const header = headerOf(packet);
      const bad = [
        withHeader(header & ~ENCRYPTED, packet),
        withHeader(header | 0x2000, packet),
        packet.subarray(0, 0),
        packet.subarray(0, 1),
        packet.subarray(0, 2),
        ...(mode.stateless ? [withHeader(header & ~FLUSHED, packet)] : []),
      ];
      for (const each of bad) assert.equal(server.decrypt(each), UNDECRYPTED.invalid);
      // They have cost nothing.
      assert.deepEqual(server.decrypt(packet), ipFrame(0));
    });
  }

  test('the bit that is MPPC’s alone has no effect', () => {
    const packet = good({ bits: 128, stateless: true });
    assert.deepEqual(server.decrypt(withHeader(headerOf(packet) | 0x4000, packet)), ipFrame(0));
  });

  test('sixteen invalid packets in a row are fatal; with a good one after each they never are', () => {
    const packet = good({ bits: 128, stateless: true });
    const bad = withHeader(headerOf(packet) & ~ENCRYPTED, packet);
    for (let count = 0; count < 15; count += 1) assert.equal(server.decrypt(bad), UNDECRYPTED.invalid);
    assert.equal(server.decrypt(bad), UNDECRYPTED.fatal);
    assert.equal(server.decrypt(bad), UNDECRYPTED.fatal);

    fresh({ bits: 128, stateless: true });
    for (let number = 0; number < 100; number += 1) {
      assert.equal(server.decrypt(bad), UNDECRYPTED.invalid);
      assert.deepEqual(server.decrypt(client.encrypt(ipFrame(number))), ipFrame(number));
    }
  });

  test('any octets: a length or a code, and nothing is written outside', () => {
    for (const mode of MODES) {
      fresh(mode);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (packet, isEncrypted) => {
          if (isEncrypted && packet.length > 0) packet[0] = 0x90 | (packet[0] ?? 0);
          server.decrypt(packet);
          if (packet.length > 0) server.encrypt(packet);
        }),
        { numRuns: 100 },
      );
    }
  });
});

describe('Keys', () => {
  test('without keys nothing is encrypted or decrypted, so that nothing leaves in the clear', () => {
    const memory = new SharedMemory();
    const mppe = new Mppe(memory);
    const at = memory.take(64) + MPPE_HEADER;
    assert.equal(mppe.encrypt(at, 20), 0);
    assert.equal(mppe.decrypt(at, 20), UNDECRYPTED.invalid);
    mppe.start(keys, { bits: 128, stateless: true });
    assert.equal(mppe.encrypt(at, 20), 22);
    mppe.stop();
    assert.equal(mppe.encrypt(at, 20), 0);
    assert.equal(mppe.decrypt(at, 20), UNDECRYPTED.invalid);
  });

  test('stop leaves neither keys nor octets of a packet in the memory', () => {
    const memory = new SharedMemory();
    const mppe = new Mppe(memory);
    const at = memory.take(64);
    const unused = memory.octets.slice();
    const mode = { bits: 128, stateless: false } as const;
    const sender = new Sender(options(mode, 'RFC 3078', keys.receive));
    sender.recvResetRequest();
    const packet = sender.encrypt(ipFrame(0));
    mppe.start(keys, mode);
    memory.octets.set(packet, at);
    assert.equal(mppe.decrypt(at, packet.length), packet.length - MPPE_HEADER);
    memory.octets.fill(0, at, at + packet.length);
    assert.notDeepEqual(memory.octets.slice(), unused);
    mppe.stop();
    assert.ok(memory.octets.every((octet, index) => octet === unused[index]));
  });

  test('start begins anew with count 0 and the first key', () => {
    fresh({ bits: 128, stateless: false });
    const first = server.encrypt(ipFrame(1));
    server.mppe.flushNext();
    fresh({ bits: 128, stateless: false });
    assert.deepEqual(server.encrypt(ipFrame(1)), first);
  });

  test('two in one memory do not disturb each other', () => {
    const memory = new SharedMemory();
    const ends = [new Mppe(memory), new Mppe(memory)] as const;
    const at = memory.take(64) + MPPE_HEADER;
    ends[0].start(keys, { bits: 128, stateless: false });
    ends[1].start(clientKeys, { bits: 128, stateless: false });
    for (let number = 0; number < 300; number += 1) {
      memory.octets.set(ipFrame(number, 40), at);
      assert.equal(ends[0].encrypt(at, 42), 44);
      assert.equal(ends[1].decrypt(at - MPPE_HEADER, 44), 42);
      assert.deepEqual(memory.part(at, 42).slice(), ipFrame(number, 40));
    }
  });
});
