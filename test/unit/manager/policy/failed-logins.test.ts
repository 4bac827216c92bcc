import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailedLogins } from '../../../../src/manager/policy/failed-logins.js';

const LIMITS = { failedLogins: 3, failedLoginsWithin: 60, blockFor: 100 };
const [FIRST, SECOND] = ['198.51.100.1', '198.51.100.2'] as const;

/** With a clock that is set by hand, in seconds. */
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

test('the failure that is one too many blocks its address, and no other, for as long as is said', () => {
  const { logins, pass } = fixture();
  for (const address of [FIRST, FIRST, SECOND]) assert.equal(logins.failed(address), null);
  assert.equal(logins.isBlocked(FIRST), false);
  assert.deepEqual(logins.failed(FIRST), { address: FIRST, failedLogins: 3, remaining: 100 });
  assert.deepEqual([logins.isBlocked(FIRST), logins.isBlocked(SECOND)], [true, false]);
  pass(99.5);
  assert.deepEqual(logins.blocks(), [{ address: FIRST, failedLogins: 3, remaining: 0.5 }]);
  pass(0.5);
  assert.deepEqual([logins.isBlocked(FIRST), logins.blocks()], [false, []]);
  assert.equal(logins.failed(FIRST), null, 'it counts from nothing again');
});

test('failures that are too far apart do not add up', () => {
  const { logins, pass } = fixture();
  for (let time = 0; time < 10; time += 1) {
    assert.equal(logins.failed(FIRST), null);
    pass(30);
  }
});

test('a failure of who is blocked does not make it longer', () => {
  const { logins, pass } = fixture();
  for (let time = 0; time < 3; time += 1) logins.failed(FIRST);
  pass(50);
  assert.equal(logins.failed(FIRST), null);
  assert.equal(logins.blocks()[0]?.remaining, 50);
});

test('0 blocks nobody', () => {
  const { logins } = fixture({ ...LIMITS, failedLogins: 0 });
  for (let time = 0; time < 10; time += 1) assert.equal(logins.failed(FIRST), null);
  logins.restore([{ address: FIRST, failedLogins: 3, remaining: 50 }]);
  assert.deepEqual(logins.blocks(), []);
});

test('blocks are ended by hand, one or all', () => {
  const { logins } = fixture({ ...LIMITS, failedLogins: 1 });
  for (const address of [FIRST, SECOND, '198.51.100.3']) logins.failed(address);
  assert.deepEqual(logins.clear('192.0.2.99'), []);
  assert.deepEqual(logins.clear(FIRST), [FIRST]);
  assert.equal(logins.isBlocked(FIRST), false);
  assert.deepEqual(logins.clear(null), [SECOND, '198.51.100.3']);
  assert.deepEqual(logins.blocks(), []);
});

test('a new configuration shortens blocks and lengthens none; 0 ends them', () => {
  const { logins } = fixture();
  for (let time = 0; time < 3; time += 1) logins.failed(FIRST);
  logins.reconfigure({ ...LIMITS, blockFor: 1000 });
  assert.equal(logins.blocks()[0]?.remaining, 100);
  logins.reconfigure({ ...LIMITS, blockFor: 10 });
  assert.equal(logins.blocks()[0]?.remaining, 10);
  logins.reconfigure({ ...LIMITS, failedLogins: 0 });
  assert.equal(logins.isBlocked(FIRST), false);
});

test('an attack from everywhere costs bounded memory: who failed longest ago is forgotten', () => {
  const { logins } = fixture();
  for (let number = 0; number < 10_000; number += 1) logins.failed(`10.0.${number >> 8}.${number & 255}`);
  for (const address of [FIRST, FIRST]) logins.failed(address);
  assert.equal(logins.failed('10.0.0.0'), null);
  assert.equal(logins.failed('10.0.0.0'), null, 'its first failure is forgotten');
  assert.notEqual(logins.failed(FIRST), null);
});
