import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessRule } from '../../../src/manager/access.js';

const cases: [title: string, allow: string[], deny: string[], address: string, allowed: boolean][] = [
  ['without a rule every address is allowed', [], [], '203.0.113.9', true],
  ['a denied network is refused', [], ['203.0.113.0/24'], '203.0.113.9', false],
  ['addresses outside a denied network are allowed', [], ['203.0.113.0/24'], '198.51.100.9', true],
  ['with an allow rule all other addresses are refused', ['192.0.2.0/24'], [], '198.51.100.9', false],
  ['an allowed network is allowed', ['192.0.2.0/24'], [], '192.0.2.255', true],
  ['an allowed host in a denied network is allowed', ['203.0.113.9'], ['203.0.113.0/24'], '203.0.113.9', true],
  ['the other hosts of a denied network are refused', ['203.0.113.9'], ['203.0.113.0/24'], '203.0.113.8', false],
  ['a denied host in an allowed network is refused', ['192.0.2.0/24'], ['192.0.2.7'], '192.0.2.7', false],
  ['at equal length deny wins', ['192.0.2.0/24'], ['192.0.2.0/24'], '192.0.2.7', false],
  ['0.0.0.0/0 is everybody', [], ['0.0.0.0/0'], '203.0.113.9', false],
  ['high addresses compare unsigned', ['255.255.255.0/24'], [], '255.255.255.1', true],
];

for (const [title, allow, deny, address, allowed] of cases) {
  test(title, () => assert.equal(accessRule({ allow, deny })(address), allowed));
}
