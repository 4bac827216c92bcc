/** Speed limits of vendors' attributes: units, direction, and which of them counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attribute } from '../../../src/radius/attributes.js';
import { parseMikrotik, rateOf } from '../../../src/radius/rate-limit.js';

/** In bits per second; RX is what the server receives: up. */
const MIKROTIK: readonly [text: string, up: number | null, down: number | null][] = [
  ['64k/128k', 64_000, 128_000],
  ['5M/20M', 5_000_000, 20_000_000],
  ['1G', 1_000_000_000, 1_000_000_000],
  ['512000/1m', 512_000, 1_000_000],
  ['0/2M', null, 2_000_000],
  ['1/1', 8000, 8000],
  ['900G', null, null],
  ['128k/256k 256k/512k 96k/192k 60/60 8 64k/64k', 128_000, 256_000],
];
for (const [text, up, down] of MIKROTIK)
  test(`Mikrotik-Rate-Limit "${text}"`, () => assert.deepEqual(parseMikrotik(text), { up, down }));

test('what is no Mikrotik-Rate-Limit', () => {
  for (const text of ['', 'fast', '5M/', '/5M', '5M/20M/1M', '-5M', '5.5M', '5T', '5MM'])
    assert.equal(parseMikrotik(text), null, text);
});

const UP: Attribute = ['WISPr-Bandwidth-Max-Up', 256_000];
const DOWN: Attribute = ['WISPr-Bandwidth-Max-Down', 512_000];

test('WISPr-Bandwidth counts where there is no Mikrotik-Rate-Limit that can be read', () => {
  const both = { up: 256_000, down: 512_000 };
  assert.deepEqual(rateOf([UP, DOWN]), { rate: both, unreadable: null });
  assert.deepEqual(rateOf([['Mikrotik-Rate-Limit', '1M'], UP, DOWN]), {
    rate: { up: 1_000_000, down: 1_000_000 },
    unreadable: null,
  });
  assert.deepEqual(rateOf([UP, ['Mikrotik-Rate-Limit', 'fast']]), { rate: { up: 256_000 }, unreadable: 'fast' });
  assert.deepEqual(rateOf([['WISPr-Bandwidth-Max-Up', 0]]), { rate: { up: null }, unreadable: null });
  assert.deepEqual(rateOf([]), { rate: {}, unreadable: null });
});
