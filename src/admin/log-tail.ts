/** Reads the last lines of a session's log file. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** How much of the end of the file is read: some hundred lines. */
const TAIL_BYTES = 64 * 1024;

export type LogLine = Readonly<Record<string, unknown>>;

/**
 * At most `count` lines, the oldest first. Throws the system's error if the file cannot be read, and an error if it is not
 * a regular file: its name comes from the worker, and opening a pipe would wait for ever.
 */
export function lastLines(path: string, count: number): LogLine[] {
  if (count === 0) return [];
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw new Error(`${path} is not a regular file`);
    const { size } = status;
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const length = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.toString('utf8', 0, length).split('\n');
    // The first line may be incomplete, and so may a line written to a full disk.
    return lines
      .map(parse)
      .filter((line) => line !== null)
      .slice(-count);
  } finally {
    closeSync(file);
  }
}

function parse(line: string): LogLine | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : null;
  } catch {
    return null;
  }
}

/** `10:04:07 warn  login failed: …`, with the log's time, which is UTC. */
export function logLineText({ time, level, msg }: LogLine): string {
  const clock = typeof time === 'string' ? time.slice(11, 19) : '';
  return `${clock} ${String(level).padEnd(5)} ${String(msg)}`;
}
