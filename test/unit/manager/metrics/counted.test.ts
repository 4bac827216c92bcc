import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counted } from '../../../../src/manager/metrics/counted.js';
import { aState } from '../../session/a-state.js';

const look = (counted: Counted, counters: Record<string, number> | null, session = 'abc123'): Record<string, number> =>
  Object.fromEntries(counted.steps(aState({ session, counters })));

test('each look has what was counted since the one before', () => {
  const counted = new Counted();
  assert.deepEqual(look(counted, { rxPackets: 5, txPackets: 0 }), { rxPackets: 5 });
  assert.deepEqual(look(counted, { rxPackets: 5, txPackets: 0 }), {});
  assert.deepEqual(look(counted, { rxPackets: 9, txPackets: 2 }), { rxPackets: 4, txPackets: 2 });
});

test('sessions are told apart', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 }, 'one111');
  assert.deepEqual(look(counted, { rxPackets: 3 }, 'two222'), { rxPackets: 3 });
});

test('the second call of a session begins at 0, whatever it has counted when first seen', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 });
  assert.deepEqual(look(counted, null), {});
  assert.deepEqual(look(counted, { rxPackets: 7 }), { rxPackets: 7 });
});

test('a second call whose beginning was not seen counts for what it has, and nothing goes backwards', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 });
  assert.deepEqual(look(counted, { rxPackets: 2 }), { rxPackets: 2 });
});

test('of a session that was there before, only what it counts from now on', () => {
  const counted = new Counted();
  counted.found('abc123');
  assert.deepEqual(look(counted, { rxPackets: 5000 }), {});
  assert.deepEqual(look(counted, { rxPackets: 5003 }), { rxPackets: 3 });
});

test('of one that was there without a call, the whole of the first', () => {
  const counted = new Counted();
  counted.found('abc123');
  look(counted, null);
  assert.deepEqual(look(counted, { rxPackets: 4 }), { rxPackets: 4 });
});

test('an id that comes again is another session', () => {
  const counted = new Counted();
  look(counted, { rxPackets: 5 });
  counted.forget('abc123');
  assert.deepEqual(look(counted, { rxPackets: 6 }), { rxPackets: 6 });
});
