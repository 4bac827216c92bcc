/**
 * Turns the sessions' counters into increments for counters that only grow. A relay counts from 0 for each call. What a session
 * counted before this manager started is not included: Prometheus assumes that a counter starts at 0 with its process.
 */
import type { SessionState } from '../../session/state.js';

type Counters = Readonly<Record<string, number>>;

const NOTHING: Counters = {};

export class CounterGrowth {
  /** The last seen counters of each session's call. */
  readonly #seen = new Map<string, Counters>();
  /** Sessions whose first reported counters are the base. */
  readonly #foundRunning = new Set<string>();

  /** An earlier manager started this session. */
  foundRunning(id: string): void {
    this.#foundRunning.add(id);
  }

  /** The growth of each counter since the last time, without counters that did not grow. */
  since({ session, counters }: SessionState): readonly (readonly [name: string, step: number])[] {
    const isFirst = this.#foundRunning.delete(session);
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
    this.#foundRunning.delete(id);
  }
}
