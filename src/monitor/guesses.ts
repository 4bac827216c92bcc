/**
 * How many wrong passwords the monitor hears. A worker that was taken over could otherwise try all of them. Pure: times
 * are milliseconds of any clock.
 */

/** Of one session. A client hangs up earlier. */
export const GUESSES_PER_SESSION = 10;
/** Of one worker, which serves many sessions: at once, and one more after each such time. */
export const GUESSES_PER_WORKER = 30;
export const GUESS_RETURNS_MS = 20_000;

/** The guesses of one worker, over all of its sessions. */
export class WorkerGuesses {
  #left = GUESSES_PER_WORKER;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Takes one; false when none is left. */
  take(now: number): boolean {
    this.#refill(now);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** It was none: the password was right. */
  giveBack(): void {
    this.#left = Math.min(this.#left + 1, GUESSES_PER_WORKER);
  }

  #refill(now: number): void {
    this.#left = Math.min(this.#left + (now - this.#at) / GUESS_RETURNS_MS, GUESSES_PER_WORKER);
    this.#at = now;
  }
}
