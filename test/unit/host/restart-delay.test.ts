import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartDelay } from '../../../src/host/restart-delay.js';

test('the delay doubles up to the longest, and begins anew after a process that ran for a while', () => {
  const delay = new RestartDelay({ first: 50, last: 300, stable: 1000 });
  assert.deepEqual(
    [0, 999, 10, 10, 1000, 0].map((ran) => delay.next(ran)),
    [50, 100, 200, 300, 50, 100],
  );
  delay.reset();
  assert.equal(delay.next(0), 50);
});
