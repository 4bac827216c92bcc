/** Checks of fields of messages between processes: each with values at and beyond its limits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type FieldCheck,
  isAddress,
  isHex,
  isListOf,
  isObject,
  isObjectOf,
  isText,
  isWhole,
  orNull,
  wrongField,
} from '../../../src/sys/message-fields.js';

const CHECKS: Readonly<Record<string, readonly [FieldCheck, right: readonly unknown[], wrong: readonly unknown[]]>> = {
  'a whole number from 1 to 3': [(value) => isWhole(value, 1, 3), [1, 3], [0, 4, 1.5, '2', Number.NaN, null]],
  'a text of at most 3 characters': [(value) => isText(value, 3), ['', 'abc'], ['abcd', 3, null]],
  'one or two octets': [(value) => isHex(value, 1, 2), ['00', 'ff0a'], ['', '0', '000', '000000', 'FF', '0g', 0]],
  'a dotted quad': [
    isAddress,
    ['0.0.0.0', '255.255.255.255', '192.0.2.1'],
    ['192.0.2.256', '192.0.2', '192.0.2.01', '192.0.2.1\n', ' 192.0.2.1', '::1', 1],
  ],
  'an object': [isObject, [{}, { length: 0 }], [null, [], 'text', undefined]],
  'a list of at most two addresses': [
    (value) => isListOf(value, 2, isAddress),
    [[], ['192.0.2.1', '192.0.2.2']],
    [['192.0.2.1', '192.0.2.2', '192.0.2.3'], ['other'], 'text', null],
  ],
  'an address or null': [orNull(isAddress), [null, '192.0.2.1'], [undefined, 0, '']],
  'an object with an address': [isObjectOf({ at: isAddress }), [{ at: '192.0.2.1', more: 1 }], [{}, [], null]],
};

for (const [what, [isRight, right, wrong]] of Object.entries(CHECKS))
  test(what, () => {
    for (const value of right) assert(isRight(value), JSON.stringify(value));
    for (const value of wrong) assert(!isRight(value), JSON.stringify(value));
  });

test('the first wrong field is named', () => {
  const check = wrongField({ one: isAddress, two: isAddress });
  assert.equal(check({ one: '192.0.2.1', two: 1 }), 'two');
  assert.equal(check({}), 'one');
  assert.equal(check({ one: '192.0.2.1', two: '192.0.2.1' }), null);
});
