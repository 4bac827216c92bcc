/** Writes and removes the session's record (record.ts). A file of its own, because a worker does not load zod. */
import { existsSync, rmSync } from 'node:fs';
import { sessionRecordPath, sessionSocketPath } from './paths.js';
import type { SessionRecord } from './record.js';
import { writeWholeInFolder } from './whole-file.js';

/** Writes the record whole or not at all, and makes a missing directory. Throws the system's error. */
export function writeRecord(runDirectory: string, record: SessionRecord): void {
  writeWholeInFolder(sessionRecordPath(runDirectory, record.session), record);
}

/** Whether the record exists, valid or not. */
export const hasRecord = (runDirectory: string, id: string): boolean => existsSync(sessionRecordPath(runDirectory, id));

/**
 * Removes the files of an ended session from the run directory; missing ones are no error. The record is removed last: a
 * session without a record has left nothing to clean up.
 */
export function removeSessionFiles(runDirectory: string, id: string): void {
  rmSync(sessionSocketPath(runDirectory, id), { force: true });
  rmSync(sessionRecordPath(runDirectory, id), { force: true });
}
