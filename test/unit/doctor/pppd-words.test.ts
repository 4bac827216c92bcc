import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordLines } from '../../../src/doctor/pppd-words.js';

const cases: [title: string, text: string, lines: string[][]][] = [
  ['nothing', '', []],
  ['empty lines and comments', '\n  \n# all of it\n\t# this too', []],
  [
    'words and line ends',
    'name pptpd\nms-dns 192.0.2.1\r\n',
    [
      ['name', 'pptpd'],
      ['ms-dns', '192.0.2.1'],
    ],
  ],
  ['a comment behind words', 'mtu 1400 # why', [['mtu', '1400']]],
  ['# inside a word', 'alice * pass#word *', [['alice', '*', 'pass#word', '*']]],
  ['quotes', `"a b" '' "it's" x"y z"w`, [['a b', '', "it's", 'xy zw']]],
  ['# in quotes', '"# no comment"', [['# no comment']]],
  ['a backslash', String.raw`a\ b \# \" \\`, [['a b', '#', '"', '\\']]],
  ['an escaped line end', 'name \\\npptpd', [['name', 'pptpd']]],
  ['what is not closed ends with the text', '"a b\nc\\', [['a b\nc']]],
];

for (const [title, text, lines] of cases) {
  test(title, () => assert.deepEqual(wordLines(text), lines));
}
