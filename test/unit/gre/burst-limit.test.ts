import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BurstLimit, MAX_UNACKNOWLEDGED, RATE } from '../../../src/gre/burst-limit.js';

/** The receive window that pptp-linux announces. */
const PPTP_LINUX = 3;

/** The most that may ever be sent beyond what is acknowledged, without waiting. */
const MOST = new BurstLimit(PPTP_LINUX).allowance(0, 0);

test('a burst is bounded, and goes on at the rate without acknowledgments', () => {
  const limit = new BurstLimit(PPTP_LINUX);
  limit.send(MOST, 0, 1000);
  assert.equal(limit.allowance(MOST, 1000), 0);
  assert.equal(limit.allowance(MOST, 1001), RATE);
  limit.send(RATE, MOST, 1001);
  assert.equal(limit.allowance(MOST + RATE, 1001), 0);
});

test('what is acknowledged may be sent again at once', () => {
  const limit = new BurstLimit(PPTP_LINUX);
  limit.send(MOST, 0, 1000);
  assert.equal(limit.allowance(10, 1000), MAX_UNACKNOWLEDGED - 10);
  limit.send(MAX_UNACKNOWLEDGED - 10, 10, 1000);
  assert.equal(limit.allowance(MAX_UNACKNOWLEDGED, 1000), 0);
});

test('time without traffic counts for no more than one burst', () => {
  const limit = new BurstLimit(PPTP_LINUX);
  limit.send(MOST, 0, 0);
  assert.equal(limit.allowance(0, 1e9), MOST);
});

for (const [window, times] of [
  [0, 1],
  [16, 1],
  [32, 2],
  [64, 4],
  [65_535, 4],
] as const)
  test(`with a window of ${window} bursts are ${times} times as long as with the shortest`, () => {
    assert.equal(new BurstLimit(window).allowance(0, 0), times * MOST);
    const limit = new BurstLimit(window);
    limit.send(times * MOST, 0, 1000);
    assert.equal(limit.allowance(times * MOST, 1001), times * RATE);
  });

test('whoever sends what is allowed never exceeds the bound: what is unacknowledged, and the rate', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 200 })));
  fc.assert(
    fc.property(steps, (waits) => {
      const limit = new BurstLimit(PPTP_LINUX);
      let now = 0;
      let outstanding = 0;
      let sent = 0;
      for (const [wait, wanted] of waits) {
        now += wait;
        const count = Math.min(wanted, limit.allowance(outstanding, now));
        limit.send(count, outstanding, now);
        outstanding += count;
        sent += count;
        assert.ok(sent <= MOST + now * RATE);
      }
    }),
  );
});
