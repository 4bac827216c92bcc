/** The worker's side of its record (see record.ts): apart, because a worker does not load zod. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { sessionRecordPath, sessionSocketPath } from './paths.js';
import type { SessionRecord } from './record.js';
import { writeWhole } from './whole-file.js';

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Writes the record whole or not at all; makes the directory that somebody has removed. Throws what the system says. */
export function writeRecord(runDirectory: string, record: SessionRecord): void {
  const path = sessionRecordPath(runDirectory, record.session);
  try {
    writeWhole(path, record);
  } catch (error) {
    if (!isMissing(error)) throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    writeWhole(path, record);
  }
}

/** Whether it is there, whatever it says. */
export const hasRecord = (runDirectory: string, id: string): boolean => existsSync(sessionRecordPath(runDirectory, id));

/**
 * Removes what a session that is over has in the run directory; missing files are no error. The record goes last: a
 * session without one has left nothing behind.
 */
export function removeSessionFiles(runDirectory: string, id: string): void {
  rmSync(sessionSocketPath(runDirectory, id), { force: true });
  rmSync(sessionRecordPath(runDirectory, id), { force: true });
}
