/** The worker's side of its record (see record.ts): apart, because a worker does not load zod. */
import { renameSync, writeFileSync } from 'node:fs';
import { sessionRecordPath } from './paths.js';
import type { SessionRecord } from './record.js';

/** Writes the record whole or not at all. Throws what the file system says. */
export function writeRecord(runDirectory: string, record: SessionRecord): void {
  const path = sessionRecordPath(runDirectory, record.session);
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o640 });
  renameSync(`${path}.new`, path);
}
