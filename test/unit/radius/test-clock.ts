/** A clock that passes when the test says so. */

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class TestClock {
  now = 0;
  readonly #timers = new Set<Timer>();

  /** Timers that run. */
  get timers(): number {
    return this.#timers.size;
  }

  startTimer = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Lets so many milliseconds pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).toSorted((one, other) => one.at - other.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.now = next.at;
      next.callback();
    }
    this.now = end;
  }
}
