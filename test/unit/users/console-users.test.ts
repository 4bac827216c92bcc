/** The file of the console's users: passwords as scrypt, tokens as SHA-256, mistakes with their line. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { consolePasswordFault, hashConsolePassword, isConsolePassword } from '../../../src/users/console-password.js';
import {
  changeConsoleFile,
  consoleNameFault,
  findConsoleToken,
  findConsoleUser,
  readConsoleFile,
  readConsoleText,
  tokenHash,
} from '../../../src/users/console-users.js';
import { UsersFileBroken } from '../../../src/users/users-file.js';

const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-console-'));
after(() => rmSync(folder, { recursive: true }));

test('a password is right for its own hash only, and two hashes of it differ', async () => {
  const [first, second] = [await hashConsolePassword('correct horse'), await hashConsolePassword('correct horse')];
  assert.match(first, /^\$scrypt\$ln=15,r=8,p=1\$/);
  assert.notEqual(first, second);
  assert.equal(await isConsolePassword('correct horse', first), true);
  assert.equal(await isConsolePassword('correct horse ', first), false);
  assert.equal(await isConsolePassword('', first), false);
});

test('a letter typed as one code point or two is the same', async () => {
  assert.equal(await isConsolePassword('Zu\u0308rich 1', await hashConsolePassword('Z\u00fcrich 1')), true);
});

test('no password is right for a user who does not exist, or for a hash that is none', async () => {
  for (const stored of [null, '', 'secret', `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$`, '$scrypt$ln=1,r=8,p=1$AA$AA'])
    for (const password of ['', 'secret', '\0'])
      assert.equal(await isConsolePassword(password, stored), false, String(stored));
});

test('passwords have 8 to 256 characters, names no space', () => {
  assert.equal(consolePasswordFault('12345678'), null);
  assert.match(consolePasswordFault('1234567') ?? '', /8 to 256/);
  assert.match(consolePasswordFault('x'.repeat(257)) ?? '', /8 to 256/);
  for (const name of ['a', 'alice@example.net', 'x'.repeat(64)]) assert.equal(consoleNameFault(name), null, name);
  for (const name of ['', 'a b', 'x'.repeat(65), '<b>', 'a\n', 'ä', '"'])
    assert.notEqual(consoleNameFault(name), null, name);
});

test('the file is made for root alone, and what is written is found again', async () => {
  const path = join(folder, 'new', 'console.json');
  assert.deepEqual(readConsoleFile(path), { users: [], tokens: [] });
  assert(!existsSync(path));
  const password = await hashConsolePassword('correct horse');
  const token = {
    name: 'monitoring',
    role: 'view',
    sha256: tokenHash('T'),
    created: '2026-11-28T12:00:00.000Z',
  } as const;
  await changeConsoleFile(path, (file) => ({ ...file, users: [{ name: 'alice', role: 'admin', password }] }));
  await changeConsoleFile(path, (file) => ({ ...file, tokens: [token] }));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, 'new')).mode & 0o777, 0o700);
  assert.deepEqual(findConsoleUser(path, 'alice'), { name: 'alice', role: 'admin', password });
  assert.equal(findConsoleUser(path, 'Alice'), null);
  assert.deepEqual(findConsoleToken(path, tokenHash('T')), token);
  assert.equal(findConsoleToken(path, tokenHash('t')), null);
});

test('a change that would make a wrong file, or throws, changes nothing', async () => {
  const path = join(folder, 'kept.json');
  await changeConsoleFile(path, (file) => file);
  const before = readFileSync(path, 'utf8');
  const twice = { name: 'alice', role: 'view', password: await hashConsolePassword('12345678') } as const;
  await assert.rejects(
    changeConsoleFile(path, (file) => ({ ...file, users: [twice, twice] })),
    UsersFileBroken,
  );
  await assert.rejects(
    changeConsoleFile(path, () => {
      throw new Error('no');
    }),
    /^Error: no$/,
  );
  assert.equal(readFileSync(path, 'utf8'), before);
});

test('mistakes are reported with their lines and without secrets', () => {
  const text = '{\n  "users": [\n    {"name": "a b", "role": "root", "password": "hunter22"}\n  ],\n  "token": []\n}\n';
  const read = readConsoleText(text);
  assert(!read.ok);
  assert.deepEqual(
    read.problems.map(({ line, text: problem }) => `${line}: ${problem}`),
    [
      '3: users[0].name: "a b" is not allowed; allowed: 1 to 64 letters, digits and . _ @ -',
      '3: users[0].role: "root" is not allowed; allowed: "view", "admin"',
      '3: users[0].password: "a secret" is not allowed; allowed: what `pptpd-ts console user passwd NAME` writes',
      '1: tokens: nothing is not allowed; allowed: an array, each an object with name, role, sha256, created',
      '5: token: unknown key; did you mean tokens?',
    ],
  );
  writeFileSync(join(folder, 'empty.json'), '');
  assert.throws(() => readConsoleFile(join(folder, 'empty.json')), /empty\.json:1: the file is empty/);
});
