/** Expanding and combining address ranges: order, number, and every kind of error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressList,
  addressNumber,
  addressText,
  expandRanges,
  isWithin,
  rangesOf,
} from '../../../src/config/addresses.js';

const good: readonly [ranges: string | string[], addresses: string[]][] = [
  ['192.0.2.7', ['192.0.2.7']],
  ['192.0.2.254-255', ['192.0.2.254', '192.0.2.255']],
  ['192.0.2-3.9', ['192.0.2.9', '192.0.3.9']],
  ['191-192.0.2.9', ['191.0.2.9', '192.0.2.9']],
  ['192.0.2.5-5', ['192.0.2.5']],
  ['192.0.2.255-192.0.3.1', ['192.0.2.255', '192.0.3.0', '192.0.3.1']],
  ['192.0.2.8/30', ['192.0.2.9', '192.0.2.10']],
  ['192.0.2.8/31', ['192.0.2.8', '192.0.2.9']],
  ['192.0.2.8/32', ['192.0.2.8']],
  ['192.0.2.9, 192.0.2.3-4', ['192.0.2.9', '192.0.2.3', '192.0.2.4']],
  [
    ['192.0.2.9', '192.0.2.3,192.0.2.1'],
    ['192.0.2.9', '192.0.2.3', '192.0.2.1'],
  ],
  [[], []],
];
for (const [ranges, addresses] of good) {
  test(`${JSON.stringify(ranges)} gives ${addresses.length}`, () => assert.deepEqual(addressList(ranges), addresses));
}

const bad: readonly [range: string, reason: string][] = [
  ['', 'is empty'],
  ['localhost', 'is not an address, range or block'],
  ['192.0.2', 'is not an address, range or block'],
  ['192.0.2.1.5', 'is not an address, range or block'],
  ['192.0.2.010', 'is not an address, range or block'],
  ['192.0.2.1-', 'is not an address, range or block'],
  ['2001:db8::1', 'is not an address, range or block'],
  ['192.0.2.256', 'has an octet over 255'],
  ['192.0.2.234-300', 'has an octet over 255'],
  ['192.0.2.234-8', 'runs backwards'],
  ['192.0.2.9-192.0.2.8', 'runs backwards'],
  ['192.0.2-3.1-4', 'has a dash in more than one octet'],
  ['192.0.2.0/33', 'is not a valid block'],
  ['192.0.2.0/24/3', 'is not a valid block'],
  ['192.0.2.9/30', 'is not the start of its block, which is 192.0.2.8/30'],
  ['10.0.0.0/8', 'brings the number of addresses above 65536'],
];
for (const [range, reason] of bad) {
  test(`"${range}" ${reason}`, () => {
    assert.deepEqual(expandRanges(range), { ok: false, problems: [{ range, index: null, reason }] });
    assert.throws(() => addressList(range), RangeError);
  });
}

test('every problem is reported with its index in the array', () => {
  assert.deepEqual(expandRanges(['192.0.2.1-3', 'x,192.0.2.3', '']), {
    ok: false,
    problems: [
      { index: 1, range: 'x', reason: 'is not an address, range or block' },
      { index: 1, range: '192.0.2.3', reason: 'has 192.0.2.3 a second time, after "192.0.2.1-3"' },
      { index: 2, range: '', reason: 'is empty' },
    ],
  });
});

test('addresses are combined into ranges in their order', () => {
  assert.deepEqual(rangesOf(addressList('192.0.2.254-192.0.3.1,192.0.2.7,192.0.2.6')), [
    '192.0.2.254-192.0.3.1',
    '192.0.2.7',
    '192.0.2.6',
  ]);
  assert.deepEqual(rangesOf([]), []);
});

test('converting an address to a number and back gives the same address', () => {
  for (const [text, number] of [
    ['0.0.0.0', 0],
    ['127.255.255.255', 0x7fffffff],
    ['128.0.0.0', 0x80000000],
    ['255.255.255.255', 0xffffffff],
  ] as const) {
    assert.equal(addressNumber(text), number);
    assert.equal(addressText(number), text);
  }
});

test('which addresses are in a network', () => {
  for (const [address, network, isIn] of [
    ['198.51.100.7', '198.51.100.0/29', true],
    ['198.51.100.8', '198.51.100.0/29', false],
    ['198.51.100.7', '198.51.100.7/32', true],
    ['198.51.100.7', '198.51.100.6', false],
    ['198.51.100.7', '128.0.0.0/1', true],
    ['198.51.100.7', '0.0.0.0/0', true],
    ['198.51.100.7', 'nonsense', false],
    ['nonsense', '0.0.0.0/0', false],
  ] as const)
    assert.equal(isWithin(address, network), isIn, `${address} ${network}`);
});
