import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COUNTER_WORDS } from '../../../src/admin/counter-words.js';
import { noneCounted } from '../../../src/gre/relay-counters.js';

test('every counter of a link has words, and no other', () => {
  assert.deepEqual([...COUNTER_WORDS.keys()].toSorted(), Object.keys(noneCounted()).toSorted());
});
