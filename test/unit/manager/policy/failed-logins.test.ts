import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailedLogins } from '../../../../src/manager/policy/failed-logins.js';

const LIMITS = { failedLogins: 3, failedLoginsWithin: 60, blockFor: 100 };
const [FIRST, SECOND] = ['198.51.100.1', '198.51.100.2'] as const;

/** With a clock that the test sets, in seconds. */
function fixture(limits: typeof LIMITS = LIMITS): {
  readonly logins: FailedLogins;
  readonly pass: (seconds: number) => void;
} {
  let now = 5000;
  return {
    logins: new FailedLogins(limits, () => now),
    pass: (seconds) => (now += seconds * 1000),
  };
}

test('the last allowed failure blocks its address, and no other, for blockFor', () => {
  const { logins, pass } = fixture();
  for (const address of [FIRST, FIRST, SECOND]) assert.equal(logins.failed(address), null);
  assert.equal(logins.isBlocked(FIRST), false);
  assert.deepEqual(logins.failed(FIRST), { address: FIRST, failedLogins: 3, remaining: 100 });
  assert.deepEqual([logins.isBlocked(FIRST), logins.isBlocked(SECOND)], [true, false]);
  pass(99.5);
  assert.deepEqual(logins.blocks(), [{ address: FIRST, failedLogins: 3, remaining: 0.5 }]);
  pass(0.5);
  assert.deepEqual([logins.isBlocked(FIRST), logins.blocks()], [false, []]);
  assert.equal(logins.failed(FIRST), null, 'counting starts again at 0');
});

test('failures that are further apart than failedLoginsWithin are not added up', () => {
  const { logins, pass } = fixture();
  for (let time = 0; time < 10; time += 1) {
    assert.equal(logins.failed(FIRST), null);
    pass(30);
  }
});

test('a failure during a block does not extend it', () => {
  const { logins, pass } = fixture();
  for (let time = 0; time < 3; time += 1) logins.failed(FIRST);
  pass(50);
  assert.equal(logins.failed(FIRST), null);
  assert.equal(logins.blocks()[0]?.remaining, 50);
});

test('failedLogins 0 blocks nobody', () => {
  const { logins } = fixture({ ...LIMITS, failedLogins: 0 });
  for (let time = 0; time < 10; time += 1) assert.equal(logins.failed(FIRST), null);
  logins.restore([{ address: FIRST, failedLogins: 3, remaining: 50 }]);
  assert.deepEqual(logins.blocks(), []);
});

test('blocks can be cleared, one or all', () => {
  const { logins } = fixture({ ...LIMITS, failedLogins: 1 });
  for (const address of [FIRST, SECOND, '198.51.100.3']) logins.failed(address);
  assert.deepEqual(logins.clear('192.0.2.99'), []);
  assert.deepEqual(logins.clear(FIRST), [FIRST]);
  assert.equal(logins.isBlocked(FIRST), false);
  assert.deepEqual(logins.clear(null), [SECOND, '198.51.100.3']);
  assert.deepEqual(logins.blocks(), []);
});

test('a new configuration may shorten blocks but does not extend them; 0 ends them', () => {
  const { logins } = fixture();
  for (let time = 0; time < 3; time += 1) logins.failed(FIRST);
  logins.reconfigure({ ...LIMITS, blockFor: 1000 });
  assert.equal(logins.blocks()[0]?.remaining, 100);
  logins.reconfigure({ ...LIMITS, blockFor: 10 });
  assert.equal(logins.blocks()[0]?.remaining, 10);
  logins.reconfigure({ ...LIMITS, failedLogins: 0 });
  assert.equal(logins.isBlocked(FIRST), false);
});

test('the number of addresses is bounded: the oldest failures are forgotten', () => {
  const { logins } = fixture();
  for (let number = 0; number < 10_000; number += 1) logins.failed(`10.0.${number >> 8}.${number & 255}`);
  for (const address of [FIRST, FIRST]) logins.failed(address);
  assert.equal(logins.failed('10.0.0.0'), null);
  assert.equal(logins.failed('10.0.0.0'), null, 'its first failure is forgotten');
  assert.notEqual(logins.failed(FIRST), null);
});
