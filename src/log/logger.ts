/**
 * A process's log: JSON lines on standard output or, with `log.directory`, in a file. A worker has one log per session,
 * one after the other.
 */
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { LogDestination } from './destination.js';
import { Outage } from './outage.js';

export type { Logger };

type Role = 'manager' | 'ctrl' | 'broadcast' | 'monitor' | 'radius' | 'console';

export interface LogOptions {
  readonly level: string;
  /** The directory of the file; undefined: standard output. */
  readonly directory?: string | undefined;
  /** The file's name in that directory. */
  readonly file: string;
  /** The file with which all processes report a full disk only once; see Outage. */
  readonly outage?: string;
  /** Keys for every line: session, peer, callId. */
  readonly bindings?: Record<string, unknown>;
}

export interface ProcessLog {
  readonly log: Logger;
  /** The path of the log file; null: standard output. */
  readonly file: string | null;
  /** Reopens the file after rotation; has no effect on standard output. */
  reopen(): void;
  /** Writes to another directory from now on; undefined: standard output. */
  moveTo(directory: string | undefined): void;
  /** Closes the file; has no effect on standard output. Later log lines are dropped. */
  close(): void;
}

/** A process's successive logs. They share one pino instance, since creating one takes longer than opening a log. */
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

  /**
   * Opens a log; the previous one must be closed. Throws the file system's error when the log file cannot be opened,
   * unless the disk is full.
   */
  open({ directory, file: name, level, outage, bindings = {} }: LogOptions): ProcessLog {
    const fileIn = (folder?: string): string | null => (folder === undefined ? null : join(folder, name));
    const file = fileIn(directory);
    const destination = new LogDestination(file, outage === undefined ? null : new Outage(outage));
    this.#destination = destination;
    const log = this.#pino.child(bindings, { level });
    destination.onResumed = (lost) => log.warn({ lost }, `the log can be written again; lines lost: ${lost}`);
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

/** Opens the log of a process that has only one; see `ProcessLogs.open`. */
export const openLog = (role: Role, options: LogOptions): ProcessLog => new ProcessLogs(role).open(options);
