/**
 * What inputs have reached, by V8's block coverage of this process. A function together with the blocks that did not
 * run is one feature. A coverage query costs as much as some hundred runs, so whole batches are checked first.
 */
import { type Profiler, Session } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly #covers: readonly string[];
  readonly #ofRuns = new Set<string>();
  readonly #ofBatches = new Set<string>();

  /** Observes the scripts whose address contains one of `covers`. */
  constructor(covers: readonly string[]) {
    this.#covers = covers;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get count(): number {
    return this.#ofRuns.size;
  }

  /** Whether the single run since the last call has reached something new. */
  takeRun(): boolean {
    return this.#take(this.#ofRuns);
  }

  /** Whether the runs since the last call have together reached what no batch has; then one of them may be new. */
  takeBatch(): boolean {
    return this.#take(this.#ofBatches);
  }

  close(): void {
    this.#session.disconnect();
  }

  #take(features: Set<string>): boolean {
    const before = features.size;
    // The session is local to this process, so it answers before it returns.
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
