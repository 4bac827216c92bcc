/**
 * Log lines that a client causes by what it sends. Their number per interval is limited, and the others are counted, so that
 * a client that floods its control connection neither fills the disk nor costs much.
 */
import type { Logger } from '../log/logger.js';
import { monotonicMs } from '../sys/clock.js';
import type { Timers } from './timers.js';

type Level = 'debug' | 'info' | 'warn';

/** Lines per interval. A login has about twenty; at level debug each Echo-Request has two. */
const LINES = 100;
const INTERVAL_SECONDS = 30;

export class PeerLog {
  readonly #log: Logger;
  readonly #timers: Timers;
  readonly #now: () => number;
  #left = LINES;
  #omitted = 0;
  /** When the interval of the last line ends, by `now`. */
  #endsAt = 0;

  /** `now`: monotonic time, ms. */
  constructor(log: Logger, timers: Timers, now: () => number = monotonicMs) {
    this.#log = log;
    this.#timers = timers;
    this.#now = now;
  }

  /** Writes a line; `text` is not called if the line is omitted or its level is disabled. */
  write(level: Level, fields: object, text: () => string): void {
    if (!this.#log.isLevelEnabled(level)) return;
    const now = this.#now();
    if (now >= this.#endsAt) this.#refill();
    if (this.#left === LINES) this.#endsAt = now + INTERVAL_SECONDS * 1000;
    if (this.#left === 0) {
      this.#omit(this.#endsAt - now);
      return;
    }
    this.#left -= 1;
    this.#log[level](fields, text());
  }

  /** Only now a timer is needed: without omitted lines nothing is logged when the interval ends. */
  #omit(milliseconds: number): void {
    if (this.#omitted === 0) this.#timers.start('peerLog', milliseconds / 1000, () => this.#refill());
    this.#omitted += 1;
  }

  /** Logs how many lines were omitted since the interval began. Call it at the session's end. */
  close(): void {
    this.#refill();
  }

  #refill(): void {
    this.#timers.stop('peerLog');
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
