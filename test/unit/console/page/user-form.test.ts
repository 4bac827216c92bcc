import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiUser } from '../../../../src/console/api/schemas.js';
import { bodyOf, FormError, USER_FIELDS, valueOf } from '../../../../src/console/page/model/user-form.js';
import { users } from '../../../console/generated.js';

const all = users(Date.UTC(2026, 10, 28));
const [first] = all as [ApiUser];
const alice: ApiUser = {
  ...first,
  address: '198.51.100.7',
  speed: { up: 5_000_000, down: 20_000_000 },
  quota: { octets: 5 * 2 ** 30, per: 'month', used: 0, left: 0, beginsAnew: null },
  idleTime: 1800,
  note: 'shop',
};

/** What the form sends when these fields were changed. */
function body(user: ApiUser | null, written: Readonly<Record<string, string>>): unknown {
  const texts = new Map(USER_FIELDS.map((field) => [field.name, user === null ? '' : valueOf(field, user)]));
  for (const [name, text] of Object.entries(written)) texts.set(name, text);
  return bodyOf(USER_FIELDS, (name) => texts.get(name) ?? '', user);
}

describe('the form of a user', () => {
  test('nothing changed, nothing is sent: for every user', () => {
    for (const user of [...all, alice]) assert.deepEqual(body(user, {}), {}, user.name);
  });

  test('only what was changed is sent', () => {
    assert.deepEqual(body(alice, { idleTime: '2 h', note: 'kiosk' }), { idleTime: 7200, note: 'kiosk' });
  });

  test('an emptied field is removed', () => {
    assert.deepEqual(body(alice, { address: '', note: ' ' }), { address: null, note: null });
  });

  test('an account ends on a day or some time after its first login, and one is changed for the other', () => {
    const trial: ApiUser = { ...alice, expires: '2027-01-31T10:00:00.000Z', expiresAfter: 30 * 86_400 };
    assert.deepEqual(body(null, { expiresAfter: '30 d' }), { expiresAfter: 30 * 86_400 });
    assert.deepEqual(body(trial, { expires: '2027-06-30', expiresAfter: '' }), {
      expires: '2027-06-30',
      expiresAfter: null,
    });
    assert.deepEqual(body(trial, { expiresAfter: '' }), { expiresAfter: null });
    assert.deepEqual(body({ ...trial, expiresAfter: null }, { expires: '', expiresAfter: '12 h' }), {
      expires: null,
      expiresAfter: 43_200,
    });
    assert.throws(() => body(trial, { expires: '2027-06-30' }), /empty one of the two fields/);
  });

  test('speed and quota are one value each', () => {
    assert.deepEqual(body(alice, { speedUp: '' }), { speed: { down: 20_000_000 } });
    assert.deepEqual(body(alice, { speedUp: '', speedDown: '' }), { speed: null });
    assert.deepEqual(body(alice, { quotaPer: 'day' }), { quota: { octets: 5 * 2 ** 30, per: 'day' } });
    assert.deepEqual(body(alice, { quotaOctets: '' }), { quota: null });
  });

  test('a new user has only what was written', () => {
    assert.deepEqual(body(null, { quotaPer: 'month' }), {});
    assert.deepEqual(body(null, { sessions: '2', routes: '203.0.113.0/24, 192.0.2.0/25', quotaPer: 'month' }), {
      sessions: 2,
      routes: ['203.0.113.0/24', '192.0.2.0/25'],
    });
  });

  test('what is not understood is said with the field', () => {
    assert.throws(
      () => body(alice, { expiresAfter: '0' }),
      /^Error: Expires after the first login: “0” is not understood/,
    );
    const nonsense = { speedDown: 'fast', quotaOctets: '-5G', sessions: 'two', idleTime: '8 hours', expires: 'soon' };
    for (const [name, text] of Object.entries(nonsense)) {
      const label = USER_FIELDS.find((field) => field.name === name)?.label ?? '';
      assert.throws(
        () => body(alice, { [name]: text }),
        (error) => error instanceof FormError && error.message.startsWith(`${label}: “${text}”`),
        name,
      );
    }
  });
});
