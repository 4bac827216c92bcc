/**
 * Log lines that a client causes by what it sends. Their number per interval is limited, and the others are counted, so that
 * a client that floods its control connection neither fills the disk nor costs much.
 */
import type { Logger } from '../log/logger.js';
import type { Timers } from './timers.js';

type Level = 'debug' | 'info' | 'warn';

/** Lines per interval. A login has about twenty; at level debug each Echo-Request has two. */
const LINES = 100;
const INTERVAL_SECONDS = 30;

export class PeerLog {
  readonly #log: Logger;
  readonly #timers: Timers;
  #left = LINES;
  #omitted = 0;

  constructor(log: Logger, timers: Timers) {
    this.#log = log;
    this.#timers = timers;
  }

  /** Writes a line; `text` is not called if the line is omitted or its level is disabled. */
  write(level: Level, fields: object, text: () => string): void {
    if (!this.#log.isLevelEnabled(level)) return;
    if (this.#left === LINES) this.#timers.start('peerLog', INTERVAL_SECONDS, () => this.#refill());
    if (this.#left === 0) {
      this.#omitted += 1;
      return;
    }
    this.#left -= 1;
    this.#log[level](fields, text());
  }

  /** Logs how many lines were omitted since the interval began. Call it at the session's end. */
  close(): void {
    this.#timers.stop('peerLog');
    this.#refill();
  }

  #refill(): void {
    if (this.#omitted > 0) {
      this.#log.warn(
        { count: this.#omitted },
        `${this.#omitted} log lines about the client's messages were omitted (limit: ${LINES} in ${INTERVAL_SECONDS} s)`,
      );
    }
    this.#left = LINES;
    this.#omitted = 0;
  }
}
