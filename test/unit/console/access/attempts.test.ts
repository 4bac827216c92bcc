/** The lock-out: five failures of a name, ten from an address, a minute, doubled up to a quarter of an hour. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Attempts, type Attempt } from '../../../../src/console/access/attempts.js';

const MINUTE = 60_000;
const alice: Attempt = { name: 'alice', address: '192.0.2.1' };

function fail(attempts: Attempts, attempt: Attempt, now: number): boolean {
  if (attempts.refusedFor(attempt, now) > 0) return false;
  attempts.begin(attempt, now);
  return true;
}

test('the fifth failure locks the name for a minute, each further one for twice as long, up to a quarter of an hour', () => {
  const attempts = new Attempts();
  const from = (index: number): Attempt => ({ name: 'alice', address: `192.0.2.${index}` });
  let now = 0;
  for (let index = 1; index <= 4; index += 1) fail(attempts, from(index), now);
  assert.equal(attempts.refusedFor(from(9), now), 0);
  const locks = [1, 2, 4, 8, 15, 15];
  for (const [index, minutes] of locks.entries()) {
    assert(fail(attempts, from(10 + index), now));
    assert.equal(attempts.refusedFor(from(99), now), minutes * MINUTE);
    assert.equal(attempts.refusedFor({ name: 'bob', address: '192.0.2.99' }, now), 0);
    now += minutes * MINUTE;
    assert.equal(attempts.refusedFor(from(99), now), 0);
  }
});

test('ten failures from one address lock it for all names; tokens are counted apart', () => {
  const attempts = new Attempts();
  for (let index = 0; index < 10; index += 1) assert(fail(attempts, { name: `u${index}`, address: '192.0.2.1' }, 0));
  assert.equal(attempts.refusedFor({ name: 'new', address: '192.0.2.1' }, 0), MINUTE);
  assert.equal(attempts.refusedFor({ name: 'new', address: '192.0.2.2' }, 0), 0);
  assert.equal(attempts.refusedFor({ name: null, address: '192.0.2.1' }, 0), 0);
});

test('a success clears the name, and its address is not locked out by others who guess the name', () => {
  const attempts = new Attempts();
  for (let index = 0; index < 4; index += 1) fail(attempts, alice, 0);
  attempts.begin(alice, 0).succeeded();
  for (let index = 0; index < 4; index += 1) assert(fail(attempts, { name: 'alice', address: '192.0.2.9' }, 0));
  fail(attempts, { name: 'alice', address: '192.0.2.10' }, 0);
  assert.equal(attempts.refusedFor({ name: 'alice', address: '192.0.2.11' }, 0), MINUTE);
  assert.equal(attempts.refusedFor(alice, 0), 0);
});

test('a success does not lift the lock of another failure from the same address', () => {
  const attempts = new Attempts();
  for (let index = 0; index < 8; index += 1) fail(attempts, { name: `u${index}`, address: '192.0.2.1' }, 0);
  const own = attempts.begin({ name: 'mallory', address: '192.0.2.1' }, 0);
  fail(attempts, { name: 'u9', address: '192.0.2.1' }, 0);
  assert.equal(attempts.refusedFor(alice, 0), MINUTE);
  own.succeeded();
  assert.equal(attempts.refusedFor(alice, 0), MINUTE);
});

test('failures are forgotten after an hour', () => {
  const attempts = new Attempts();
  for (let index = 0; index < 4; index += 1) fail(attempts, alice, 0);
  fail(attempts, alice, 60 * MINUTE + 1);
  assert.equal(attempts.refusedFor(alice, 60 * MINUTE + 1), 0);
});

test('whatever is tried at the same time, no name has more than five tries before its first lock', () => {
  const attempts = new Attempts();
  const tried = Array.from({ length: 100 }, (_, index) => fail(attempts, { name: 'alice', address: `h${index}` }, 0));
  assert.equal(tried.filter(Boolean).length, 5);
});

test('whatever happens, a name is guessed at most nine times in a quarter of an hour', () => {
  const event = fc.record({
    address: fc.integer({ min: 0, max: 40 }),
    after: fc.integer({ min: 0, max: 5 * MINUTE }),
    undone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 400 }), (events) => {
      const attempts = new Attempts();
      const guesses: number[] = [];
      let now = 0;
      for (const { address, after, undone } of events) {
        now += after;
        const attempt = { name: 'alice', address: `h${address}` };
        if (attempts.refusedFor(attempt, now) > 0) continue;
        const trial = attempts.begin(attempt, now);
        if (undone) trial.takeBack();
        else guesses.push(now);
      }
      for (const start of guesses)
        assert(guesses.filter((at) => at >= start && at < start + 15 * MINUTE).length <= 5 + 4);
    }),
    { numRuns: 200 },
  );
});

test('guesses of many names do not unlock a locked one', () => {
  const attempts = new Attempts();
  for (let index = 0; index < 5; index += 1) fail(attempts, { name: 'alice', address: `h${index}` }, 0);
  for (let index = 0; index < 10_000; index += 1) fail(attempts, { name: `u${index}`, address: `a${index}` }, 1);
  assert(attempts.size <= 4096);
  assert(attempts.refusedFor({ name: 'alice', address: 'h' }, 2) > 0);
});
