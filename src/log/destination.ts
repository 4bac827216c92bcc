/**
 * Writes a process's log lines to standard output or to a file, synchronously and in order, so that a process that dies
 * has logged everything. Lines that cannot be written are dropped and counted, not buffered: a full disk or a missing
 * reader costs log lines, but no memory and no session.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Outage } from './outage.js';

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
const MODE = 0o640;
const FOLDER_MODE = 0o750;
/** How long to wait for a slow reader of a pipe, ms per line. Relay and control connection wait as long. */
const PATIENCE_MS = 100;
const POLL_MS = 10;

/**
 * Errors that may be temporary and are no reason to refuse a session. Any other error must be corrected by an
 * administrator.
 */
const PASSING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'ENOMEM']);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

export class LogDestination {
  #path: string | null;
  readonly #outage: Outage | null;
  #fd: number | null;
  /** Lines dropped since the last one that was written. */
  #lost = 0;
  /** The last line was written only partly. */
  #torn = false;
  /** Called with the number of dropped lines when lines can be written again. */
  onResumed: (lost: number) => void = () => undefined;

  /**
   * `path` null: standard output. `outage`: shared by all processes that write to the same disk, so that only one
   * reports the error; null: this process reports it. Throws the file system's error unless it may be temporary.
   */
  constructor(path: string | null, outage: Outage | null) {
    this.#path = path;
    this.#outage = outage;
    this.#fd = path === null ? STANDARD_OUTPUT : null;
    const error = this.#open();
    if (error !== null && !PASSING.has(codeOf(error))) throw error;
  }

  /** Writes one line, which includes its newline; never throws. */
  write(line: string): void {
    try {
      this.#writeWhole(Buffer.from(this.#torn ? `\n${line}` : line));
    } catch (error) {
      this.#lost += 1;
      if (this.#lost === 1) this.#complain(codeOf(error));
      return;
    }
    this.#torn = false;
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#outage?.ends();
    this.onResumed(lost);
  }

  /**
   * Reopens the file after rotation; has no effect on standard output. Never throws: the next line reports the error.
   */
  reopen(): void {
    if (this.#path === null) return;
    this.close();
    this.#open();
  }

  /** Writes to `path` from now on; null: standard output. Never throws: the next line reports the error. */
  moveTo(path: string | null): void {
    if (path === this.#path) return;
    this.close();
    this.#path = path;
    this.#fd = path === null ? STANDARD_OUTPUT : null;
    this.#open();
  }

  /** Closes the file until the next line; has no effect on standard output. */
  close(): void {
    if (this.#path === null || this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    this.#torn = false;
  }

  /** Opens the file and returns the error, or null; the next line tries again. */
  #open(): unknown {
    try {
      this.#descriptor();
      return null;
    } catch (error) {
      return error;
    }
  }

  #descriptor(): number {
    if (this.#fd !== null || this.#path === null) return this.#fd ?? STANDARD_OUTPUT;
    mkdirSync(dirname(this.#path), { recursive: true, mode: FOLDER_MODE });
    this.#fd = openSync(this.#path, 'a', MODE);
    return this.#fd;
  }

  #writeWhole(bytes: Buffer): void {
    const fd = this.#descriptor();
    let patience = this.#lost === 0 ? PATIENCE_MS : 0;
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(fd, bytes, written);
        this.#torn = written < bytes.length;
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN' || patience <= 0) throw error;
        patience -= POLL_MS;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
      }
    }
  }

  #complain(code: string): void {
    if (this.#outage?.begins() === false) return;
    const where = this.#path === null ? 'standard output' : dirname(this.#path);
    sayOnStandardError(
      `pptpd-ts: cannot write the log to ${where} (${code}); sessions go on, but log lines are lost until it can be written again`,
    );
  }
}

/** Returns whether the text could be written. */
function sayOnStandardError(text: string): boolean {
  try {
    writeSync(STANDARD_ERROR, `${text}\n`);
    return true;
  } catch {
    return false;
  }
}
