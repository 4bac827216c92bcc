/** The accounts file on a disk: who may read it, several editors at once, and what is left when something goes wrong. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  lstatSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { tryToLock } from '../../../src/sys/file-lock.js';
import { changeFile, isAt } from '../../../src/users/locked-file.js';
import { hashOf, type User } from '../../../src/users/user.js';
import { changeUsers, UsersFileBroken, usersOf } from '../../../src/users/users-file.js';

const user = (name: string): User => ({ name, ntHash: hashOf('wonderland') });

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-users-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const namesIn = (path: string): string[] => usersOf(path, readFileSync(path, 'utf8')).map(({ name }) => name);
const add = async (path: string, name: string): Promise<void> =>
  changeUsers(path, (users) => ({ users: [...users, user(name)], result: undefined }));

test('folder and file are made, for their owner alone', async (t) => {
  const path = join(folderOf(t), 'lib', 'accounts.json');
  await add(path, 'alice');
  assert.deepEqual(namesIn(path), ['alice']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(join(path, '..')), ['accounts.json']);
});

test('many editors at once lose nothing', async (t) => {
  const path = join(folderOf(t), 'accounts.json');
  const names = Array.from({ length: 25 }, (_, index) => `user${String(index).padStart(2, '0')}`);
  await Promise.all(names.map(async (name) => add(path, name)));
  assert.deepEqual(namesIn(path).toSorted(), names);
});

test('an editor that waited for a file that was replaced meanwhile changes the new one', async (t) => {
  const path = join(folderOf(t), 'accounts.json');
  await add(path, 'alice');
  const fd = openSync(path, 'r');
  assert(tryToLock(fd));
  const waiting = add(path, 'bob');
  writeFileSync(`${path}.other`, JSON.stringify({ accounts: [user('carol')] }));
  renameSync(`${path}.other`, path);
  closeSync(fd);
  await waiting;
  assert.deepEqual(namesIn(path), ['carol', 'bob']);
});

test('a lock of a file that was replaced or removed is none', (t) => {
  const path = join(folderOf(t), 'file');
  writeFileSync(path, 'one');
  const fd = openSync(path, 'r');
  t.after(() => closeSync(fd));
  assert.equal(isAt(fd, path), true);
  writeFileSync(`${path}.new`, 'one');
  renameSync(`${path}.new`, path);
  assert.equal(isAt(fd, path), false);
  rmSync(path);
  assert.equal(isAt(fd, path), false);
});

test('an editor that never ends is reported', async (t) => {
  const path = join(folderOf(t), 'accounts.json');
  await add(path, 'alice');
  const fd = openSync(path, 'r');
  t.after(() => closeSync(fd));
  assert(tryToLock(fd));
  const change = () => ({ users: [], result: null });
  await assert.rejects(changeUsers(path, change, 0), /another process has kept it locked/);
  assert.deepEqual(namesIn(path), ['alice']);
});

test('a file with a mistake is not changed', async (t) => {
  const path = join(folderOf(t), 'accounts.json');
  writeFileSync(path, '{"accounts": [{"name": "alice"}]}');
  await assert.rejects(
    add(path, 'bob'),
    (error) => error instanceof UsersFileBroken && /:1: accounts/.test(error.message),
  );
  assert.equal(readFileSync(path, 'utf8'), '{"accounts": [{"name": "alice"}]}');
});

test('a change that fails leaves the file, and no other', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'accounts.json');
  await add(path, 'alice');
  const before = statSync(path).ino;
  await assert.rejects(
    changeUsers(path, () => {
      throw new Error('no');
    }),
    /^Error: no$/,
  );
  await assert.rejects(
    changeUsers(path, () => ({ users: [{ ...user('x'), sessions: -1 }], result: null })),
    UsersFileBroken,
  );
  assert.equal(statSync(path).ino, before);
  assert.deepEqual(readdirSync(folder), ['accounts.json']);
});

test('what an editor that was killed left behind is no hindrance', async (t) => {
  const path = join(folderOf(t), 'accounts.json');
  await add(path, 'alice');
  writeFileSync(`${path}.new`, 'half a fi');
  await add(path, 'bob');
  assert.deepEqual(namesIn(path), ['alice', 'bob']);
  assert(!existsSync(`${path}.new`));
});

test('a link stays one, and a mode stays as it was', async (t) => {
  const folder = folderOf(t);
  mkdirSync(join(folder, 'elsewhere'));
  const [path, target] = [join(folder, 'chap-secrets'), join(folder, 'elsewhere', 'file')];
  writeFileSync(target, 'one', { mode: 0o640 });
  symlinkSync(target, path);
  const change = () => ({ content: Buffer.from('two'), result: 7 });
  assert.equal(await changeFile({ path, initial: null, change }), 7);
  assert(lstatSync(path).isSymbolicLink());
  assert.equal(readFileSync(target, 'latin1'), 'two');
  assert.equal(statSync(target).mode & 0o777, 0o640);
});

test('nothing is changed where somebody else could put a link to any file of this user', async (t) => {
  const folder = folderOf(t);
  const [path, victim] = [join(folder, 'open', 'accounts.usage.json'), join(folder, 'shadow')];
  writeFileSync(victim, 'kept');
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o777);
  symlinkSync(victim, path);
  const change = () => ({ content: Buffer.from('lost'), result: null });
  await assert.rejects(changeFile({ path, initial: null, change }), /open can be changed by everybody\. Keep/);
  assert.equal(readFileSync(victim, 'utf8'), 'kept');
});
