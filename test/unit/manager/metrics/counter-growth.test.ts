import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CounterGrowth } from '../../../../src/manager/metrics/counter-growth.js';
import { aState } from '../../session/a-state.js';

const look = (
  growth: CounterGrowth,
  counters: Record<string, number> | null,
  session = 'abc123',
): Record<string, number> => Object.fromEntries(growth.since(aState({ session, counters })));

test('each call returns the growth since the previous one', () => {
  const growth = new CounterGrowth();
  assert.deepEqual(look(growth, { rxPackets: 5, txPackets: 0 }), { rxPackets: 5 });
  assert.deepEqual(look(growth, { rxPackets: 5, txPackets: 0 }), {});
  assert.deepEqual(look(growth, { rxPackets: 9, txPackets: 2 }), { rxPackets: 4, txPackets: 2 });
});

test('each session is counted separately', () => {
  const growth = new CounterGrowth();
  look(growth, { rxPackets: 5 }, 'one111');
  assert.deepEqual(look(growth, { rxPackets: 3 }, 'two222'), { rxPackets: 3 });
});

test('the second call of a session starts at 0, whatever its counters are when first seen', () => {
  const growth = new CounterGrowth();
  look(growth, { rxPackets: 5 });
  assert.deepEqual(look(growth, null), {});
  assert.deepEqual(look(growth, { rxPackets: 7 }), { rxPackets: 7 });
});

test('a second call whose start was missed counts in full, and nothing decreases', () => {
  const growth = new CounterGrowth();
  look(growth, { rxPackets: 5 });
  assert.deepEqual(look(growth, { rxPackets: 2 }), { rxPackets: 2 });
});

test('for a found session, only later growth is counted', () => {
  const growth = new CounterGrowth();
  growth.foundRunning('abc123');
  assert.deepEqual(look(growth, { rxPackets: 5000 }), {});
  assert.deepEqual(look(growth, { rxPackets: 5003 }), { rxPackets: 3 });
});

test('for a found session without a call, its first call is counted in full', () => {
  const growth = new CounterGrowth();
  growth.foundRunning('abc123');
  look(growth, null);
  assert.deepEqual(look(growth, { rxPackets: 4 }), { rxPackets: 4 });
});

test('a reused id is another session', () => {
  const growth = new CounterGrowth();
  look(growth, { rxPackets: 5 });
  growth.forget('abc123');
  assert.deepEqual(look(growth, { rxPackets: 6 }), { rxPackets: 6 });
});
