/** The kernel's answers about the queue at an interface. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketRateIn } from '../../../src/sys/token-bucket.js';

/** As Linux 6.1 answers to RTM_GETQDISC: struct nlmsghdr, struct tcmsg, and attributes. */
function answer(type: number, ...attributes: readonly Buffer[]): Buffer {
  const octets = Buffer.concat([Buffer.alloc(36), ...attributes]);
  octets.writeUInt32LE(octets.length, 0);
  octets.writeUInt16LE(type, 4);
  return octets;
}

function attribute(type: number, value: Buffer): Buffer {
  const octets = Buffer.alloc((4 + value.length + 3) & ~3);
  octets.writeUInt16LE(4 + value.length, 0);
  octets.writeUInt16LE(type, 2);
  value.copy(octets, 4);
  return octets;
}

const kind = (name: string): Buffer => attribute(1, Buffer.from(`${name}\0`));
/** struct tc_tbf_qopt. */
function parameters(octetsPerSecond: number): Buffer {
  const octets = Buffer.alloc(36);
  octets.writeUInt32LE(octetsPerSecond, 8);
  return attribute(1, octets);
}
function longRate(octetsPerSecond: bigint): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64LE(octetsPerSecond);
  return attribute(4, octets);
}
const options = (...parts: readonly Buffer[]): Buffer => attribute(2, Buffer.concat(parts));

test('the rate in bits per second, also where 32 bits are too few for it', () => {
  assert.equal(bucketRateIn(answer(36, kind('tbf'), options(parameters(625_000)))), 5_000_000);
  const long = options(parameters(0xffff_ffff), longRate(5_000_000_000n));
  assert.equal(bucketRateIn(answer(36, kind('tbf'), long)), 40_000_000_000);
});

test('other queues, acknowledgments, errors and broken answers have no rate', () => {
  const none: readonly (Buffer | null)[] = [
    answer(36, kind('fq_codel'), options(parameters(625_000))),
    answer(2, kind('tbf'), options(parameters(625_000))),
    answer(36, kind('tbf')),
    answer(36, kind('tbf'), options(attribute(1, Buffer.alloc(4)))),
    answer(36, Buffer.from([200, 0, 1, 0])),
    answer(36, Buffer.from([0, 0, 1, 0])),
    Buffer.alloc(3),
    null,
  ];
  for (const message of none) assert.equal(bucketRateIn(message), null, message?.toString('hex'));
});
