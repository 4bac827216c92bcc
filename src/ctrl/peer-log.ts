/**
 * Log lines that a client causes by what it sends: so many in an interval, the rest is counted and told in one line.
 * A client that floods its control connection fills no disk, and costs little.
 */
import type { Logger } from '../log/logger.js';
import type { Timers } from './timers.js';

type Level = 'debug' | 'info' | 'warn';

/** A login is some twenty lines; a session at level debug has two for each Echo-Request. */
const LINES = 100;
/** For so long LINES have to do; then what was left out is told. */
const INTERVAL_SECONDS = 30;

export class PeerLog {
  readonly #log: Logger;
  readonly #timers: Timers;
  #left = LINES;
  #leftOut = 0;

  constructor(log: Logger, timers: Timers) {
    this.#log = log;
    this.#timers = timers;
  }

  /** Writes a line; `text` is not asked for when the line is left out, or its level is. */
  write(level: Level, fields: object, text: () => string): void {
    if (!this.#log.isLevelEnabled(level)) return;
    if (this.#left === LINES) this.#timers.start('peerLog', INTERVAL_SECONDS, () => this.#refill());
    if (this.#left === 0) {
      this.#leftOut += 1;
      return;
    }
    this.#left -= 1;
    this.#log[level](fields, text());
  }

  /** Tells what was left out and not yet told; at the session's end. */
  close(): void {
    this.#timers.stop('peerLog');
    this.#refill();
  }

  #refill(): void {
    if (this.#leftOut > 0) {
      this.#log.warn(
        { count: this.#leftOut },
        `${this.#leftOut} more lines about what the client has sent were left out (${LINES} in ${INTERVAL_SECONDS} s are not)`,
      );
    }
    this.#left = LINES;
    this.#leftOut = 0;
  }
}
