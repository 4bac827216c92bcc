/**
 * Reads the accounting file, the one that rotation has put beside it first. Lines that are no records are passed over:
 * a full disk may have cut some off.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type AccountRecord, isSameSession, parseRecord } from './record.js';

/**
 * The records of `file.1` and `file`, in the order in which they were written; `mention`: only those whose line has this
 * text. Files that are missing have none. Throws what the system says when one cannot be read.
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

/** Whether the end of this record's session stands in the file. */
export async function hasEnd(file: string, record: AccountRecord): Promise<boolean> {
  for await (const found of readRecords(file, record.session)) {
    if (found.record === 'ended' && isSameSession(found, record)) return true;
  }
  return false;
}
