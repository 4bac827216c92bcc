import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from '../../../src/cli/table.js';

const HEADINGS = ['ID', 'USER', 'CLIENT'];
const ROW = ['abc123', 'someone with a long name', '192.0.2.7'];

test('columns are as wide as needed, and lines do not end in spaces', () => {
  assert.deepEqual(table(HEADINGS, [ROW, ['d', '', '']]).split('\n'), [
    'ID      USER                      CLIENT',
    'abc123  someone with a long name  192.0.2.7',
    'd',
  ]);
});

test('headings alone', () => assert.equal(table(HEADINGS, []), 'ID  USER  CLIENT'));

test('the widest column is cut first', () => {
  assert.equal(table(HEADINGS, [ROW], 35).split('\n')[1], 'abc123  someone with a …  192.0.2.7');
});

test('columns keep a minimum width: on a narrower terminal lines wrap', () => {
  assert.equal(table(HEADINGS, [ROW], 5).split('\n')[1], 'abc123  someone…  192.0.2…');
});

test('a character of several code points counts once and is never cut', () => {
  const character = 'e\u0301\u0323';
  assert.equal(table(['NAME'], [[character.repeat(12)]], 10).split('\n')[1], `${character.repeat(9)}…`);
});
