/** The worker's side of its record (see record.ts): apart, because a worker does not load zod. */
import { existsSync, rmSync } from 'node:fs';
import { sessionRecordPath, sessionSocketPath } from './paths.js';
import type { SessionRecord } from './record.js';
import { writeWholeInFolder } from './whole-file.js';

/** Writes the record whole or not at all; makes the directory that somebody has removed. Throws what the system says. */
export function writeRecord(runDirectory: string, record: SessionRecord): void {
  writeWholeInFolder(sessionRecordPath(runDirectory, record.session), record);
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
