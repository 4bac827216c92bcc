import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitRate, duration, localTime, octets, pointInTime } from '../../../src/admin/units.js';

const amounts: [count: number, text: string][] = [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [200 * 1024, '200 KiB'],
  [5 * 1024 ** 3, '5.0 GiB'],
  [3000 * 1024 ** 4, '3000 TiB'],
];

for (const [count, text] of amounts) {
  test(`${count} octets: ${text}`, () => assert.equal(octets(count), text));
}

test('a time is local time', () => {
  assert.equal(localTime(new Date(2026, 0, 2, 3, 4, 5).getTime()), '2026-01-02 03:04:05');
});

test('durations have their two largest units', () => {
  for (const [seconds, text] of [
    [0, '0 s'],
    [0.4, '0 s'],
    [59.6, '1 min'],
    [61, '1 min 1 s'],
    [3605, '1 h'],
    [3600 + 300, '1 h 5 min'],
    [3 * 86_400 + 4 * 3600 + 59, '3 d 4 h'],
  ] as const) {
    assert.equal(duration(seconds), text);
  }
});

test('ages and ISO 8601 times are parsed', () => {
  const now = Date.parse('2026-11-23T10:00:00Z');
  for (const [text, time] of [
    ['30s', now - 30_000],
    ['90min', now - 5_400_000],
    ['1.5h', now - 5_400_000],
    ['7d', now - 604_800_000],
    ['2026-11-22T10:00:00Z', now - 86_400_000],
    ['2026-11-22', new Date(2026, 10, 22).getTime()],
    ['yesterday', null],
    ['7', null],
    ['-1d', null],
    ['', null],
  ] as const) {
    assert.equal(pointInTime(text, now), time, text);
  }
});

test('rates have about three digits and a unit', () => {
  assert.deepEqual([0, 999, 1000, 123_456, 9_990_000, 2.5e9, 5e13].map(bitRate), [
    '0 bit/s',
    '999 bit/s',
    '1.0 kbit/s',
    '123 kbit/s',
    '10.0 Mbit/s',
    '2.5 Gbit/s',
    '50000 Gbit/s',
  ]);
});
