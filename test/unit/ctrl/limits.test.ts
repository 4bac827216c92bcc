import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Limits } from '../../../src/ctrl/limits.js';
import { Timers } from '../../../src/ctrl/timers.js';

const NONE = { sessionTime: 0, idleTime: 0 };

/** With a clock that only the test moves, in seconds. */
function fixture(t: TestContext, policy: Partial<typeof NONE>) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const seen = { now: 0, frames: 0, ends: new Array<string>() };
  const limits = new Limits({
    policy: { ...NONE, ...policy },
    timers: new Timers(),
    now: () => seen.now,
    dataFrames: () => seen.frames,
    end: (reason, seconds) => void seen.ends.push(`${reason}: ${seconds} s`),
  });
  const pass = (seconds: number): void => {
    // In steps: while a timer expires the mocked clock does not move.
    for (let step = 0; step < seconds * 10; step += 1) {
      seen.now += 100;
      t.mock.timers.tick(100);
    }
  };
  return { limits, seen, pass };
}

test('without limits no session ends', (t) => {
  const { limits, seen, pass } = fixture(t, {});
  limits.up();
  pass(1000);
  assert.deepEqual(seen.ends, []);
});

test('session time counts from the first login of each call', (t) => {
  const { limits, seen, pass } = fixture(t, { sessionTime: 60 });
  pass(100);
  limits.up();
  pass(40);
  limits.up();
  pass(19.5);
  assert.deepEqual(seen.ends, []);
  limits.callEnded();
  pass(100);
  limits.up();
  pass(59.5);
  assert.deepEqual(seen.ends, []);
  pass(0.5);
  assert.deepEqual(seen.ends, ['sessionTime: 60 s']);
});

test('idle time counts from the last data, and ends the session at most a tenth late', (t) => {
  const { limits, seen, pass } = fixture(t, { idleTime: 20 });
  seen.frames = 7;
  limits.up();
  for (let time = 0; time < 5; time += 1) {
    pass(15);
    seen.frames += 1;
  }
  pass(19.5);
  assert.deepEqual(seen.ends, []);
  pass(2.5);
  assert.deepEqual(seen.ends, ['idle: 20 s']);
});

test('a call that has ended is not checked any more', (t) => {
  const { limits, seen, pass } = fixture(t, { idleTime: 20 });
  limits.up();
  limits.callEnded();
  pass(100);
  assert.deepEqual(seen.ends, []);
});

test('a call that comes up again keeps its times', (t) => {
  const { limits, seen, pass } = fixture(t, { sessionTime: 60 });
  limits.up();
  pass(40);
  limits.up();
  pass(20);
  assert.deepEqual(seen.ends, ['sessionTime: 60 s']);
});

test('idle time begins when the call is up', (t) => {
  const { limits, seen, pass } = fixture(t, { idleTime: 20 });
  pass(100);
  limits.up();
  assert.deepEqual(seen.ends, []);
  pass(19);
  assert.deepEqual(seen.ends, []);
  pass(3);
  assert.deepEqual(seen.ends, ['idle: 20 s']);
});

test('with a long idle time data are checked for twice a minute', (t) => {
  const { limits, seen, pass } = fixture(t, { idleTime: 1000 });
  limits.up();
  pass(1);
  seen.frames += 1;
  pass(1028);
  assert.deepEqual(seen.ends, []);
  pass(31);
  assert.deepEqual(seen.ends, ['idle: 1000 s']);
});

test('the limits of the account count where they are shorter, and for its call only', (t) => {
  const { limits, seen, pass } = fixture(t, { sessionTime: 60 });
  limits.ofAccount({ sessionTime: 30, idleTime: null });
  limits.up();
  pass(30);
  assert.deepEqual(seen.ends.splice(0), ['sessionTime: 30 s']);
  limits.callEnded();
  limits.up();
  pass(60);
  assert.deepEqual(seen.ends.splice(0), ['sessionTime: 60 s']);
  for (const none of [null, 0, 90, 2_000_001]) {
    limits.callEnded();
    limits.ofAccount({ sessionTime: none, idleTime: none });
    limits.up();
    pass(60);
    assert.deepEqual(seen.ends.splice(0), ['sessionTime: 60 s'], String(none));
  }
});

test('the account may limit the idle time where the policy does not', (t) => {
  const { limits, seen, pass } = fixture(t, {});
  limits.ofAccount({ sessionTime: null, idleTime: 20 });
  limits.up();
  pass(22);
  assert.deepEqual(seen.ends, ['idle: 20 s']);
});

test('a session time that no timer can count is no limit', (t) => {
  const { limits, seen } = fixture(t, {});
  for (const [sessionTime, ends] of [
    [2_000_000, ['sessionTime: 2000000 s']],
    [2_000_001, []],
  ] as const) {
    limits.callEnded();
    limits.ofAccount({ sessionTime, idleTime: null });
    limits.up();
    t.mock.timers.tick(2_000_001_000);
    assert.deepEqual(seen.ends.splice(0), ends);
  }
});
