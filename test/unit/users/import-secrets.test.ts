import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importSecrets } from '../../../src/users/import-secrets.js';
import { bytesOf } from '../../../src/accounts/pppd-words.js';
import { hashOf } from '../../../src/users/user.js';

const imported = (text: string, known: readonly string[] = [], storePassword = false) =>
  importSecrets({ bytes: bytesOf(text), server: 'pptpd', known: new Set(known), storePassword });

const single: [line: string, account: object | RegExp][] = [
  ['alice * "a b" *', { name: 'alice', ntHash: hashOf('a b') }],
  ['alice pptpd grün 192.0.2.7 # note', { name: 'alice', ntHash: hashOf('grün'), address: '192.0.2.7' }],
  ['alice * x 192.0.2.7/32', { name: 'alice', ntHash: hashOf('x'), address: '192.0.2.7' }],
  ['* * x *', /one name/],
  ['alice * x', /one address or any/],
  ['alice * x -', /one address or any/],
  ['alice * x !192.0.2.7', /one address or any/],
  ['alice * x 192.0.2.0/24', /one address or any/],
  ['alice * x 192.0.2.7 192.0.2.8', /one address or any/],
  ['alice * x vpn.example', /one address or any/],
  ['alice * @/etc/secret *', /password is in a file/],
  ['alice * "" *', /1 to 256 characters/],
  ['jM-CM-\\<rgen * x *', /exact name cannot be told/],
  ['jürgen * x *', /exact name cannot be told/],
];

for (const [line, account] of single)
  test(line, () => {
    const { users, remarks } = imported(`\n${line}\n`);
    if (account instanceof RegExp) {
      assert.deepEqual(users, []);
      assert.equal(remarks[0]?.line, 2);
      assert.match(remarks[0]?.text ?? '', account);
      assert(!remarks[0]?.text.includes('/etc/secret'));
    } else assert.deepEqual({ users, remarks }, { users: [account], remarks: [] });
  });

test('only users of this server, each once, and none that is an account', () => {
  const text = 'alice other x *\nalice *\nbob * one *\nbob pptpd two *\ncarol * x *\n';
  const { users, remarks } = imported(text, ['carol']);
  assert.deepEqual(users, [{ name: 'bob', ntHash: hashOf('two') }]);
  assert.deepEqual(remarks, [{ line: 5, text: '"carol": not imported: there is already an account of this name' }]);
});

test('with the passwords where they are wanted', () => {
  assert.deepEqual(imported('alice * x *\n', [], true).users, [{ name: 'alice', ntHash: hashOf('x'), password: 'x' }]);
});
