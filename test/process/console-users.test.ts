/** `pptpd-ts console`: users and tokens in their file, passwords from standard input and the terminal only. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { spawn as spawnTerminal } from 'node-pty';
import { isConsolePassword } from '../../src/users/console-password.js';
import { readConsoleFile, tokenHash } from '../../src/users/console-users.js';

const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-console-'));
after(() => rmSync(folder, { recursive: true }));
const [CONFIGURATION, FILE] = [join(folder, 'pptpd-ts.json'), join(folder, 'state', 'console.json')];
writeFileSync(CONFIGURATION, JSON.stringify({ console: { users: FILE } }));
const PROGRAM = resolve('bin/pptpd-ts');

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly words: string;
}

function run(input: string, ...words: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(PROGRAM, ['console', ...words, '-c', CONFIGURATION], {
    input,
    encoding: 'utf8',
  });
  return { code: status, output: stdout, words: stderr };
}

function done(input: string, ...words: readonly string[]): string {
  const { code, output, words: said } = run(input, ...words);
  assert.deepEqual([code, said], [0, ''], words.join(' '));
  return output;
}

const passwordOf = (name: string): string | null =>
  readConsoleFile(FILE).users.find((user) => user.name === name)?.password ?? null;

test('users: added, listed, another role, another password, removed', async () => {
  assert.equal(
    done('correct horse\n', 'user', 'add', 'alice', '--role', 'admin'),
    `"alice" was added to ${FILE} with the role admin\n`,
  );
  assert.equal(statSync(FILE).mode & 0o777, 0o600);
  assert(!readFileSync(FILE, 'utf8').includes('correct'));
  assert(await isConsolePassword('correct horse', passwordOf('alice')));
  done('battery staple\n', 'user', 'add', 'bob');
  assert.equal(done('', 'user', 'list'), 'NAME   ROLE\nalice  admin\nbob    view\n');
  assert.deepEqual(JSON.parse(done('', 'user', 'list', '--json')), {
    users: [
      { name: 'alice', role: 'admin' },
      { name: 'bob', role: 'view' },
    ],
  });
  assert.equal(done('', 'user', 'role', 'bob', 'admin'), '"bob" has the role admin\n');
  assert.equal(done('another one\n', 'user', 'passwd', 'bob'), 'the password of "bob" was changed\n');
  assert(await isConsolePassword('another one', passwordOf('bob')));
  assert.equal(done('', 'user', 'remove', 'bob'), `"bob" was removed from ${FILE}\n`);
  assert.equal(passwordOf('bob'), null);
});

test('a token is printed once, alone on standard output', () => {
  const { code, output, words } = run('', 'token', 'add', 'monitoring');
  assert.equal(code, 0);
  assert.match(output, /^pptpd-ts-[\w-]{43}\n$/);
  assert.match(words, /it is not shown again/);
  assert.equal(readConsoleFile(FILE).tokens[0]?.sha256, tokenHash(output.trim()));
  assert(!readFileSync(FILE, 'utf8').includes(output.trim()));
  assert.match(done('', 'token', 'list'), /^NAME {8}ROLE {2}CREATED\nmonitoring {2}view {2}\d{4}-/);
  assert(!done('', 'token', 'list', '--json').includes('sha256'));
  done('', 'token', 'remove', 'monitoring');
  assert.deepEqual(readConsoleFile(FILE).tokens, []);
});

test('on a terminal the password is asked for twice and not shown', async () => {
  const terminal = spawnTerminal(PROGRAM, ['console', 'user', 'passwd', 'alice', '-c', CONFIGURATION], {});
  let shown = '';
  const ended = new Promise<number>((settle) => terminal.onExit(({ exitCode }) => settle(exitCode)));
  terminal.onData((text) => {
    shown += text;
    if (['Password of "alice": ', 'The same again: '].some((question) => shown.endsWith(question)))
      terminal.write('typed by hand\r');
  });
  assert.equal(await ended, 0, shown);
  assert(!shown.includes('typed'));
  assert(await isConsolePassword('typed by hand', passwordOf('alice')));
});

const refusals: readonly (readonly [words: readonly string[], input: string, code: number, said: RegExp])[] = [
  [['user', 'add', 'alice'], 'correct horse\n', 1, /already has the user "alice"; remedy: choose another name/],
  [['user', 'add', 'carol'], 'short\n', 1, /this password has 5 characters; allowed: 8 to 256 characters/],
  [['user', 'add', 'carol'], '', 1, /this password has 0 characters/],
  [['user', 'add', 'a b'], 'correct horse\n', 1, /this name is not allowed; allowed: 1 to 64 letters/],
  [['user', 'add', 'carol', '--role', 'root'], '', 2, /Allowed choices are view, admin/],
  [['user', 'passwd', 'nobody'], 'correct horse\n', 1, /has no user "nobody"; remedy: pptpd-ts console user list/],
  [['user', 'role', 'nobody', 'view'], '', 1, /has no user "nobody"/],
  [['user', 'remove', 'nobody'], '', 1, /has no user "nobody"/],
  [['token', 'remove', 'nobody'], '', 1, /has no token "nobody"/],
  [['token', 'add', '../x'], '', 1, /this name is not allowed/],
  [['token', 'add', 'a', 'b'], '', 2, /too many arguments/],
  [['user', 'list', '--nonsense'], '', 2, /unknown option/],
  [['user', 'add'], '', 2, /missing required argument/],
];
for (const [words, input, code, said] of refusals) {
  test(`refused: ${words.join(' ')} ${JSON.stringify(input)}`, () => {
    const before = readFileSync(FILE, 'utf8');
    const outcome = run(input, ...words);
    assert.match(outcome.words, said);
    assert.equal(outcome.code, code);
    assert.equal(readFileSync(FILE, 'utf8'), before);
  });
}

test('a broken file is reported and left as it is', () => {
  const before = readFileSync(FILE, 'utf8');
  writeFileSync(FILE, '{"users": [}');
  const { code, words } = run('correct horse\n', 'user', 'add', 'carol');
  assert.equal(code, 1);
  assert.match(words, /console\.json:1: not JSON, column 12/);
  assert.equal(readFileSync(FILE, 'utf8'), '{"users": [}');
  writeFileSync(FILE, before);
});

test('without the section it is said that the console is off', () => {
  const other = join(folder, 'other.json');
  writeFileSync(other, '{}');
  const { stderr } = spawnSync(PROGRAM, ['console', 'token', 'list', '-c', other], { encoding: 'utf8' });
  assert.match(stderr, /has no section "console": the console is off/);
});

test('users added at the same time are all there', async () => {
  const names = Array.from({ length: 4 }, (_, index) => `user${index}`);
  await Promise.all(
    names.map(async (name) => {
      const child = spawn(PROGRAM, ['console', 'user', 'add', name, '-c', CONFIGURATION], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      child.stdin.end('correct horse\n');
      assert.deepEqual(await once(child, 'close'), [0, null]);
    }),
  );
  const known = readConsoleFile(FILE).users.map(({ name }) => name);
  for (const name of names) assert(known.includes(name), name);
});
