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

test('the times of the account are those that count, for that call', (t) => {
  const { limits, seen, pass } = fixture(t, { sessionTime: 60, idleTime: 30 });
  limits.up({ sessionTime: 90, idleTime: 0 });
  pass(89.5);
  assert.deepEqual(seen.ends, []);
  pass(0.5);
  assert.deepEqual(seen.ends, ['sessionTime: 90 s']);
  limits.callEnded();
  limits.up({ sessionTime: null, idleTime: 10 });
  pass(11);
  assert.deepEqual(seen.ends.slice(1, 2), ['idle: 10 s']);
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
