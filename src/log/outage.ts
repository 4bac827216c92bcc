/**
 * A disk that cannot be written to is said once, however many processes meet it: the first of them makes a file in the run
 * directory and speaks, the others find it there. It goes when one of them can write again, or grows old: those that
 * met it may have ended before it did.
 */
import { rmSync, statSync, writeFileSync } from 'node:fs';

/** What lasts for longer is said again. */
const OLD_MS = 3600_000;

export class Outage {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** True for the first of all processes since it began: who is to speak. */
  begins(): boolean {
    try {
      const since = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs;
      if (since !== undefined && Date.now() - since > OLD_MS) rmSync(this.#path, { force: true });
      writeFileSync(this.#path, '', { flag: 'wx' });
      return true;
    } catch (error) {
      // Without a run directory nothing can be agreed on: better twice than never.
      return (error as NodeJS.ErrnoException).code !== 'EEXIST';
    }
  }

  /** True for the one that can write again first. */
  ends(): boolean {
    try {
      rmSync(this.#path);
      return true;
    } catch {
      return false;
    }
  }
}
