import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Timers } from '../../../src/ctrl/timers.js';

function fixture(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const timers = new Timers();
  const expired: string[] = [];
  return {
    timers,
    expired,
    expire: (what: string) => () => void expired.push(what),
    tick: (ms: number) => t.mock.timers.tick(ms),
  };
}

test('a timer expires once, after so many seconds and fractions of them', (t) => {
  const { timers, expired, expire, tick } = fixture(t);
  timers.start('echoReply', 1.5, expire('reply'));
  tick(1499);
  assert.deepEqual(expired, []);
  tick(1);
  tick(10_000);
  assert.deepEqual(expired, ['reply']);
});

test('a timer that is started again forgets its first end; others go on', (t) => {
  const { timers, expired, expire, tick } = fixture(t);
  timers.start('establish', 10, expire('first'));
  timers.start('idle', 12, expire('idle'));
  tick(9000);
  timers.start('establish', 10, expire('second'));
  tick(9000);
  assert.deepEqual(expired, ['idle']);
  tick(1000);
  assert.deepEqual(expired, ['idle', 'second']);
});

test('a length of 0 or less is never, and stops what has run by that name', (t) => {
  for (const never of [0, -1]) {
    const { timers, expired, expire, tick } = fixture(t);
    timers.start('idle', 1, expire('before'));
    timers.start('idle', never, expire('never'));
    tick(1_000_000);
    assert.deepEqual(expired, []);
    t.mock.timers.reset();
  }
});

test('stop is for one by its name, and for one that does not run no error', (t) => {
  const { timers, expired, expire, tick } = fixture(t);
  timers.start('idle', 1, expire('idle'));
  timers.start('publish', 1, expire('publish'));
  timers.stop('idle');
  timers.stop('peerLog');
  tick(1000);
  assert.deepEqual(expired, ['publish']);
});

test('stopAll is for all of them; one that is started behind it runs', (t) => {
  const { timers, expired, expire, tick } = fixture(t);
  timers.start('idle', 1, expire('idle'));
  timers.start('publish', 2, expire('publish'));
  timers.stopAll();
  timers.start('idle', 3, expire('again'));
  tick(3000);
  assert.deepEqual(expired, ['again']);
});

test('a timer may start itself again when it expires', (t) => {
  const { timers, expired, tick } = fixture(t);
  const again = (): void => {
    expired.push('again');
    timers.start('idle', 1, again);
  };
  timers.start('idle', 1, again);
  for (let second = 0; second < 3; second += 1) tick(1000);
  timers.stop('idle');
  tick(10_000);
  assert.equal(expired.length, 3);
});
