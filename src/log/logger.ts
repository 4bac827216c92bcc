/**
 * One pino log a process: JSON lines to standard output, or, with `log.directory`, to a file of the process's own.
 */
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { LogDestination } from './destination.js';
import { Outage } from './outage.js';

export type { Logger };

export interface LogOptions {
  readonly role: 'manager' | 'ctrl' | 'broadcast';
  readonly level: string;
  /** Where the file goes; undefined: standard output. */
  readonly directory?: string | undefined;
  /** The file's name in the directory. */
  readonly file: string;
  /** The file by which all processes say once between them that the disk is full. */
  readonly outage?: string;
  /** Keys on every line: session, peer, callId. */
  readonly bindings?: Record<string, unknown>;
}

export interface ProcessLog {
  readonly log: Logger;
  /** Where its file is; null: standard output. */
  readonly file: string | null;
  /** Opens the file anew, after rotation; nothing on standard output. */
  reopen(): void;
  /** Has the file in another directory from now on; undefined: standard output. */
  moveTo(directory: string | undefined): void;
  /** Closes the file; nothing on standard output. What is logged after that is lost. */
  close(): void;
}

/** Throws what the file system says when the log file cannot be opened; a full disk is no reason to. */
export function openLog(options: LogOptions): ProcessLog {
  const { outage } = options;
  const fileIn = (directory?: string): string | null =>
    directory === undefined ? null : join(directory, options.file);
  const file = fileIn(options.directory);
  const destination = new LogDestination(file, outage === undefined ? null : new Outage(outage));
  const log = pino(
    {
      level: options.level,
      base: { role: options.role, pid: process.pid, ...options.bindings },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  destination.onResumed = (lost) => log.warn({ lost }, `the log can be written to again; lines lost: ${lost}`);
  const close = (): void => {
    log.level = 'silent';
    destination.close();
  };
  return {
    log,
    file,
    reopen: () => destination.reopen(),
    moveTo: (directory) => destination.moveTo(fileIn(directory)),
    close,
  };
}
