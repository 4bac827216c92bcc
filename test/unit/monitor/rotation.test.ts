import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rotation } from '../../../src/monitor/rotation.js';

test('a short list is taken whole', () => {
  const rotation = new Rotation<number>(3);
  assert.deepEqual(rotation.next([1, 2]), [1, 2]);
  assert.deepEqual(rotation.next([1, 2, 3]), [1, 2, 3]);
});

test('of a long one each has its turn, also when none leaves', () => {
  const rotation = new Rotation<number>(3);
  const all = [1, 2, 3, 4, 5, 6, 7];
  const turns = [1, 2, 3].map(() => rotation.next(all));
  assert.deepEqual(turns, [
    [1, 2, 3],
    [4, 5, 6],
    [7, 1, 2],
  ]);
  assert.deepEqual(rotation.next([1, 2, 3, 4]), [2, 3, 4]);
});
