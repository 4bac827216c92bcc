/**
 * Appends records to the accounting file, which manager and workers write at the same time. Each record is a single
 * write in append mode, so that records are never mixed, and is on the disk when the promise resolves. The file is
 * opened for each record, so that it can be rotated at any time.
 */
import { constants, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AccountRecord } from './record.js';

const MODE = 0o640;
const FOLDER_MODE = 0o750;
const NEWLINE = 0x0a;

/** Rejects with the system's error; the record may then have been written in part, or fully but not yet to the disk. */
export async function appendRecord(file: string, record: AccountRecord): Promise<void> {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
  const handle = await open(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, MODE);
  try {
    const line = Buffer.from(`${(await endsTorn(handle)) ? '\n' : ''}${JSON.stringify(record)}\n`);
    const { bytesWritten } = await handle.write(line);
    if (bytesWritten < line.length) throw new Error(`${file}: a record was written only in part; the disk may be full`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Whether the last line is incomplete because the disk was full; the next record must then begin a new line. */
async function endsTorn(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}
