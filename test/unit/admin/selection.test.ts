import assert from 'node:assert/strict';
import type { BlockList } from 'node:net';
import { test } from 'node:test';
import { addressesIn, isSelected, type Selection } from '../../../src/admin/selection.js';

/** Of an address or network that is right. */
function addresses(text: string): BlockList {
  const list = addressesIn(text);
  assert.ok(list !== null);
  return list;
}

const alice = { user: 'alice', client: '192.0.2.7', address: '203.0.113.10' };
const nobody = { user: null, client: '198.51.100.9', address: null };

const cases: readonly (readonly [what: string, selection: Selection, alice: boolean, nobody: boolean])[] = [
  ['no option', {}, true, true],
  ['the user’s name', { user: 'alice' }, true, false],
  ['another user’s name', { user: 'bob' }, false, false],
  ['the client’s address', { client: addresses('192.0.2.7') }, true, false],
  ['a network', { client: addresses('198.51.100.0/24') }, false, true],
  ['every network', { client: addresses('0.0.0.0/0') }, true, true],
  ['the tunnel’s network', { address: addresses('203.0.113.8/30') }, true, false],
  ['every tunnel address', { address: addresses('0.0.0.0/0') }, true, false],
  ['two options of which only one matches', { user: 'alice', client: addresses('192.0.2.8') }, false, false],
];

for (const [what, selection, isAlice, isNobody] of cases) {
  test(`selected by ${what}`, () => {
    assert.deepEqual([isSelected(selection, alice), isSelected(selection, nobody)], [isAlice, isNobody]);
  });
}

for (const text of ['', '192.0.2', '192.0.2.7/33', '192.0.2.7/x', '192.0.2.7/24/1', '2001:db8::1', 'alice']) {
  test(`'${text}' is not an address or network`, () => {
    assert.equal(addressesIn(text), null);
  });
}
