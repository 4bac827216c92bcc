import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_WAIT, LOSSES_TO_LEARN, ReorderWait, SHORTEST_WAIT } from '../../../src/gre/reorder-wait.js';

function lose(wait: ReorderWait, count: number): void {
  for (let loss = 0; loss < count; loss += 1) wait.gaveUp();
}

test('losses alone shorten the wait, and one late packet restores the maximum', () => {
  const wait = new ReorderWait();
  lose(wait, LOSSES_TO_LEARN - 1);
  assert.equal(wait.time, MAX_WAIT);
  lose(wait, 1);
  assert.equal(wait.time, SHORTEST_WAIT);
  wait.cameLate();
  assert.equal(wait.time, MAX_WAIT);
});

test('after filled gaps the wait stays above their lateness for a while', () => {
  const wait = new ReorderWait();
  wait.filled(50);
  lose(wait, LOSSES_TO_LEARN);
  assert.ok(wait.time > 50 && wait.time < MAX_WAIT, `${wait.time} ms`);
  lose(wait, 100);
  assert.equal(wait.time, SHORTEST_WAIT);
});

test('the wait stays within its limits, and a gap is given up too soon only after enough lost ones', () => {
  const lateness = fc.integer({ min: 0, max: 2 * MAX_WAIT });
  const gaps = fc.array(fc.oneof(fc.constant(Number.POSITIVE_INFINITY), lateness), { maxLength: 200 });
  fc.assert(
    fc.property(gaps, (latenesses) => {
      const wait = new ReorderWait();
      let sinceLate = 0;
      for (const late of latenesses) {
        const { time } = wait;
        assert.ok(time >= SHORTEST_WAIT && time <= MAX_WAIT);
        if (late < time) {
          wait.filled(late);
          continue;
        }
        wait.gaveUp();
        sinceLate += 1;
        if (late === Number.POSITIVE_INFINITY) continue;
        wait.cameLate();
        assert.ok(late >= MAX_WAIT || sinceLate > LOSSES_TO_LEARN);
        sinceLate = 0;
      }
    }),
  );
});
