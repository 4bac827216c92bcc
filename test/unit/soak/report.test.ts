/** A leak is a slope; comings and goings are none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slope, troughs } from '../../soak/report.js';

const every5s = (value: (seconds: number) => number): [number, number][] =>
  Array.from({ length: 361 }, (_, index) => [index * 5, value(index * 5)]);

test('a MiB more each hour', () => {
  const grows = slope(every5s((seconds) => 30 + seconds / 3600));
  assert(grows !== null && Math.abs(grows - 1) < 1e-9);
});

test('a saw whose teeth are as high at the end as at the beginning', () => {
  const grows = slope(every5s((seconds) => 20 + (seconds % 60) / 4));
  assert(grows !== null && Math.abs(grows) < 1);
});

test('a saw whose teeth grow, and whose troughs do not', () => {
  const saw = every5s((seconds) => 20 + ((seconds % 60) / 60) * (seconds / 100));
  const grows = slope(troughs(saw));
  assert(grows !== null && Math.abs(grows) < 1e-9);
  assert(Number(slope(saw)) > 10);
});

test('one point has no slope', () => assert.equal(slope([[0, 1]]), null));
