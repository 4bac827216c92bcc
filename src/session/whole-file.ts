/** Files of the run directory are whole or as they were before, whoever reads or dies meanwhile. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Writes `value` as JSON in place of what `path` was, for owner and group only. Throws what the system says; then nothing has changed. */
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
