/**
 * Turns the sessions' counters into increments for counters that only grow. A relay counts from 0 for each call. What a session
 * counted before this manager started is not included: Prometheus assumes that a counter starts at 0 with its process.
 */
import type { SessionState } from '../../session/state.js';

type Counters = Readonly<Record<string, number>>;

const NOTHING: Counters = {};

export class Counted {
  /** The last seen counters of each session's call. */
  readonly #seen = new Map<string, Counters>();
  /** Sessions whose first reported counters are the base. */
  readonly #found = new Set<string>();

  /** An earlier manager started this session. */
  found(id: string): void {
    this.#found.add(id);
  }

  /** The growth of each counter since the last call, without counters that did not grow. */
  steps({ session, counters }: SessionState): readonly (readonly [name: string, step: number])[] {
    const isFirst = this.#found.delete(session);
    if (counters === null) {
      // Between two calls; the next call's counters start at 0.
      this.#seen.delete(session);
      return [];
    }
    const before = isFirst ? counters : (this.#seen.get(session) ?? NOTHING);
    this.#seen.set(session, counters);
    return Object.entries(counters).flatMap(([name, value]) => {
      const last = before[name] ?? 0;
      // Lower than before: another call has begun.
      const step = value >= last ? value - last : value;
      return step > 0 ? [[name, step] as const] : [];
    });
  }

  forget(id: string): void {
    this.#seen.delete(id);
    this.#found.delete(id);
  }
}
