/** The list of the users as the monitor makes it for the console: no reader keeps it from judging logins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRememberedList } from '../../../src/users/remembered-list.js';
import type { UserStore } from '../../../src/users/user-store.js';

/** Each list takes 100 ms. */
function fixture() {
  const clock = { now: 1000, lists: 0 };
  const change = async (): Promise<void> => undefined;
  const store: UserStore = {
    file: '/accounts.json',
    keeps: new Set(),
    endsSessions: true,
    storesHash: true,
    list: async () => {
      clock.now += 100;
      clock.lists += 1;
      return [];
    },
    add: change,
    set: change,
    setPassword: change,
    setDisabled: change,
    remove: async () => Promise.reject(new Error('there is no such user')),
    remarks: async () => [],
  };
  return { clock, store: withRememberedList(store, () => clock.now) };
}

test('whoever asks again and again gets the same list for a while', async () => {
  const { clock, store } = fixture();
  const first = await store.list();
  for (let count = 0; count < 90; count += 1) {
    assert.equal(await store.list(), first);
    clock.now += 9;
  }
  assert.equal(clock.lists, 1);
  clock.now += 90;
  await store.list();
  assert.equal(clock.lists, 2);
});

test('a change shows at once, also one that failed', async () => {
  const { clock, store } = fixture();
  await store.list();
  await store.setDisabled('alice', true);
  await store.list();
  assert.equal(clock.lists, 2);
  await assert.rejects(store.remove('alice'));
  await store.list();
  assert.equal(clock.lists, 3);
});
