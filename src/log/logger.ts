/**
 * A process's log, a worker's for one session after the other: JSON lines to standard output, or, with `log.directory`, to a
 * file of its own.
 */
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { LogDestination } from './destination.js';
import { Outage } from './outage.js';

export type { Logger };

type Role = 'manager' | 'ctrl' | 'broadcast';

export interface LogOptions {
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

/** A process's logs, one after the other. pino is made once, since that takes longer than all of a log's opening. */
export class ProcessLogs {
  readonly #pino: Logger;
  #destination: LogDestination | undefined;

  constructor(role: Role) {
    this.#pino = pino(
      {
        base: { role, pid: process.pid },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      { write: (line) => this.#destination?.write(line) },
    );
  }

  /** The last one must be closed. Throws what the file system says when the log file cannot be opened; a full disk is no reason to. */
  open({ directory, file: name, level, outage, bindings = {} }: LogOptions): ProcessLog {
    const fileIn = (folder?: string): string | null => (folder === undefined ? null : join(folder, name));
    const file = fileIn(directory);
    const destination = new LogDestination(file, outage === undefined ? null : new Outage(outage));
    this.#destination = destination;
    const log = this.#pino.child(bindings, { level });
    destination.onResumed = (lost) => log.warn({ lost }, `the log can be written to again; lines lost: ${lost}`);
    const close = (): void => {
      log.level = 'silent';
      destination.close();
    };
    return {
      log,
      file,
      reopen: () => destination.reopen(),
      moveTo: (folder) => destination.moveTo(fileIn(folder)),
      close,
    };
  }
}

/** The log of a process that has one only; see `ProcessLogs.open`. */
export const openLog = (role: Role, options: LogOptions): ProcessLog => new ProcessLogs(role).open(options);
