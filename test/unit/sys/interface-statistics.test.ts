import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trafficOf } from '../../../src/sys/interface-statistics.js';

/** An answer of Linux 6.1 to RTM_GETSTATS, its first fields. */
function answer(type: number, fields: readonly bigint[]): Buffer {
  const octets = Buffer.alloc(32 + 8 * fields.length);
  octets.writeUInt32LE(octets.length, 0);
  octets.writeUInt16LE(type, 4);
  octets.writeUInt16LE(4 + 8 * fields.length, 28);
  octets.writeUInt16LE(1, 30);
  for (const [index, field] of fields.entries()) octets.writeBigUInt64LE(field, 32 + 8 * index);
  return octets;
}
const FIELDS = [10n, 20n, 5_000_000_000n, 6_000_000_000n, 0n];

test('packets and octets, beyond 32 bits', () =>
  assert.deepEqual(trafficOf(answer(92, FIELDS)), {
    rxPackets: 10,
    txPackets: 20,
    rxBytes: 5_000_000_000,
    txBytes: 6_000_000_000,
  }));

test('an error, and an answer that is too short', () => {
  assert.equal(trafficOf(answer(2, FIELDS)), null);
  assert.equal(trafficOf(answer(92, [1n])), null);
  assert.equal(trafficOf(Buffer.alloc(0)), null);
  assert.equal(trafficOf(null), null);
});
