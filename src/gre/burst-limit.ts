/**
 * Bounds bursts to the client by what it has acknowledged, so that a burst does not overrun the client's socket: that
 * of pptp-linux holds about 90 long packets. It is no window: a client that does not acknowledge receives more packets
 * at a fixed rate. Pure.
 */

/** Packets that may be unacknowledged before the rate applies. */
export const MAX_UNACKNOWLEDGED = 64;
/**
 * Packets per ms beyond that: 90 Mbit/s of long packets. At 32 a client that was not running for some ms lost 5 %, as it
 * acknowledged nothing meanwhile.
 */
export const RATE = 8;
/** How much time without such packets counts, ms. */
const CREDIT = 2;
/** How long to wait for the next ones, ms. */
export const PAUSE = 1;

export class BurstLimit {
  /** The rate is used up to this time, ms. */
  #usedUntil = Number.NEGATIVE_INFINITY;

  /** How many packets may be sent now while `outstanding` are unacknowledged; `now` in ms. */
  allowance(outstanding: number, now: number): number {
    const free = Math.max(0, MAX_UNACKNOWLEDGED - outstanding);
    return free + Math.max(0, Math.floor(Math.min(now - this.#usedUntil, CREDIT) * RATE));
  }

  /** `count` packets are being sent while `outstanding` others are unacknowledged. */
  send(count: number, outstanding: number, now: number): void {
    const beyond = Math.min(count, outstanding + count - MAX_UNACKNOWLEDGED);
    if (beyond > 0) this.#usedUntil = Math.max(this.#usedUntil, now - CREDIT) + beyond / RATE;
  }
}
