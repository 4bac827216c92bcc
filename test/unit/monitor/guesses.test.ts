import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Guesses, GuessTable, PER_WORKER } from '../../../src/monitor/guesses.js';

const { most, returns } = PER_WORKER;

function count(take: (now: number) => boolean, now: number): number {
  let taken = 0;
  while (take(now)) taken += 1;
  return taken;
}
const countOf = (guesses: Guesses, now: number): number => count((at) => guesses.take(at), now);

test('so many at once, then one after each while', () => {
  const guesses = new Guesses(PER_WORKER, 0);
  assert.equal(countOf(guesses, 0), most);
  assert.equal(countOf(guesses, returns - 1), 0);
  assert.equal(countOf(guesses, returns), 1);
  assert.equal(countOf(guesses, 5 * returns), 4);
});

test('never more than at the beginning', () => {
  const guesses = new Guesses(PER_WORKER, 0);
  assert.equal(countOf(guesses, 1000 * returns), most);
  guesses.giveBack();
  assert.equal(countOf(guesses, 1000 * returns), 1);
});

describe('by name', () => {
  const countFor = (table: GuessTable, name: string, now: number): number => count((at) => table.take(name, at), now);

  test('each name has its own', () => {
    const table = new GuessTable(PER_WORKER, 'key', 0);
    assert.equal(countFor(table, 'alice', 0), most);
    assert.equal(countFor(table, 'alice', returns), 1);
    assert.equal(countFor(table, 'bob', 0), most);
    table.giveBack('alice');
    assert.equal(countFor(table, 'alice', returns), 1);
  });

  test('what is left is the same after a restart', () => {
    const table = new GuessTable(PER_WORKER, 'key', 0);
    countFor(table, 'alice', 0);
    table.take('bob', 0);
    table.giveBack('bob');
    const saved = table.save(2 * returns);
    assert.deepEqual(Object.values(saved), [2]);
    const next = new GuessTable(PER_WORKER, 'key', 2 * returns, saved);
    assert.equal(countFor(next, 'alice', 2 * returns), 2);
    assert.equal(countFor(next, 'bob', 2 * returns), most);
  });

  test('a hundred thousand names neither fill memory nor give a name more', () => {
    const table = new GuessTable(PER_WORKER, 'key', 0);
    countFor(table, 'alice', 0);
    for (let number = 0; number < 100_000; number += 1) table.take(`name ${number}`, 0);
    assert.equal(countFor(table, 'alice', 0), 0);
    assert(Object.keys(table.save(0)).length <= 4096);
  });
});
