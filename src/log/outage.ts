/**
 * Lets processes report an unwritable disk once between them. The first process that meets the error creates a file in
 * the run directory and reports; the others find the file and do not. The file is removed by the first process that can
 * write again, or when it is old, since the processes that met the error may have exited.
 */
import { rmSync, statSync, writeFileSync } from 'node:fs';

/** An outage that lasts longer is reported again, ms. */
const OLD_MS = 3600_000;

export class Outage {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Returns true for the process that must report: the first since the outage began. */
  begins(): boolean {
    try {
      const since = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs;
      if (since !== undefined && Date.now() - since > OLD_MS) rmSync(this.#path, { force: true });
      writeFileSync(this.#path, '', { flag: 'wx' });
      return true;
    } catch (error) {
      // Without a run directory there is nothing to share: report twice rather than not at all.
      return (error as NodeJS.ErrnoException).code !== 'EEXIST';
    }
  }

  /** Returns true for the first process that can write again. */
  ends(): boolean {
    try {
      rmSync(this.#path);
      return true;
    } catch {
      return false;
    }
  }
}
