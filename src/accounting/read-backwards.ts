/** Reads the accounting file from its end, the newest record first, for readers that need only the last ones. */
import { type FileHandle, open } from 'node:fs/promises';
import { type AccountRecord, parseRecord } from './record.js';

const CHUNK = 64 * 1024;
const LINE_END = 0x0a;
/** A longer line is no record. */
const MAX_LINE = 1024 * 1024;

/**
 * Yields the records of `file` and then of its rotated predecessor `file.1`, each from the end. At most `octets` are read of
 * both. Missing files count as empty. Throws the system's error when a file cannot be read.
 */
export async function* recordsFromEnd(file: string, octets: number): AsyncGenerator<AccountRecord> {
  let left = octets;
  for (const path of [file, `${file}.1`]) {
    const handle = await openIfThere(path);
    if (handle === null) continue;
    try {
      for await (const { line, read } of linesFromEnd(handle, left)) {
        left -= read;
        const record = line === '' ? null : parseRecord(line);
        if (record !== null) yield record;
      }
    } finally {
      await handle.close();
    }
    if (left <= 0) return;
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** `read`: octets that were read for this line. */
async function* linesFromEnd(handle: FileHandle, most: number): AsyncGenerator<{ line: string; read: number }> {
  const { size } = await handle.stat();
  const first = Math.max(0, size - most);
  /** The end of a line whose beginning is not read yet. */
  let rest = Buffer.alloc(0);
  for (let end = size; end > first; ) {
    const begin = Math.max(first, end - CHUNK);
    const chunk = Buffer.alloc(end - begin);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, begin);
    // It was made shorter meanwhile.
    if (bytesRead < chunk.length) return;
    let read = chunk.length;
    const bytes = Buffer.concat([chunk, rest]);
    let to = bytes.length;
    for (let at = bytes.lastIndexOf(LINE_END, to - 1); at !== -1 && to > 0; ) {
      yield { line: bytes.toString('utf8', at + 1, to), read };
      read = 0;
      to = at;
      at = to === 0 ? -1 : bytes.lastIndexOf(LINE_END, to - 1);
    }
    rest = Buffer.from(bytes.subarray(0, Math.min(to, MAX_LINE)));
    end = begin;
    if (read > 0 && end > first) yield { line: '', read };
  }
  // Cut off where reading stopped before the file's beginning.
  if (first === 0 && rest.length > 0) yield { line: rest.toString('utf8'), read: 0 };
}
