/** Searches for inputs that reach something new, until one breaks the target. */
import { errorOf } from '../../src/sys/thrown.js';
import { Corpus } from './corpus.js';
import { Coverage } from './coverage.js';
import { mutate } from './mutate.js';
import type { Random } from './random.js';
import type { Target } from './target.js';

const BATCH = 32;

export interface Fault {
  readonly input: Uint8Array;
  readonly error: Error;
}

export class Search {
  /** Inputs that each reached something new, in the order of discovery. */
  readonly kept: Uint8Array[] = [];
  runs = 0;
  readonly #name: string;
  readonly #target: Target;
  readonly #random: Random;
  readonly #coverage: Coverage;
  readonly #seen = new Set<string>();

  constructor(name: string, target: Target, random: Random) {
    this.#name = name;
    this.#target = target;
    this.#random = random;
    this.#coverage = new Coverage(target.covers);
  }

  /** How many different features were reached. */
  get features(): number {
    return this.#coverage.count + this.#seen.size;
  }

  /**
   * Searches, starting with seeds and corpus, until `isOver`; returns the first input that breaks the target, or null.
   */
  run(isOver: () => boolean): Fault | null {
    try {
      // Shortest first, so that no long input is kept for what a short one reaches.
      const known = [...this.#target.seeds(), ...new Corpus(this.#name).inputs];
      let fault = this.#runEach(known.toSorted((a, b) => a.length - b.length));
      while (fault === null && !isOver()) fault = this.#runBatch(Array.from({ length: BATCH }, () => this.#mutant()));
      return fault;
    } finally {
      this.#coverage.close();
    }
  }

  /** Shorter inputs are tried more often: they run faster, and a change to them matters more. */
  #mutant(): Uint8Array {
    const any = (): Uint8Array => this.kept[this.#random(this.kept.length)] ?? new Uint8Array(1);
    const [one, other] = [any(), any()];
    return mutate(one.length <= other.length || this.#random(3) === 0 ? one : other, any(), this.#random);
  }

  #runBatch(inputs: readonly Uint8Array[]): Fault | null {
    let isNew = false;
    for (const input of inputs) {
      const seen = this.#attempt(input);
      if (typeof seen !== 'string') return seen;
      isNew ||= !this.#seen.has(seen);
    }
    return this.#coverage.takeBatch() || isNew ? this.#runEach(inputs) : null;
  }

  /** Runs the inputs one by one, and keeps those that reach something new. */
  #runEach(inputs: readonly Uint8Array[]): Fault | null {
    for (const input of inputs) {
      const seen = this.#attempt(input);
      if (typeof seen !== 'string') return seen;
      const isNew = this.#coverage.takeRun();
      if (isNew || !this.#seen.has(seen)) this.kept.push(input);
      this.#seen.add(seen);
    }
    return null;
  }

  #attempt(input: Uint8Array): string | Fault {
    this.runs += 1;
    try {
      return this.#target.run(input);
    } catch (error) {
      return { input, error: errorOf(error) };
    }
  }
}
