/**
 * What sessions have counted, as steps for counters that only grow. A relay counts from 0 for each call, and a session that
 * an earlier manager began has counted before anybody here looked: that part is none of this process's, as Prometheus
 * takes a counter that begins anew to have counted everything since.
 */
import type { SessionState } from '../../session/state.js';

type Counters = Readonly<Record<string, number>>;

const NOTHING: Counters = {};

export class Counted {
  /** What each session's call had counted when last looked at. */
  readonly #seen = new Map<string, Counters>();
  /** Sessions whose first word is where to count from. */
  readonly #found = new Set<string>();

  /** A session that was there before this process. */
  found(id: string): void {
    this.#found.add(id);
  }

  /** By how much each counter has grown since the last look, those left out that have not. */
  steps({ session, counters }: SessionState): readonly (readonly [name: string, step: number])[] {
    const isFirst = this.#found.delete(session);
    if (counters === null) {
      // Between two calls; the next one's counters begin at 0.
      this.#seen.delete(session);
      return [];
    }
    const before = isFirst ? counters : (this.#seen.get(session) ?? NOTHING);
    this.#seen.set(session, counters);
    return Object.entries(counters).flatMap(([name, value]) => {
      const last = before[name] ?? 0;
      // Lower than before: a call that began unseen.
      const step = value >= last ? value - last : value;
      return step > 0 ? [[name, step] as const] : [];
    });
  }

  forget(id: string): void {
    this.#seen.delete(id);
    this.#found.delete(id);
  }
}
