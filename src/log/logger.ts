/**
 * One pino log a process: JSON lines to standard output, or, with `log.directory`, to a file of the process's own.
 * Lines are written at once and in order, so that a process that dies has said all it said.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';

export type { Logger };

export interface LogOptions {
  readonly role: 'manager' | 'ctrl' | 'broadcast';
  readonly level: string;
  /** Where the file goes; undefined: standard output. */
  readonly directory?: string | undefined;
  /** The file's name in the directory. */
  readonly file: string;
  /** Keys on every line: session, peer, callId. */
  readonly bindings?: Record<string, unknown>;
}

export interface ProcessLog {
  readonly log: Logger;
  /** Opens the file anew, after rotation; nothing on standard output. */
  reopen(): void;
  /** Closes the file; nothing on standard output. What is logged after that is lost. */
  close(): void;
}

/** Throws what the file system says when the log file cannot be opened. */
export function openLog(options: LogOptions): ProcessLog {
  const { directory } = options;
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o750 });
  const destination = pino.destination({
    dest: directory === undefined ? 1 : join(directory, options.file),
    sync: true,
  });
  // A full disk or a reader that went away must not end a session: the line is lost, the session is not.
  destination.on('error', () => undefined);
  const log = pino(
    {
      level: options.level,
      base: { role: options.role, pid: process.pid, ...options.bindings },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  if (directory === undefined) return { log, reopen: () => undefined, close: () => undefined };
  const close = (): void => {
    log.level = 'silent';
    destination.end();
  };
  return { log, reopen: () => destination.reopen(), close };
}
