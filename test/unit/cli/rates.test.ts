import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratesBetween } from '../../../src/cli/rates.js';
import { aStateUp } from '../session/a-state.js';

test('rates are the growth per second between two samples', () => {
  const before = [aStateUp({ counters: { rxBytes: 1000, txBytes: 0, rxPackets: 10, txPackets: 0, rxLost: 0 } })];
  const after = [aStateUp({ counters: { rxBytes: 6000, txBytes: 500, rxPackets: 40, txPackets: 4, rxLost: 10 } })];
  const [rates] = ratesBetween({ at: 1000, sessions: before }, { at: 3000, sessions: after });
  assert.deepEqual(
    [rates?.rxBits, rates?.txBits, rates?.rxPackets, rates?.txPackets, rates?.loss],
    [20_000, 2000, 15, 2, 0.25],
  );
});

test('the busiest session is first; idle ones are sorted by age', () => {
  const idle = { since: 5, counters: { rxBytes: 9 } };
  const before = [
    aStateUp({ session: 'young0', ...idle }),
    aStateUp({ session: 'old000', ...idle, since: 1 }),
    aStateUp({ session: 'busy00', since: 7, counters: { rxBytes: 9 } }),
  ];
  const after = before.map((state) => (state.session === 'busy00' ? { ...state, counters: { rxBytes: 10 } } : state));
  const order = ratesBetween({ at: 0, sessions: before }, { at: 1000, sessions: after }).map(({ session }) => session);
  assert.deepEqual(order, ['busy00', 'old000', 'young0']);
});

test('a new session has no rates yet, and an ended one is not shown', () => {
  const gone = aStateUp({ session: 'gone00' });
  const come = aStateUp({ session: 'come00', counters: { rxBytes: 1_000_000 } });
  const rates = ratesBetween({ at: 0, sessions: [gone] }, { at: 1000, sessions: [come] });
  assert.deepEqual(
    rates.map(({ session, rxBits, loss, roundTrip }) => [session, rxBits, loss, roundTrip]),
    [['come00', 0, null, null]],
  );
});

test('a link that does not measure loss has none', () => {
  const [before, after] = [[aStateUp({ counters: { rxPackets: 10 } })], [aStateUp({ counters: { rxPackets: 40 } })]];
  const [rates] = ratesBetween({ at: 1000, sessions: before }, { at: 3000, sessions: after });
  assert.deepEqual([rates?.rxPackets, rates?.loss], [15, null]);
});

test('a second call of a session counts from 0 again, and gives no negative rate', () => {
  const before = [aStateUp({ counters: { rxBytes: 5000 } })];
  const after = [aStateUp({ counters: { rxBytes: 100 } })];
  assert.equal(ratesBetween({ at: 0, sessions: before }, { at: 1000, sessions: after })[0]?.rxBits, 800);
});
