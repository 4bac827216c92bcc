/**
 * How long to wait for a missing packet (RFC 2637 §4.3 leaves it to the receiver), learned from earlier gaps. Waiting
 * delays all later packets, which is useless on a path that loses packets but does not reorder them.
 *
 * The wait starts at its maximum. After several gaps in a row that were never filled, it becomes a multiple of the
 * observed lateness. A packet that arrives after it was given up restores the maximum.
 */

/** The maximum wait, which is also the initial one, ms. */
export const MAX_WAIT = 300;
/**
 * The minimum wait, ms: parallel network paths seldom differ by more, and it is less than the gap between voice
 * packets.
 */
export const SHORTEST_WAIT = 20;
/** How many gaps in a row must remain unfilled before the wait becomes shorter than the maximum. */
export const LOSSES_TO_LEARN = 4;
/** The wait is this many times the greatest recent lateness. */
const MARGIN = 4;
/** Factor by which each lost packet reduces the remembered lateness. */
const FADING = 7 / 8;

export class ReorderWait {
  #losses = 0;
  #lateness = 0;

  /** How long to wait for a missing packet, ms: SHORTEST_WAIT to MAX_WAIT. */
  get time(): number {
    if (this.#losses < LOSSES_TO_LEARN) return MAX_WAIT;
    return Math.min(MAX_WAIT, Math.max(SHORTEST_WAIT, MARGIN * this.#lateness));
  }

  /** A packet that was waited for arrived `lateness` ms after its successor. */
  filled(lateness: number): void {
    this.#lateness = Math.max(this.#lateness, lateness);
  }

  /** One missing packet, or several consecutive ones, were given up. */
  gaveUp(): void {
    this.#losses += 1;
    this.#lateness *= FADING;
  }

  /** A packet arrived after it had been given up. */
  cameLate(): void {
    this.#losses = 0;
  }
}
