/** A run directory of root's becomes the user's, and no other folder. */
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { handOver } from '../../../src/manager/hand-over.js';

const USER = { uid: 61_723, gid: 61_723 };
const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'only root can give files away' };

function runDirectory(t: TestContext): { readonly path: string; readonly owner: (name: string) => number } {
  const path = mkdtempSync(join(tmpdir(), 'pptpd-ts-run-'));
  t.after(() => rmSync(path, { recursive: true }));
  chmodSync(path, 0o755);
  mkdirSync(join(path, 'sessions'));
  writeFileSync(join(path, 'manager.pid'), '1');
  writeFileSync(join(path, 'blocks.json.new'), '{}');
  symlinkSync('/etc/passwd', join(path, 'sessions', 'abc123.json'));
  return { path, owner: (name) => lstatSync(join(path, name)).uid };
}

test('everything in it, and what a link names stays', needsRoot, (t) => {
  const { path, owner } = runDirectory(t);
  handOver(path, USER);
  for (const name of ['', 'sessions', 'manager.pid', 'blocks.json.new', 'sessions/abc123.json'])
    assert.equal(owner(name), USER.uid, name);
  assert.equal(lstatSync('/etc/passwd').uid, 0);
});

test('not a folder that others use too', needsRoot, (t) => {
  const { path, owner } = runDirectory(t);
  mkdirSync(join(path, 'systemd'));
  assert.throws(() => handOver(path, USER), /files that are not the server's \(systemd\); remedy: set runDirectory/);
  for (const name of ['', 'sessions', 'manager.pid', 'systemd']) assert.equal(owner(name), 0, name);
});

test('not a folder that others could write to', needsRoot, (t) => {
  const { path, owner } = runDirectory(t);
  chmodSync(path, 0o777);
  handOver(path, USER);
  assert.equal(owner('sessions'), 0);
});
