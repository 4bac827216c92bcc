import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Limits } from '../../../src/ctrl/limits.js';
import type { LinkLimits } from '../../../src/link/link.js';
import { Timers } from '../../../src/ctrl/timers.js';

const ACCOUNT = { account: 'alice', sessions: null };
const NONE = { sessionTime: 0, idleTime: 0 };

/** With a clock that only the test moves, in seconds. */
function fixture(t: TestContext, policy: Partial<typeof NONE>) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const seen = { now: 0, frames: 0, ends: new Array<string>(), account: null as LinkLimits | null };
  const limits = new Limits({
    policy: { ...NONE, ...policy },
    account: () => seen.account,
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
  seen.account = { ...ACCOUNT, sessionTime: 90, idleTime: 0 };
  limits.up();
  pass(89.5);
  assert.deepEqual(seen.ends, []);
  pass(0.5);
  assert.deepEqual(seen.ends, ['sessionTime: 90 s']);
  limits.callEnded();
  seen.account = { ...ACCOUNT, sessionTime: null, idleTime: 10 };
  limits.up();
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

test('a change of session time counts from the login, and one that is over ends the session', (t) => {
  const { limits, seen, pass } = fixture(t, { sessionTime: 60 });
  limits.up();
  pass(50);
  limits.change({ sessionTime: 90 });
  pass(39.5);
  assert.deepEqual(seen.ends, []);
  assert.deepEqual(limits.account, { account: null, sessions: null, sessionTime: 90, idleTime: null });
  limits.change({ sessionTime: 80 });
  assert.deepEqual(seen.ends, ['sessionTime: 80 s']);
});

test('a change of one time leaves the other, null returns to the policy, and 0 is no limit', (t) => {
  const { limits, seen, pass } = fixture(t, { sessionTime: 60, idleTime: 10 });
  seen.account = { ...ACCOUNT, sessionTime: 1000, idleTime: 0 };
  limits.up();
  limits.change({ idleTime: 20 });
  assert.deepEqual(limits.account, { ...ACCOUNT, sessionTime: 1000, idleTime: 20 });
  pass(21);
  assert.deepEqual(seen.ends.splice(0), ['idle: 20 s']);
  limits.change({ idleTime: 0 });
  limits.change({ sessionTime: null });
  pass(60);
  assert.deepEqual(seen.ends.slice(0, 1), ['sessionTime: 60 s']);
});

test('a change before the call is up counts when it is, and only for that call', (t) => {
  const { limits, seen, pass } = fixture(t, { sessionTime: 60 });
  limits.change({ sessionTime: 10 });
  limits.up();
  pass(11);
  assert.deepEqual(seen.ends.splice(0), ['sessionTime: 10 s']);
  limits.callEnded();
  limits.up();
  pass(59);
  assert.deepEqual(seen.ends, []);
  assert.equal(limits.account, null);
});
