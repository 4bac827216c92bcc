/** Counts failures and keeps the newest: whoever tries to log in again and again fills the accounting file, not the memory. */
import type { Failure } from './schemas.js';

const causeOf = ({ cause }: Failure): string => cause ?? 'unknown';

export class NewestFailures {
  /** Of all that were added. */
  readonly byCause = new Map<string, number>();
  readonly #cause: string | undefined;
  readonly #most: number;
  #kept: Failure[] = [];

  /** Keeps at most `most` of this cause; undefined: of every cause. */
  constructor(cause: string | undefined, most: number) {
    this.#cause = cause;
    this.#most = most;
  }

  add(failure: Failure): void {
    const name = causeOf(failure);
    this.byCause.set(name, (this.byCause.get(name) ?? 0) + 1);
    if (this.#cause !== undefined && name !== this.#cause) return;
    this.#kept.push(failure);
    // Not for each: sorting takes time.
    if (this.#kept.length >= 2 * this.#most) this.#kept = this.newest;
  }

  /** For tests. */
  get size(): number {
    return this.#kept.length;
  }

  /** The newest first. */
  get newest(): Failure[] {
    return this.#kept.toSorted((a, b) => b.time - a.time).slice(0, this.#most);
  }
}
