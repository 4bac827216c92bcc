/**
 * Writes records to the accounting file, as every worker and the manager do at once: each record is one write to a file
 * opened for appending, so that records never mix, and is on the disk when this resolves. Opened for each record,
 * so that the file can be rotated at any time.
 */
import { constants, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AccountRecord } from './record.js';

const MODE = 0o640;
const FOLDER_MODE = 0o750;
const NEWLINE = 0x0a;

/** Rejects with what the system says; then the record may stand there half, or whole and not yet safe. */
export async function appendRecord(file: string, record: AccountRecord): Promise<void> {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
  const handle = await open(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, MODE);
  try {
    const line = Buffer.from(`${(await endsTorn(handle)) ? '\n' : ''}${JSON.stringify(record)}\n`);
    const { bytesWritten } = await handle.write(line);
    if (bytesWritten < line.length) throw new Error(`${file}: only a part of a record could be written (disk full?)`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** A full disk has cut the last line off: the next begins one of its own. */
async function endsTorn(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}
