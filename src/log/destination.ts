/**
 * Where a process's log lines go: standard output, or a file. Each is written at once and in order, so that a process
 * that dies has said all it said. What cannot be written is lost and counted, never kept: a full disk, or a reader that
 * went away, costs lines, no memory and no session.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Outage } from './outage.js';

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
const MODE = 0o640;
const FOLDER_MODE = 0o750;
/** How long a pipe whose reader is slow is waited for, milliseconds a line: relay and control connection wait as long. */
const PATIENCE_MS = 100;
const POLL_MS = 10;

/** What may pass, so that it is no reason to refuse a session; anything else is a mistake that a person must mend. */
const PASSING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'ENOMEM']);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

export class LogDestination {
  #path: string | null;
  readonly #outage: Outage | null;
  #fd: number | null;
  /** Lines since the last that was written. */
  #lost = 0;
  /** The last line was cut off. */
  #torn = false;
  /** Called when lines can be written again, with how many were lost. */
  onResumed: (lost: number) => void = () => undefined;

  /**
   * `path` null: standard output. `outage`: by which all processes that share the disk speak once; without it this one
   * speaks for itself. Throws what the file system says, unless it may pass.
   */
  constructor(path: string | null, outage: Outage | null) {
    this.#path = path;
    this.#outage = outage;
    this.#fd = path === null ? STANDARD_OUTPUT : null;
    const error = this.#open();
    if (error !== null && !PASSING.has(codeOf(error))) throw error;
  }

  /** One line with its end; never throws. */
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

  /** Opens the file anew, after rotation; nothing on standard output. Never throws: the next line tells. */
  reopen(): void {
    if (this.#path === null) return;
    this.close();
    this.#open();
  }

  /** Writes to `path` from now on; null: standard output. Never throws: the next line tells. */
  moveTo(path: string | null): void {
    if (path === this.#path) return;
    this.close();
    this.#path = path;
    this.#fd = path === null ? STANDARD_OUTPUT : null;
    this.#open();
  }

  /** Closes the file, until the next line; nothing on standard output. */
  close(): void {
    if (this.#path === null || this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    this.#torn = false;
  }

  /** What the file system says against it; the next line tries again. */
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
      `pptpd-ts: the log cannot be written to ${where} (${code}); sessions go on, lines are lost until it can`,
    );
  }
}

/** Tells whether anybody hears it. */
function sayOnStandardError(text: string): boolean {
  try {
    writeSync(STANDARD_ERROR, `${text}\n`);
    return true;
  } catch {
    return false;
  }
}
