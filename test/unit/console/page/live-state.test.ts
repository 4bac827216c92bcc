import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SessionRow, StreamEvent } from '../../../../src/console/api/schemas.js';
import { LiveState, NOTIFY_EVERY, RATE_SAMPLES } from '../../../../src/console/page/model/live-state.js';
import { sessions, status } from '../../../console/generated.js';

const NOW = Date.UTC(2026, 10, 28);
const some = sessions(3, NOW);
const [one, two] = some as [SessionRow, SessionRow, SessionRow];
const snapshot: StreamEvent = { event: 'snapshot', data: { sessions: some, unreachable: [] } };

function begin(): { live: LiveState; notices: () => number; pass: () => void; waits: number[] } {
  const waiting: (() => void)[] = [];
  const waits: number[] = [];
  const live = new LiveState((callback, milliseconds) => {
    waiting.push(callback);
    waits.push(milliseconds);
  });
  let count = 0;
  live.subscribe(() => (count += 1));
  return { live, notices: () => count, waits, pass: () => waiting.splice(0).forEach((callback) => callback()) };
}

describe('live state', () => {
  test('many events are one notification', () => {
    const { live, notices, pass, waits } = begin();
    live.apply([snapshot]);
    for (let each = 0; each < 50; each += 1) live.apply([{ event: 'session', data: { ...one, txRate: each } }]);
    assert.equal(notices(), 0);
    pass();
    assert.equal(notices(), 1);
    assert.deepEqual(waits, [NOTIFY_EVERY]);
    assert.equal(live.rows.get(one.id)?.txRate, 49);
  });

  test('rows that readers have seen are not changed under them', () => {
    const { live, pass } = begin();
    live.apply([snapshot]);
    pass();
    const seen = live.rows;
    live.apply([{ event: 'gone', data: { id: one.id } }]);
    assert.equal(seen.size, 3);
    assert.equal(live.rows.size, 2);
    assert.notEqual(live.rows, seen);
  });

  test('rates change rows and totals; a session that is not mentioned keeps its rate', () => {
    const { live } = begin();
    live.apply([snapshot, { event: 'rates', data: { [one.id]: [8000, 16_000, 10, 20] } }]);
    const { rxRate, txRate, rxBytes, txBytes } = live.rows.get(one.id) as SessionRow;
    assert.deepEqual([rxRate, txRate, rxBytes, txBytes], [8000, 16_000, 10, 20]);
    live.sample();
    live.sample();
    assert.deepEqual(live.ratesOf(one.id), [
      [8000, 16_000],
      [8000, 16_000],
    ]);
    assert.deepEqual(live.ratesOf(two.id)[0], [two.rxRate, two.txRate]);
  });

  test('the samples of a session are bounded, and go with it', () => {
    const { live } = begin();
    live.apply([snapshot]);
    for (let each = 0; each < RATE_SAMPLES + 20; each += 1) {
      live.apply([{ event: 'rates', data: { [one.id]: [each, each, 0, 0] } }]);
      live.sample();
    }
    assert.equal(live.ratesOf(one.id).length, RATE_SAMPLES);
    assert.equal(live.ratesOf(one.id).at(-1)?.[0], RATE_SAMPLES + 19);
    live.apply([{ event: 'gone', data: { id: one.id } }]);
    assert.deepEqual(live.ratesOf(one.id), []);
  });

  test('rates of a session that the page does not know are ignored', () => {
    const { live } = begin();
    live.apply([snapshot, { event: 'rates', data: { zzzzzz: [1, 2, 3, 4] } }]);
    live.sample();
    assert.deepEqual(live.ratesOf('zzzzzz'), []);
    assert.equal(live.rows.has('zzzzzz'), false);
  });

  test('a new snapshot is the whole truth', () => {
    const { live } = begin();
    live.apply([snapshot, { event: 'unreachable', data: { id: 'xxxxxx', why: 'no answer' } }]);
    live.sample();
    live.apply([{ event: 'snapshot', data: { sessions: [two], unreachable: [] } }]);
    assert.deepEqual(Array.from(live.rows.keys()), [two.id]);
    assert.equal(live.unreachable.size, 0);
    assert.deepEqual(live.ratesOf(one.id), []);
  });

  test('a session that answers again is no longer unreachable', () => {
    const { live } = begin();
    live.apply([snapshot, { event: 'unreachable', data: { id: one.id, why: 'no answer' } }]);
    assert.equal(live.unreachable.get(one.id), 'no answer');
    live.apply([{ event: 'session', data: one }]);
    assert.equal(live.unreachable.size, 0);
  });

  test('traffic is kept for an hour, happenings in a bounded number', () => {
    const { live } = begin();
    for (let each = 0; each < 500; each += 1) {
      live.apply([
        { event: 'traffic', data: { time: NOW + each * 10_000, rx: 1, tx: 2, sessions: 3 } },
        {
          event: 'happening',
          data: { time: NOW + each, event: 'up', session: one.id, user: 'a', client: 'b', address: null, detail: null },
        },
      ]);
    }
    assert.equal(live.traffic.length, 361);
    assert.equal(live.happenings.length, 100);
    assert.equal(live.happenings[0]?.time, NOW + 499);
  });

  test('status and users', () => {
    const { live } = begin();
    live.apply([
      { event: 'status', data: status(3, NOW) },
      { event: 'users', data: {} },
    ]);
    assert.equal(live.status?.host, 'vpn.example.net');
    assert.equal(live.usersVersion, 1);
  });
});
