import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessRule } from '../../../src/manager/access.js';

const cases: [title: string, allow: string[], deny: string[], address: string, allowed: boolean][] = [
  ['no rule lets everybody in', [], [], '203.0.113.9', true],
  ['a denied network is out', [], ['203.0.113.0/24'], '203.0.113.9', false],
  ['others than the denied are in', [], ['203.0.113.0/24'], '198.51.100.9', true],
  ['with an allow rule all others are out', ['192.0.2.0/24'], [], '198.51.100.9', false],
  ['an allowed network is in', ['192.0.2.0/24'], [], '192.0.2.255', true],
  ['an allowed host in a denied network is in', ['203.0.113.9'], ['203.0.113.0/24'], '203.0.113.9', true],
  ['its neighbour is out', ['203.0.113.9'], ['203.0.113.0/24'], '203.0.113.8', false],
  ['a denied host in an allowed network is out', ['192.0.2.0/24'], ['192.0.2.7'], '192.0.2.7', false],
  ['at equal length deny wins', ['192.0.2.0/24'], ['192.0.2.0/24'], '192.0.2.7', false],
  ['0.0.0.0/0 is everybody', [], ['0.0.0.0/0'], '203.0.113.9', false],
  ['high addresses compare unsigned', ['255.255.255.0/24'], [], '255.255.255.1', true],
];

for (const [title, allow, deny, address, allowed] of cases) {
  test(title, () => assert.equal(accessRule({ allow, deny })(address), allowed));
}
