import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counted } from '../../../../src/manager/metrics/counted.js';
import { aState } from '../../session/a-state.js';

const look = (counted: Counted, counters: Record<string, number> | null, session = 'abc123'): Record<string, number> =>
  Object.fromEntries(counted.steps(aState({ session, counters })));

test('each call returns the growth since the previous one', () => {
  const counted = new Counted();
  assert.deepEqual(look(counted, { rxPackets: 5, txPackets: 0 }), { rxPackets: 5 });
  assert.deepEqual(look(counted, { rxPackets: 5, txPackets: 0 }), {});
  assert.deepEqual(look(counted, { rxPackets: 9, txPackets: 2 }), { rxPackets: 4, txPackets: 2 });
});

test('each session is counted separately', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 }, 'one111');
  assert.deepEqual(look(counted, { rxPackets: 3 }, 'two222'), { rxPackets: 3 });
});

test('the second call of a session starts at 0, whatever its counters are when first seen', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 });
  assert.deepEqual(look(counted, null), {});
  assert.deepEqual(look(counted, { rxPackets: 7 }), { rxPackets: 7 });
});

test('a second call whose start was missed counts in full, and nothing decreases', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 });
  assert.deepEqual(look(counted, { rxPackets: 2 }), { rxPackets: 2 });
});

test('for a found session, only later growth is counted', () => {
  const counted = new Counted();
  counted.found('abc123');
  assert.deepEqual(look(counted, { rxPackets: 5000 }), {});
  assert.deepEqual(look(counted, { rxPackets: 5003 }), { rxPackets: 3 });
});

test('for a found session without a call, its first call is counted in full', () => {
  const counted = new Counted();
  counted.found('abc123');
  look(counted, null);
  assert.deepEqual(look(counted, { rxPackets: 4 }), { rxPackets: 4 });
});

test('a reused id is another session', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 });
  counted.forget('abc123');
  assert.deepEqual(look(counted, { rxPackets: 6 }), { rxPackets: 6 });
});
