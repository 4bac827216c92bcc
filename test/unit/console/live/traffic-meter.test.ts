import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_CARRIED, STEP_SECONDS, TrafficMeter } from '../../../../src/console/live/traffic-meter.js';
import type { AmountsByName } from '../../../../src/host/interface-amounts.js';

const amounts = (of: Readonly<Record<string, readonly [rx: number, tx: number]>>): AmountsByName =>
  new Map(
    Object.entries(of).map(([name, [rx, tx]]) => [
      name,
      { received: { octets: rx, packets: 1 }, sent: { octets: tx, packets: 1 } },
    ]),
  );
const ALICE = new Map([['alice1', 'ppp0']]);

test('rates are bits per second between two looks, and only what changed is told', () => {
  const meter = new TrafficMeter();
  const first = meter.look(ALICE, amounts({ ppp0: [1000, 500], eth0: [9, 9] }), 0);
  assert.deepEqual([...first.keys()], ['alice1']);
  assert.deepEqual(meter.of('alice1'), { rxRate: null, txRate: null, rxBytes: 1000, txBytes: 500 });
  assert.equal(meter.look(ALICE, amounts({ ppp0: [3000, 500] }), 2000).size, 1);
  assert.deepEqual(meter.of('alice1'), { rxRate: 8000, txRate: 0, rxBytes: 3000, txBytes: 500 });
  assert.deepEqual(meter.sums, { rx: 8000, tx: 0, rxBytes: 3000, txBytes: 500 });
  assert.equal(meter.look(ALICE, amounts({ ppp0: [3000, 500] }), 4000).size, 1, 'the rate is 0 now');
  assert.equal(meter.look(ALICE, amounts({ ppp0: [3000, 500] }), 6000).size, 0);
});

test('another interface, or counters that begin anew, give no rate', () => {
  const meter = new TrafficMeter();
  meter.look(ALICE, amounts({ ppp0: [1000, 1000] }), 0);
  meter.look(new Map([['alice1', 'ppp1']]), amounts({ ppp1: [9000, 9000] }), 2000);
  assert.equal(meter.of('alice1').rxRate, null);
  meter.look(new Map([['alice1', 'ppp1']]), amounts({ ppp1: [10, 9000] }), 4000);
  assert.equal(meter.of('alice1').rxRate, null);
  meter.look(new Map(), amounts({}), 6000);
  assert.deepEqual(meter.of('alice1'), NOTHING_CARRIED);
});

test('a point sums what all tunnels carried, also those that are gone; an hour is kept', () => {
  const meter = new TrafficMeter();
  assert.equal(meter.point(0, 0, 0), null, 'nothing to compare with');
  meter.look(ALICE, amounts({ ppp0: [0, 0] }), 0);
  meter.look(ALICE, amounts({ ppp0: [5000, 2500] }), 5000);
  assert.equal(meter.point(1, 5000, 5000), null, 'too early');
  meter.look(new Map(), amounts({}), 10_000);
  assert.deepEqual(meter.point(0, 10_000, STEP_SECONDS * 1000), { time: 10_000, rx: 4000, tx: 2000, sessions: 0 });
  for (let at = 2; at < 500; at += 1) meter.point(0, at, at * STEP_SECONDS * 1000);
  assert.equal(meter.points.length, 360);
  assert.equal(meter.points.at(-1)?.time, 499);
});
