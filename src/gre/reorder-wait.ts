/**
 * How long a missing packet is waited for, learned from what became of the ones before it (RFC 2637 §4.3 leaves it to the
 * receiver). A way that only loses packets is not worth waiting on: each wait delays all that comes after. So the full
 * wait is kept until several gaps in succession have stayed open; from then on it is a multiple of how late packets
 * really came. A packet that comes after it was given up proves that wrong, and the full wait is back: so of the gaps that
 * stay open at most one in LOSSES_TO_LEARN + 1 is one that a full wait would have closed.
 */

/** The longest wait, and the first one, ms. */
export const LONGEST_WAIT = 300;
/** The shortest, ms: parallel ways of a network seldom differ by more; less than the gap of a voice packet. */
export const SHORTEST_WAIT = 20;
/** So many gaps in succession must have stayed open before a wait is shorter than the longest. */
export const LOSSES_TO_LEARN = 4;
/** What comes this many times as late as the latest lately is not waited for. */
const MARGIN = 4;
/** By so much a lost packet fades the memory of late ones. */
const FADING = 7 / 8;

export class ReorderWait {
  #losses = 0;
  #lateness = 0;

  /** How long what is missing is waited for, ms: SHORTEST_WAIT to LONGEST_WAIT. */
  get time(): number {
    if (this.#losses < LOSSES_TO_LEARN) return LONGEST_WAIT;
    return Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, MARGIN * this.#lateness));
  }

  /** A packet came `lateness` ms after one behind it, and was waited for. */
  filled(lateness: number): void {
    this.#lateness = Math.max(this.#lateness, lateness);
  }

  /** What was missing, one packet or several in succession, was given up. */
  gaveUp(): void {
    this.#losses += 1;
    this.#lateness *= FADING;
  }

  /** A packet came after it had been given up. */
  cameLate(): void {
    this.#losses = 0;
  }
}
