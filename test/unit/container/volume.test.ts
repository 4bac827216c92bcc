/** The volume of the run directory, which others may have written to before. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { closeFolder, lackOfVolume } from '../../../src/container/volume.js';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

function openFolder(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'pptpd-ts-volume-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const folder = join(parent, 'volume');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  return folder;
}

const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'only root has such a volume' };

test('it is closed to others, and a link that they left there does no harm', needsRoot, (t) => {
  const folder = openFolder(t);
  const victim = join(folder, '..', 'victim');
  writeFileSync(victim, 'kept');
  // The name of a file that was made to try the volume.
  symlinkSync(victim, join(folder, '.pptpd-ts-probe'));
  assert.deepEqual(lackOfVolume(folder), []);
  assert.equal(modeOf(folder), 0o755);
  assert.equal(readFileSync(victim, 'utf8'), 'kept');
  assert.deepEqual(readdirSync(folder), ['.pptpd-ts-probe']);
});

test('the folder of the accounts is closed to others too, if there is one', needsRoot, (t) => {
  const folder = openFolder(t);
  closeFolder(folder);
  assert.equal(modeOf(folder), 0o755);
  closeFolder(join(folder, 'missing'));
});
