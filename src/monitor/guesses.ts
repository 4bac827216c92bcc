/**
 * Limits wrong passwords; otherwise a compromised worker could try all of them. Pure: times are milliseconds of any clock.
 */

/** Per session. A client hangs up earlier. */
export const GUESSES_PER_SESSION = 10;
/** Per worker: at most this many, plus one more every GUESS_RETURNS_MS. A worker serves many sessions. */
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

  /** The password was right. */
  giveBack(): void {
    this.#left = Math.min(this.#left + 1, GUESSES_PER_WORKER);
  }

  #refill(now: number): void {
    this.#left = Math.min(this.#left + (now - this.#at) / GUESS_RETURNS_MS, GUESSES_PER_WORKER);
    this.#at = now;
  }
}
