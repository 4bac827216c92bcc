/**
 * Reads the accounting file, after its rotated predecessor. Lines that are not records are skipped, since a full disk
 * may have truncated some.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type AccountRecord, isSameSession, parseRecord } from './record.js';

/**
 * Yields the records of `file.1` and `file` in the order of writing; with `mention`, only those whose line contains
 * that text. Missing files count as empty. Throws the system's error when a file cannot be read.
 */
export async function* readRecords(file: string, mention = ''): AsyncGenerator<AccountRecord> {
  for (const path of [`${file}.1`, file]) {
    try {
      for await (const line of createInterface({
        input: createReadStream(path),
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        const record = line.includes(mention) ? parseRecord(line) : null;
        if (record !== null) yield record;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Whether the file has the `ended` record of this record's session. */
export async function hasEnd(file: string, record: AccountRecord): Promise<boolean> {
  for await (const found of readRecords(file, record.session)) {
    if (found.record === 'ended' && isSameSession(found, record)) return true;
  }
  return false;
}
