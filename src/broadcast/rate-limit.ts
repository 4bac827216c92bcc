/**
 * How many broadcasts one side may send: each is sent again on every tunnel, so a client that floods would cost all
 * others. A token bucket for each interface.
 */

/** Packets a second, and at once. A quiet network of some hundred Windows machines stays below ten. */
export const RATE = 200;
export const BURST = 200;

export class RateLimit {
  #tokens = BURST;
  #filledAt: number;

  /** `now` in milliseconds, never going back. */
  constructor(now: number) {
    this.#filledAt = now;
  }

  /** Whether one more packet may pass. */
  take(now: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) * RATE) / 1000);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
