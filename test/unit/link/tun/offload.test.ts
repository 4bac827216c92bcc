/** test/process/tun-offload.test.ts has the kernel judge the same code. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { OffloadBench } from './offload-bench.js';
import {
  checksum,
  FLAGS,
  offloadHeader,
  payloadOf,
  segmentsOf,
  superPacket,
  TIMESTAMPS,
  type TcpFields,
  tcp4,
  tcp6,
  tcpOf,
  TYPES,
} from './packets.js';

const { ACK, CWR, ECE, FIN, PSH, SYN, URG } = FLAGS;
const bench = new OffloadBench();
const VERSIONS = [
  ['IPv4', tcp4],
  ['IPv6', tcp6],
] as const;

/** `count` segments of `size` octets that follow each other. */
const run = (count: number, size: number, fields: TcpFields = {}): TcpFields[] =>
  Array.from({ length: count }, (_, index) => ({
    ...fields,
    sequence: (fields.sequence ?? 1000) + index * size,
    identification: (fields.identification ?? 0) + index,
    payload: payloadOf(size, index),
  }));

for (const [name, make] of VERSIONS) {
  describe(`cutting ${name}`, () => {
    const cases: readonly [string, TcpFields, number][] = [
      ['whole segments', { payload: payloadOf(3000) }, 1000],
      ['a shorter last one', { payload: payloadOf(3001), flags: ACK | PSH | FIN }, 1448],
      ['one segment only', { payload: payloadOf(7) }, 1448],
      ['options', { payload: payloadOf(200), options: TIMESTAMPS }, 33],
      ['the first alone has CWR, the last PSH', { payload: payloadOf(90), flags: ACK | CWR | ECE | PSH }, 30],
      ['numbers that wrap', { payload: payloadOf(90), sequence: 0xffff_fff0, identification: 0xffff }, 20],
      ['64 KiB', { payload: payloadOf(65_000), options: TIMESTAMPS }, 1348],
    ];
    for (const [what, fields, size] of cases) {
      test(what, () => {
        assert.deepEqual(bench.cut(superPacket(make(fields), size)), segmentsOf(make, fields, size));
      });
    }

    test('any sizes and flags', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 5000 }),
          fc.integer({ min: 1, max: 1900 }),
          fc.integer({ min: 0, max: 255 }),
          fc.boolean(),
          (length, size, flags, hasOptions) => {
            const fields = { payload: payloadOf(length), flags, options: hasOptions ? TIMESTAMPS : [] };
            assert.deepEqual(bench.cut(superPacket(make(fields), size)), segmentsOf(make, fields, size));
          },
        ),
      );
    });

    test('the offload header may lie about the headers of a forwarded packet', () => {
      const fields = { payload: payloadOf(3000) };
      const read = superPacket(make(fields), 1000);
      read.writeUInt16LE(1500, 2);
      assert.deepEqual(bench.cut(read), segmentsOf(make, fields, 1000));
    });

    test('a checksum that the kernel left open is finished', () => {
      const packet = make({ payload: payloadOf(101) });
      const read = superPacket(packet, 0);
      read.writeUInt8(TYPES.none, 1);
      assert.deepEqual(bench.cut(read), [packet]);
    });

    test('any other packet goes as it is', () => {
      const packet = make({ payload: payloadOf(101) });
      packet.writeUInt16BE(0xdead, tcpOf(packet) + 16);
      assert.deepEqual(bench.cut(Buffer.concat([offloadHeader({}), packet])), [packet]);
    });

    test('impossible headers', () => {
      const good = superPacket(make({ payload: payloadOf(3000) }), 1000);
      const at = 10 + tcpOf(good.subarray(10));
      const spoilt: readonly [string, (read: Buffer) => unknown][] = [
        ['UDP', (read) => read.writeUInt8(TYPES.udp, 1)],
        ['the other version', (read) => read.writeUInt8(make === tcp4 ? TYPES.tcp6 : TYPES.tcp4, 1)],
        ['no segment size', (read) => read.writeUInt16LE(0, 4)],
        ['the sum begins beyond the packet', (read) => read.writeUInt16LE(9999, 6)],
        ['the sum lies beyond the packet', (read) => read.writeUInt16LE(9999, 8)],
        ['TCP in the IP header', (read) => read.writeUInt16LE(8, 6)],
        ['a TCP header of 4 octets', (read) => read.writeUInt8(0x10, at + 12)],
        ['no version', (read) => read.writeUInt8(0, 10)],
      ];
      for (const [what, spoil] of spoilt) {
        const read = Buffer.from(good);
        spoil(read);
        assert.equal(bench.cut(read), bench.offload.bad, what);
      }
      for (const length of [0, 9, 10, 29]) assert.equal(bench.cut(good.subarray(0, length)), bench.offload.bad);
      assert.equal(bench.cut(good, 1000), bench.offload.tooLong);
      assert.equal(bench.cut(Buffer.concat([offloadHeader({}), make({ payload: payloadOf(1000) })]), 1000), -2);
    });
  });

  describe(`joining ${name}`, () => {
    const joined = (fields: readonly TcpFields[]): number[] =>
      bench.join(fields.map(make)).map((each) => each.segments);

    test('consecutive segments become the super packet that the kernel makes of them', () => {
      const fields = run(10, 1348, { options: TIMESTAMPS });
      const whole = make({
        ...fields[0],
        payload: Buffer.concat(fields.map(({ payload = Buffer.alloc(0) }) => payload)),
      });
      assert.deepEqual(bench.join(fields.map(make)), [{ segments: 10, written: superPacket(whole, 1348) }]);
    });

    test('a shorter one or one with PSH is the last', () => {
      const shorter = run(6, 100).map((each, index) => (index === 2 ? { ...each, payload: payloadOf(99) } : each));
      assert.deepEqual(joined(shorter), [3, 3]);
      const pushed = run(6, 100).map((each, index) => (index === 2 ? { ...each, flags: ACK | PSH } : each));
      assert.deepEqual(joined(pushed), [3, 3]);
      const [first] = bench.join(pushed.map(make));
      assert.equal(first?.written[10 + tcpOf(first.written.subarray(10)) + 13], ACK | PSH);
    });

    test('a longer one begins another', () => {
      const longer = run(4, 100).map((each, index) => (index === 1 ? { ...each, payload: payloadOf(101) } : each));
      assert.deepEqual(joined(longer), [1, 1, 2]);
    });

    test('flows are told apart, and the order within each is kept', () => {
      const [one, other] = [run(4, 100), run(4, 200, { fromPort: 40_001 })];
      assert.deepEqual(joined(one.flatMap((each, index) => [each, other[index] ?? each])), [4, 4]);
      const ended = [...run(2, 100), { ...run(3, 100)[2], flags: ACK | FIN }, ...run(5, 100).slice(3)];
      assert.deepEqual(joined(ended), [2, 1, 2]);
    });

    test('more flows than are remembered cost joins only', () => {
      const flows = Array.from({ length: 20 }, (_, index) => run(2, 50, { fromPort: 1000 + index }));
      const order = [0, 1].flatMap((index) => flows.flatMap((flow) => flow[index] ?? []));
      assert.equal(
        joined(order).reduce((sum, segments) => sum + segments),
        40,
      );
    });

    test('nothing is joined that differs in more than it may', () => {
      const different: readonly TcpFields[] = [
        { sequence: 1101 },
        { sequence: 1099 },
        { acknowledgment: 8 },
        { window: 513 },
        { options: TIMESTAMPS },
        { tos: 4 },
        { hops: 63 },
        { payload: Buffer.alloc(0) },
        ...[SYN, FIN, URG, ECE, CWR].map((flag) => ({ flags: ACK | flag })),
        { flags: 0 },
        ...(make === tcp4 ? [{ dontFragment: false }] : []),
      ];
      for (const difference of different) {
        const [first, second] = run(2, 100);
        assert.deepEqual(joined([first ?? {}, { ...second, ...difference }]), [1, 1], JSON.stringify(difference));
      }
      const [first, second] = run(2, 100, { options: TIMESTAMPS });
      assert.deepEqual(joined([first ?? {}, { ...second, options: TIMESTAMPS.toReversed() }]), [1, 1]);
      // The fields are checked whether or not they mean something.
      assert.deepEqual(joined([first ?? {}, { ...second, urgentPointer: 1 }]), [1, 1]);
    });

    test('a wrong checksum is not hidden', () => {
      for (const wrong of [0, 1, 2]) {
        const packets = run(3, 100).map(make);
        packets[wrong]?.writeUInt8(0xee, packets[wrong].length - 1);
        const written = bench.join(packets).map((each) => each.written.subarray(10));
        assert.ok(written.some((each) => packets[wrong] !== undefined && each.equals(packets[wrong])));
      }
    });

    test('a packet whose IP length is not its own is left alone', () => {
      const [first, second] = run(2, 100).map(make);
      assert.ok(first !== undefined && second !== undefined);
      const padded = Buffer.concat([second, Buffer.alloc(6)]);
      assert.deepEqual(
        bench.join([first, padded]).map(({ written }) => written.subarray(10)),
        [first, padded],
      );
    });

    test('never more than 64 KiB', () => {
      const all = bench.join(run(100, 1348).map(make));
      for (const { written } of all) assert.ok(written.length <= 10 + 65_535);
      assert.equal(
        all.reduce((sum, { segments }) => sum + segments, 0),
        100,
      );
    });

    test('cutting what was joined gives the segments again', () => {
      const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 });
      fc.assert(
        fc.property(sizes, fc.boolean(), (lengths, isSame) => {
          let sequence = 0xffff_ff00;
          const packets = lengths.map((length, index) => {
            const packet = make({
              sequence,
              identification: index,
              payload: payloadOf(isSame ? 200 : length),
              flags: length % 7 === 0 ? ACK | PSH : ACK,
            });
            sequence += isSame ? 200 : length;
            return packet;
          });
          const again = bench.join(packets).map(({ written }) => bench.cut(written));
          assert.deepEqual(again.flat(), packets);
        }),
      );
    });
  });
}

describe('IPv4', () => {
  test('fragments are left alone', () => {
    const packets = run(2, 100).map(tcp4);
    for (const packet of packets) {
      packet.writeUInt16BE(0x2000, 6);
      packet.writeUInt16BE(0, 10);
      packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
    }
    assert.deepEqual(
      bench.join(packets).map(({ written }) => written.subarray(10)),
      packets,
    );
  });

  test('without Don’t Fragment the identifications must follow each other, since they are counted on when it is cut', () => {
    const fields = run(3, 100, { dontFragment: false });
    assert.deepEqual(
      bench.join(fields.map(tcp4)).map(({ segments }) => segments),
      [3],
    );
    const jumps = fields.map((each, index) => tcp4({ ...each, identification: index * 2 }));
    assert.equal(bench.join(jumps).length, 3);
  });

  test('a header whose checksum is wrong is not made anew', () => {
    const packets = run(2, 100).map(tcp4);
    packets[1]?.writeUInt16BE(0xbad, 10);
    assert.equal(bench.join(packets).length, 2);
  });
});
