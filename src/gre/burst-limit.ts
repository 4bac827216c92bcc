/**
 * Bounds bursts to the client by what it has acknowledged, so that a burst does not overrun the client's socket. It is no
 * window: a client that does not acknowledge receives more packets at a fixed rate. The longer the window that the client
 * announces (RFC 2637 §2.7), the longer the bursts. pptp-linux, whose socket holds about 90 long packets, announces 3. Windows
 * announces 64; the kernel of such a client takes what comes, and acknowledges with its own data, as seldom as every 50th
 * packet. Pure.
 */

/** For a client with a short window: packets that may be unacknowledged before the rate applies. */
export const MAX_UNACKNOWLEDGED = 64;
/**
 * For the same client, packets per ms beyond that: 90 Mbit/s of long packets. At 32 one that was not running for some ms lost
 * 5 %, as it acknowledged nothing meanwhile.
 */
export const RATE = 8;
/** Both are multiplied by a sixteenth of the window, from 1 to this. */
const MOST_TIMES = 4;
const WINDOW_FOR_ONE = 16;
/** How much time without such packets counts, ms. */
const CREDIT = 2;
/** How long to wait for the next ones, ms. */
export const PAUSE = 1;

export class BurstLimit {
  readonly #unacknowledged: number;
  readonly #rate: number;
  /** The rate is used up to this time, ms. */
  #usedUntil = Number.NEGATIVE_INFINITY;

  /** `peerWindow`: the client's receive window, packets. */
  constructor(peerWindow: number) {
    const times = Math.min(Math.max(peerWindow / WINDOW_FOR_ONE, 1), MOST_TIMES);
    this.#unacknowledged = Math.floor(MAX_UNACKNOWLEDGED * times);
    this.#rate = RATE * times;
  }

  /** How many packets may be sent now while `outstanding` are unacknowledged; `now` in ms. */
  allowance(outstanding: number, now: number): number {
    const free = Math.max(0, this.#unacknowledged - outstanding);
    return free + Math.max(0, Math.floor(Math.min(now - this.#usedUntil, CREDIT) * this.#rate));
  }

  /** `count` packets are being sent while `outstanding` others are unacknowledged. */
  send(count: number, outstanding: number, now: number): void {
    const beyond = Math.min(count, outstanding + count - this.#unacknowledged);
    if (beyond > 0) this.#usedUntil = Math.max(this.#usedUntil, now - CREDIT) + beyond / this.#rate;
  }
}
