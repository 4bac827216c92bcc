/** When accounts end: by days, times and durations, and whatever the machine's clock does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expiryOf, hindranceOf } from '../../../src/users/expiry.js';

const at = (text: string): number => Date.parse(text);

describe('the end', () => {
  test('of an account without one', () => {
    assert.equal(expiryOf({}), null);
    assert.equal(expiryOf({ expiresAfter: 60 }), null, 'before its first login');
  });

  test('a day begins at midnight of the server', () => {
    assert.equal(expiryOf({ expires: '2027-01-31' }), new Date(2027, 0, 31).getTime());
  });

  test('a time has a zone', () => {
    assert.equal(expiryOf({ expires: '2027-01-31T18:00+01:00' }), at('2027-01-31T17:00Z'));
  });

  test('whichever comes first', () => {
    const firstLogin = '2027-01-01T00:00:00Z';
    const dates = { expires: '2027-01-31T00:00Z', firstLogin };
    assert.equal(expiryOf({ ...dates, expiresAfter: 86_400 }), at('2027-01-02T00:00Z'));
    assert.equal(expiryOf({ ...dates, expiresAfter: 31 * 86_400 }), at('2027-01-31T00:00Z'));
  });
});

describe('in force', () => {
  const expires = '2027-03-01T00:00Z';

  test('until the last millisecond, and no longer', () => {
    assert.equal(hindranceOf({ expires }, at(expires) - 1), null);
    assert.equal(hindranceOf({ expires }, at(expires)), 'expired');
  });

  test('a clock that was wrong and is set back makes it valid again', () => {
    assert.equal(hindranceOf({ expires }, at('2038-01-19T00:00Z')), 'expired');
    assert.equal(hindranceOf({ expires }, at('2027-02-28T23:59Z')), null);
  });

  test('a first login in the future, after the clock was set back, ends nothing early', () => {
    const dates = { expiresAfter: 3600, firstLogin: '2027-03-01T00:00Z' };
    assert.equal(hindranceOf(dates, at('2027-02-01T00:00Z')), null);
    assert.equal(hindranceOf(dates, at('2027-03-01T01:00Z')), 'expired');
  });

  test('not when it is disabled, whatever the date', () => {
    assert.equal(hindranceOf({ disabled: true, expires }, 0), 'disabled');
    assert.equal(hindranceOf({ disabled: false }, at(expires)), null);
  });
});
