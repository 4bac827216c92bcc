import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUESS_RETURNS_MS, GUESSES_PER_WORKER, WorkerGuesses } from '../../../src/monitor/guesses.js';

const count = (guesses: WorkerGuesses, now: number): number => {
  let taken = 0;
  while (guesses.take(now)) taken += 1;
  return taken;
};

test('so many at once, then one after each while', () => {
  const guesses = new WorkerGuesses(0);
  assert.equal(count(guesses, 0), GUESSES_PER_WORKER);
  assert.equal(count(guesses, GUESS_RETURNS_MS - 1), 0);
  assert.equal(count(guesses, GUESS_RETURNS_MS), 1);
  assert.equal(count(guesses, 5 * GUESS_RETURNS_MS), 4);
});

test('never more than at the beginning', () => {
  const guesses = new WorkerGuesses(0);
  assert.equal(count(guesses, 1000 * GUESS_RETURNS_MS), GUESSES_PER_WORKER);
  guesses.giveBack();
  assert.equal(count(guesses, 1000 * GUESS_RETURNS_MS), 1);
});
