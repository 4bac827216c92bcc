import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, type Oddity, textOf, wordsOf } from '../../../src/accounts/pppd-words.js';

/** The words that pppd 2.4.9 reads from each text, by lines as it counts them. */
const cases: [title: string, text: string, lines: string[][], oddities?: Oddity[]][] = [
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
  ['a comment after words', 'mtu 1400 # why', [['mtu', '1400']], ['comment']],
  [
    '# inside a word begins a comment',
    'alice * pass#word *\nbob',
    [['alice', '*', 'pass'], ['bob']],
    ['comment', 'hash'],
  ],
  ['# after quotes begins a comment', '"a"#b c', [['a']], ['comment', 'hash']],
  ['# in quotes', '"# no comment"', [['# no comment']]],
  ['quotes, also within words', `"a b" '' "it's" x"y z"w`, [['a b', '', "it's", 'xy zw']]],
  ['an apostrophe begins quotes', "o'brien * x\nd'arcy", [['obrien * x\ndarcy']], ['manyLines']],
  ['escaped special characters', String.raw`a\ b \# \" \\ \'`, [['a b', '#', '"', '\\', "'"]]],
  ['letters after a backslash', String.raw`CORP\user \s \t\n`, [['CORPuser', ' ', '\t\n']], ['escape']],
  ['a backspace', String.raw`CORP\bob`, [['CORP\bob']], ['escape']],
  ['numbers after a backslash', String.raw`\x41\101\1018 \x4g`, [['AAA8', '\u0004g']], ['escape']],
  ['a backslash in quotes', String.raw`"CORP\user"`, [['CORPuser']], ['escape']],
  ['a null byte ends a word', String.raw`CORP\xyz next`, [['CORP', 'next']], ['escape']],
  ['a joined line', 'name \\\npptpd', [['name', 'pptpd']]],
  ['a joined line within a word', 'a pw\\\nbob *', [['a', 'pwbob', '*']], ['joined']],
  ['a backslash that ends a comment joins nothing', '# a\\\nb', [['b']]],
  ['blanks before a word, and a joined blank line', ' a\\\n\nb', [['a'], ['b']], ['joined']],
  ['CR and form feed separate, NBSP does not', 'a\rb\fc\u00a0d', [['a', 'b', 'c\u00a0d']]],
  ['a byte order mark is part of the first word', '\ufeffalice *', [['\ufeffalice', '*']]],
  ['quotes that are not closed end with the text', '"a b\nc\\', [['a b\nc']], ['manyLines']],
  ['an empty word at the end of the text is ignored', 'a pptpd ""', [['a', 'pptpd']]],
  ['an empty word before a line end counts', 'a pptpd ""\n', [['a', 'pptpd', '']]],
  ['only 1,023 bytes of a word', `${'a'.repeat(2000)} b`, [['a'.repeat(1023), 'b']], ['tooLong']],
];

for (const [title, text, lines, oddities = []] of cases) {
  test(title, () => {
    const words = wordsOf(text);
    const found: string[][] = [];
    for (const { bytes, isFirst } of words) {
      if (isFirst) found.push([]);
      found.at(-1)?.push(textOf(bytes));
    }
    assert.deepEqual(found, lines);
    assert.deepEqual([...new Set(words.flatMap((word) => [...word.oddities]))].toSorted(), oddities);
  });
}

test('a word has its lines, its text and its oddities', () => {
  const [, word] = wordsOf('first\n"two\nlines" x');
  assert.deepEqual(
    { ...word, oddities: [...(word?.oddities ?? [])] },
    {
      bytes: 'two\nlines',
      raw: '"two\nlines"',
      at: 6,
      line: 2,
      lastLine: 3,
      isFirst: true,
      oddities: ['manyLines'],
    },
  );
});

test('words are bytes, as pppd compares them', () => {
  assert.deepEqual(
    wordsOf('müller').map(({ bytes }) => bytes),
    ['m\u00c3\u00bcller'],
  );
  assert.equal(wordsOf('m\\303\\274ller')[0]?.bytes, bytesOf('müller'));
});
