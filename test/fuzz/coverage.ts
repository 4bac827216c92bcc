/**
 * What inputs have reached: V8's own block coverage, asked for in this process. A function with the blocks that did not
 * run is one feature. Asking costs as much as some hundred runs, so it is done for batches first.
 */
import { type Profiler, Session } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly #covers: readonly string[];
  readonly #ofRuns = new Set<string>();
  readonly #ofBatches = new Set<string>();

  /** Watches the scripts whose address holds one of `covers`. */
  constructor(covers: readonly string[]) {
    this.#covers = covers;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get count(): number {
    return this.#ofRuns.size;
  }

  /** Whether the one run since the last call has reached what no other has. */
  takeRun(): boolean {
    return this.#take(this.#ofRuns);
  }

  /** Whether the runs since the last call together have reached what no batch has: one of them may be new. */
  takeBatch(): boolean {
    return this.#take(this.#ofBatches);
  }

  close(): void {
    this.#session.disconnect();
  }

  #take(features: Set<string>): boolean {
    const before = features.size;
    // The session is this process's own: it answers before it returns.
    this.#session.post('Profiler.takePreciseCoverage', (_error, { result }) => this.#add(result, features));
    return features.size > before;
  }

  #add(scripts: readonly Profiler.ScriptCoverage[], features: Set<string>): void {
    for (const { scriptId, url, functions } of scripts) {
      if (!this.#covers.some((part) => url.includes(part))) continue;
      for (const { ranges } of functions) {
        const missed = ranges.filter(({ count }) => count === 0).map(({ startOffset }) => startOffset);
        features.add(`${scriptId} ${ranges[0]?.startOffset} ${missed.join()}`);
      }
    }
  }
}
