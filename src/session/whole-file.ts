/** Replaces files of the run directory atomically, whoever reads or dies meanwhile. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces `path` by `value` as JSON, for owner and group only. Throws the system's error; then nothing has changed. */
export function writeWhole(path: string, value: unknown): void {
  const next = `${path}.new`;
  try {
    writeFileSync(next, JSON.stringify(value), { mode: 0o640 });
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

/** The same, and makes a missing directory. */
export function writeWholeInFolder(path: string, value: unknown): void {
  try {
    writeWhole(path, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    writeWhole(path, value);
  }
}
