/** The account of a session's call for RADIUS: when records are made, and what they count. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Amounts, SavedAccount } from '../../../src/monitor/radius-account.js';
import { SessionAccount } from '../../../src/monitor/session-account.js';
import type { AccountRecord } from '../../../src/radius/protocol.js';

const SINCE = 1_700_000_000;
const ACCOUNT = {
  id: 'abc123-6553f100-7',
  name: '616c696365',
  classes: [],
  port: 0,
  client: '198.51.100.7',
  address: '203.0.113.10',
  since: SINCE,
  interim: 60,
};
const amountsOf = (octets: number): Amounts => ({
  received: { octets, packets: 1 },
  sent: { octets: 2 * octets, packets: 2 },
});

function fixture(t: TestContext, saved: SavedAccount | null = null) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const records: AccountRecord[] = [];
  const saves: (SavedAccount | null)[] = [];
  const scene = { now: SINCE, amounts: null as Amounts | null };
  const account: SessionAccount = new SessionAccount({
    saved,
    save: () => saves.push(account.value),
    add: (record) => records.push(record),
    amounts: () => scene.amounts,
    now: () => scene.now,
  });
  const pass = (seconds: number): void => {
    scene.now += seconds;
    t.mock.timers.tick(seconds * 1000);
  };
  const read = () => records.map(({ status, seconds, received, cause }) => [status, seconds, received.octets, cause]);
  t.after(() => account.close(9));
  return { account, records, saves, scene, pass, read };
}

test('starts, goes on and stops, with what went through meanwhile', (t) => {
  const { account, saves, scene, pass, read } = fixture(t);
  account.open(ACCOUNT);
  scene.amounts = amountsOf(100);
  pass(60);
  scene.amounts = amountsOf(200);
  pass(60);
  // The interface is gone: what was counted last stays.
  scene.amounts = null;
  pass(30);
  account.close(5);
  account.close(9);
  pass(60);
  assert.deepEqual(read(), [
    ['start', 0, 0, null],
    ['interim', 60, 100, null],
    ['interim', 120, 200, null],
    ['stop', 150, 200, 5],
  ]);
  assert.deepEqual(
    saves.map((saved) => saved?.amounts.received.octets),
    [0, 100, 200],
    'each is written down',
  );
  assert.equal(account.value, null);
});

test('an open one gets another address and no second start', (t) => {
  const { account, records } = fixture(t);
  account.open(ACCOUNT);
  account.open({ ...ACCOUNT, id: 'another', address: '203.0.113.11' });
  account.close(1);
  assert.deepEqual(
    records.map(({ status, id, address }) => [status, id, address]),
    [
      ['start', ACCOUNT.id, '203.0.113.10'],
      ['stop', ACCOUNT.id, '203.0.113.11'],
    ],
  );
});

test('another monitor goes on with the one that it finds written down', (t) => {
  const { account, pass, read } = fixture(t, { ...ACCOUNT, amounts: amountsOf(50) });
  pass(60);
  account.close(9);
  assert.deepEqual(read(), [
    ['interim', 60, 50, null],
    ['stop', 60, 50, 9],
  ]);
});

test('without an interval there are no interim records', (t) => {
  const { account, pass, read } = fixture(t);
  account.open({ ...ACCOUNT, interim: 0 });
  pass(600);
  account.close(1);
  assert.deepEqual(read(), [
    ['start', 0, 0, null],
    ['stop', 600, 0, 1],
  ]);
});
