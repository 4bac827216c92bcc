/** A disk that a test can fill. It lies in the namespace of the test file (netns.ts), and goes with it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder with 64 KiB of room, until the test ends. */
export function smallDisk(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-disk-'));
  run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'test', folder);
  t.after(() => {
    // What is still open there goes with the test.
    run('umount', '--lazy', folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Takes all the room there is; the file of this name can be emptied again. */
export function fill(path: string): void {
  assert.throws(() => writeFileSync(path, Buffer.alloc(1024 * 1024)), { code: 'ENOSPC' });
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
