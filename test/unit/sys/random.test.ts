import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOctets } from '../../../src/sys/random.js';

test('random octets fill the whole length, and are others each time', () => {
  const seen = Array.from({ length: 64 }, () => randomOctets(16));
  assert.ok(seen.every(({ length }) => length === 16));
  assert.equal(new Set(seen.map((octets) => Buffer.from(octets).toString('hex'))).size, 64);
  // Each octet was written: in 64 tries none stays 0.
  assert.ok(Array.from({ length: 16 }, (_, at) => seen.some((octets) => octets[at] !== 0)).every(Boolean));
  assert.equal(randomOctets(0).length, 0);
});

test('more than the kernel gives at once are refused', () => {
  assert.equal(randomOctets(256).length, 256);
  assert.throws(() => randomOctets(257), RangeError);
});
