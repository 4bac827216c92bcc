/** The worker's side of its record (see record.ts): apart, because a worker does not load zod. */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { sessionRecordPath, sessionSocketPath } from './paths.js';
import type { SessionRecord } from './record.js';
import { writeWhole } from './whole-file.js';

/** Writes the record whole or not at all; makes the directory that somebody has removed. Throws what the system says. */
export function writeRecord(runDirectory: string, record: SessionRecord): void {
  const path = sessionRecordPath(runDirectory, record.session);
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  writeWhole(path, record);
}

/**
 * Removes what a session that is over has in the run directory; missing files are no error. The record goes last: a
 * session without one has left nothing behind.
 */
export function removeSessionFiles(runDirectory: string, id: string): void {
  rmSync(sessionSocketPath(runDirectory, id), { force: true });
  rmSync(sessionRecordPath(runDirectory, id), { force: true });
}
