/** Which TCP acknowledgments of a batch the TUN path leaves out: those that a later one makes superfluous, and no others. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { OffloadBench } from './offload-bench.js';
import { FLAGS, payloadOf, TIMESTAMPS, type TcpFields, tcp4, tcp6, tcpOf } from './packets.js';

const { ACK, CWR, ECE, FIN, SYN, URG } = FLAGS;
const bench = new OffloadBench();
const VERSIONS = [
  ['IPv4', tcp4],
  ['IPv6', tcp6],
] as const;
/** No-operation twice, one block (RFC 2018 §3). */
const SACK: readonly number[] = [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9];

const later = (time: number): readonly number[] => TIMESTAMPS.with(7, time);

for (const [name, make] of VERSIONS) {
  /** The acknowledgment numbers that are written for packets with these fields. */
  const written = (fields: readonly TcpFields[]): number[] =>
    bench.join(fields.map(make)).map((each) => {
      const packet = each.written.subarray(10);
      return packet.readUInt32BE(tcpOf(packet) + 8);
    });

  describe(`acknowledgments without data, ${name}`, () => {
    test('the last one of a batch says all', () => {
      assert.deepEqual(written([100, 200, 300].map((acknowledgment) => ({ acknowledgment }))), [300]);
    });

    test('times and windows may differ', () => {
      const [first, second] = [
        { acknowledgment: 100, options: later(1), window: 500 },
        { acknowledgment: 200, options: later(2), window: 400 },
      ];
      assert.deepEqual(written([first, second]), [200]);
    });

    test('numbers wrap', () => {
      assert.deepEqual(written([0xffff_fff0, 0x10].map((acknowledgment) => ({ acknowledgment }))), [0x10]);
    });

    test('each flow has its own', () => {
      const fields = [1, 2, 3].flatMap((acknowledgment) =>
        [1000, 1001].map((fromPort) => ({ fromPort, acknowledgment: acknowledgment * fromPort })),
      );
      assert.deepEqual(written(fields), [3000, 3003]);
    });

    test('repeated ones stay, with the one that they repeat: the sender counts them', () => {
      const numbers = [90, 100, 100, 100, 100, 200, 300];
      assert.deepEqual(written(numbers.map((acknowledgment) => ({ acknowledgment }))), [100, 100, 100, 100, 300]);
    });

    test('one that is late supersedes nothing, and is not superseded by what came before', () => {
      assert.deepEqual(written([300, 200].map((acknowledgment) => ({ acknowledgment }))), [300, 200]);
    });

    test('neither of two is left out where they differ in more than they may, or say more', () => {
      const special: readonly TcpFields[] = [
        { options: SACK },
        { payload: payloadOf(10) },
        { sequence: 2 },
        { tos: 1 },
        { hops: 63 },
        ...[SYN, FIN, URG, ECE, CWR].map((flag) => ({ flags: ACK | flag })),
      ];
      for (const fields of special) {
        const plain = { acknowledgment: 100 };
        const what = JSON.stringify(fields);
        // The same in both is special all the same, but for fields of IP and the sequence number.
        assert.deepEqual(written([plain, { ...fields, acknowledgment: 200 }]), [100, 200], what);
        assert.deepEqual(written([{ ...fields, acknowledgment: 100 }, { acknowledgment: 200 }]), [100, 200], what);
      }
      const both = { options: SACK };
      assert.deepEqual(
        written([
          { ...both, acknowledgment: 100 },
          { ...both, acknowledgment: 200 },
        ]),
        [100, 200],
      );
    });

    test('what another packet of the flow stands between stays', () => {
      const data = { payload: payloadOf(10), acknowledgment: 100 };
      assert.deepEqual(written([{ acknowledgment: 100 }, data, { acknowledgment: 200 }]), [100, 100, 200]);
    });

    test('one with a wrong checksum supersedes nothing', () => {
      const [first, second] = [100, 200].map((acknowledgment) => make({ acknowledgment }));
      assert.ok(first !== undefined && second !== undefined);
      second.writeUInt16BE(second.readUInt16BE(tcpOf(second) + 16) ^ 1, tcpOf(second) + 16);
      assert.equal(bench.join([first, second]).length, 2);
    });

    test('options that do not fit into the header', () => {
      const broken = (options: readonly number[]): TcpFields => ({ options, acknowledgment: 100 });
      for (const options of [
        [8, 10, 0, 0],
        [8, 0, 0, 0],
        [8, 12, ...TIMESTAMPS.slice(2)],
        [0, 5, 10, 0],
      ]) {
        assert.deepEqual(written([broken(options), { ...broken(options), acknowledgment: 200 }]), [100, 200]);
      }
    });

    test('whatever comes: order stays, no number is lost that a later one does not exceed, and none that was repeated', () => {
      const packet = fc.record({
        fromPort: fc.constantFrom(1000, 1001, 1002),
        acknowledgment: fc.integer({ min: 0xffff_fffa, max: 0x1_0000_0005 }),
        sequence: fc.constantFrom(1, 1, 1, 2),
        flags: fc.constantFrom(ACK, ACK, ACK, ACK, ACK | ECE, ACK | FIN),
        options: fc.constantFrom(TIMESTAMPS, TIMESTAMPS, TIMESTAMPS, SACK),
        payload: fc.constantFrom(...[0, 0, 0, 0, 5].map((length) => payloadOf(length))),
      });
      fc.assert(
        fc.property(fc.array(packet, { maxLength: 30 }), (fields) => {
          // An identification tells them apart where the version has one; those of IPv6 by the window.
          const packets = fields.map((each, index) => make({ ...each, identification: index, window: index }));
          const left = bench
            .join(packets)
            .filter(({ segments }) => segments === 1)
            .map((each) => each.written.subarray(10))
            .map((each) => each.readUInt16BE(tcpOf(each) + 14));
          assert.deepEqual(
            left,
            left.toSorted((one, other) => one - other),
            'the order has changed',
          );
          for (const [index, one] of fields.entries()) {
            if (left.includes(index) || one.payload.length > 0) continue;
            assert.ok(one.flags === ACK && one.options === TIMESTAMPS, `packet ${index} was special`);
            const next = fields.findIndex((other, at) => at > index && other.fromPort === one.fromPort);
            const by = fields[next];
            const advance = ((by?.acknowledgment ?? 0) - one.acknowledgment) | 0;
            assert.ok(advance > 0 && by?.payload.length === 0, `packet ${index} was left out for no other`);
          }
          for (const port of [1000, 1001, 1002]) {
            const last = fields.findLastIndex(({ fromPort }) => fromPort === port);
            if (last >= 0 && fields[last]?.payload.length === 0)
              assert.ok(left.includes(last), 'the last one is missing');
          }
        }),
        { numRuns: 500 },
      );
    });
  });
}
