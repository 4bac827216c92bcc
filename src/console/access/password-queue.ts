/** Bounds the work of checking passwords: each check takes 32 MiB and a tenth of a second of a core. */

const MAX_RUNNING = 2;
const MAX_WAITING = 16;

export class PasswordQueue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** null: too many are waiting. */
  async run<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#running >= MAX_RUNNING) {
      if (this.#waiting.length >= MAX_WAITING) return null;
      // The one that ends passes its place on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
