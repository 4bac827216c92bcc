/** A disk that a test can fill. It lies in the mount namespace of the test file (netns.ts) and disappears with it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder on a disk of 64 KiB, until the test ends. */
export function smallDisk(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-disk-'));
  run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'test', folder);
  t.after(() => {
    // Files that are still open are removed with the namespace.
    run('umount', '--lazy', folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Fills the disk with a file of this name, which can be emptied again. */
export function fill(path: string): void {
  assert.throws(() => writeFileSync(path, Buffer.alloc(1024 * 1024)), { code: 'ENOSPC' });
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
