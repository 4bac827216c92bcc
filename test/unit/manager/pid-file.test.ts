/** The file of `pidFile`: when it is written and removed, and when it is left alone. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { removePidFile, writePidFile } from '../../../src/manager/pid-file.js';
import { LogLines } from '../ctrl/log-lines.js';

const OWN = `${process.pid}\n`;

function fixture(t: TestContext): { readonly path: string; readonly lines: LogLines } {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return { path: join(directory, 'pptpd.pid'), lines: new LogLines() };
}

test('the pid file has this process’s id, and overwrites a stale one', (t) => {
  const { path, lines } = fixture(t);
  writePidFile(path, lines.log);
  assert.equal(readFileSync(path, 'utf8'), OWN);
  writeFileSync(path, '1\n');
  writePidFile(path, lines.log);
  assert.equal(readFileSync(path, 'utf8'), OWN);
  assert.deepEqual(lines.all, []);
});

test('a pid file that root has written with this id is not written again', (t) => {
  const { path, lines } = fixture(t);
  writeFileSync(path, OWN);
  utimesSync(path, 1000, 1000);
  writePidFile(path, lines.log);
  assert.equal(statSync(path).mtimeMs, 1_000_000);
});

test('a pid file that cannot be written causes a warning that names it', (t) => {
  const { path, lines } = fixture(t);
  mkdirSync(path);
  writePidFile(path, lines.log);
  assert(lines.at('warn')[0]?.includes(`${path} (pidFile): EISDIR`));
});

test('the pid file is removed if it still has this process’s id', (t) => {
  const { path } = fixture(t);
  writeFileSync(path, OWN);
  removePidFile(path);
  assert.equal(existsSync(path), false);
  removePidFile(path);
  writeFileSync(path, '1\n');
  removePidFile(path);
  assert.equal(readFileSync(path, 'utf8'), '1\n');
});
