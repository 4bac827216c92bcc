/**
 * Limits the broadcasts of each interface with a token bucket. Every broadcast is sent on every tunnel, so a client
 * that floods would harm all others.
 */

/** Packets per second, and per burst. A quiet network of some hundred Windows machines stays below ten per second. */
export const RATE = 200;
export const BURST = 200;

export class RateLimit {
  #tokens = BURST;
  #filledAt: number;

  /** `now` in ms of a monotonic clock. */
  constructor(now: number) {
    this.#filledAt = now;
  }

  take(now: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) * RATE) / 1000);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
