import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressNumber, addressText } from '../../../src/config/addresses.js';
import { wordsOf } from '../../../src/accounts/pppd-words.js';
import {
  addressGiven,
  allowsAny,
  entriesOf,
  entryFor,
  isPermitted,
  rulesOf,
  visible,
} from '../../../src/accounts/chap-secrets.js';

const numberOf = (text: string): number => addressNumber(text) ?? assert.fail(text);

/** The address of a client whose lease is 198.51.100.11. Each row was tried with pppd 2.4.9. */
const addresses: [words: string, given: string | null | undefined, any: boolean][] = [
  ['', null, false],
  ['*', '198.51.100.11', true],
  ['"*"', '198.51.100.11', true],
  ['-', null, false],
  ['198.51.100.77', '198.51.100.77', true],
  ['198.51.100.77/32', '198.51.100.77', true],
  ['198.51.100.77 198.51.100.78', '198.51.100.77', true],
  ['198.51.100.77 -', '198.51.100.77', true],
  ['- *', null, false],
  ['198.51.100.0/24', '198.51.100.11', true],
  ['10.0.0.0/8', null, true],
  ['!198.51.100.11 *', null, true],
  ['!198.51.100.12', null, false],
  ['!198.51.100.77 198.51.100.77', null, true],
  ['!198.51.100.12 198.51.100.0/24', '198.51.100.11', true],
  ['0.0.0.0/0', null, true],
  ['198.51.100.11/33 198.51.100.11/32x 198.51.100.12/32', '198.51.100.12', true],
  // inet_aton(3): octal, and fewer numbers than four.
  ['198.51.100.011', '198.51.100.9', true],
  ['198.51.100', '198.51.0.100', true],
  ['127.0.0.1', null, true],
  ['nosuchhost', undefined, true],
  ['198.51.100.0/24+', undefined, true],
  ['*bob *', '198.51.100.11', true],
];
for (const [words, given, any] of addresses) {
  test(`addresses "${words}": ${given === undefined ? 'only pppd can tell' : (given ?? 'none')}`, () => {
    const list = wordsOf(words);
    const seen = addressGiven(rulesOf(list), numberOf('198.51.100.11'));
    assert.equal(typeof seen === 'number' ? addressText(seen) : seen, given);
    assert.equal(allowsAny(list), any);
  });
}

test('without a lease pppd gives the fixed address of the line, or none', () => {
  const given = (words: string): number | null | undefined => addressGiven(rulesOf(wordsOf(words)), null);
  assert.equal(given('198.51.100.77'), numberOf('198.51.100.77'));
  assert.equal(given('*'), null);
});

test('a reserved address is never permitted', () => {
  const all = rulesOf(wordsOf('*'));
  assert.deepEqual(
    ['127.0.0.2', '224.0.0.1', '240.0.0.1', '192.0.2.1'].map((each) => isPermitted(all, numberOf(each))),
    [false, false, false, true],
  );
});

test('columns, addresses and options of an entry', () => {
  const [entry, half] = entriesOf('alice pptpd "a b" 192.0.2.1 * -- mtu 1300\nbob pptpd\n');
  assert.equal(entry?.secret?.bytes, 'a b');
  assert.deepEqual(
    entry.addresses.map(({ bytes }) => bytes),
    ['192.0.2.1', '*'],
  );
  assert.equal(half?.server?.bytes, 'pptpd');
  assert.equal(half.secret, null);
});

const FILE = `alice other x *
* * any *
alice * star *
alice pptpd here *
alice pptpd again *
* pptpd mine *
bob pptpd
CORP\\\\carol pptpd x *
mM-CM-<ller pptpd x *
dave pptpd @/missing *
`;
const entries: [client: string | null, line: number | null][] = [
  ['alice', 4],
  ['ALICE', 6],
  ['bob', 6],
  ['CORP\\carol', 8],
  ['müller', 9],
  ['dave', 6],
  [null, 4],
];
for (const [client, line] of entries) {
  test(`the line for ${client ?? 'any client'}: ${line}`, () =>
    assert.equal(entryFor(entriesOf(FILE), client, 'pptpd', () => false)?.client.line, line));
}

test('no line applies', () => assert.equal(entryFor(entriesOf('alice other x *'), 'alice', 'pptpd'), null));

test('names as pppd compares them', () => {
  assert.equal(visible('a\u0008\u007f\u00c3\u00bc\t'), 'a^H^?M-CM-<\t');
});
