/** Log lines that a disk or a reader does not accept. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LogDestination } from '../../../src/log/destination.js';
import { Outage } from '../../../src/log/outage.js';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('lines go to the file at once; after reopen a renamed file no longer changes', (t) => {
  const file = join(folder(t), 'log', 'manager.log');
  const destination = new LogDestination(file, null);
  destination.write('one\n');
  assert.equal(readFileSync(file, 'utf8'), 'one\n');
  renameSync(file, `${file}.1`);
  destination.reopen();
  assert(existsSync(file));
  destination.write('two\n');
  assert.deepEqual([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')], ['one\n', 'two\n']);
});

test('a full disk: lines are lost and counted, and the count is reported when lines can be written again', (t) => {
  const directory = folder(t);
  const file = join(directory, 'manager.log');
  symlinkSync('/dev/full', file);
  const outage = new Outage(join(directory, 'outage'));
  // Another process has reported it, so nothing is written to this test's standard error.
  assert(outage.begins());
  const destination = new LogDestination(file, outage);
  const resumed: number[] = [];
  destination.onResumed = (lost) => resumed.push(lost);
  for (const line of ['one\n', 'two\n', 'three\n']) destination.write(line);
  unlinkSync(file);
  destination.reopen();
  destination.write('four\n');
  destination.write('five\n');
  assert.equal(readFileSync(file, 'utf8'), 'four\nfive\n');
  assert.deepEqual(resumed, [3]);
  assert(outage.begins(), 'the outage is over');
});

test('reopen never throws, since a log error must not end a session', (t) => {
  const directory = folder(t);
  const file = join(directory, 'log', 'manager.log');
  const outage = new Outage(join(directory, 'outage'));
  assert(outage.begins());
  const destination = new LogDestination(file, outage);
  rmSync(join(directory, 'log'), { recursive: true });
  symlinkSync('/dev/null', join(directory, 'log'));
  destination.reopen();
  destination.write('lost\n');
  unlinkSync(join(directory, 'log'));
  destination.write('one\n');
  assert.equal(readFileSync(file, 'utf8'), 'one\n');
});

test('a folder that cannot be created is reported at once', (t) => {
  const file = join(folder(t), 'file');
  new LogDestination(file, null).write('\n');
  assert.throws(() => new LogDestination(join(file, 'manager.log'), null), { code: 'EEXIST' });
});

test('only the first process reports an outage, and again after hours or after its end', (t) => {
  const path = join(folder(t), 'outage');
  const [first, second] = [new Outage(path), new Outage(path)];
  assert.deepEqual([first.begins(), second.begins(), first.begins()], [true, false, false]);
  assert.deepEqual([second.ends(), first.ends()], [true, false]);
  assert(second.begins());
  const longAgo = Date.now() / 1000 - 7200;
  utimesSync(path, longAgo, longAgo);
  assert.deepEqual([first.begins(), second.begins()], [true, false]);
  assert(new Outage(join(path, 'no', 'such', 'folder')).begins());
});
