/** At most so many of something in a second: what a client causes packet by packet must not become a flood of ours. */
import type { Clock } from './control-protocol.js';

const SECOND_MS = 1000;

export class Rate {
  readonly #limit: number;
  readonly #clock: Clock;
  #begun = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(perSecond: number, clock: Clock) {
    this.#limit = perSecond;
    this.#clock = clock;
  }

  /** Whether one more is allowed now, which then counts. */
  take(): boolean {
    if (this.#clock.now - this.#begun >= SECOND_MS) {
      this.#begun = this.#clock.now;
      this.#count = 0;
    }
    if (this.#count >= this.#limit) return false;
    this.#count++;
    return true;
  }
}
