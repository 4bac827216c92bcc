/** What the monitor must know again after it has died: the manager and the sessions. It lies in a folder of root's. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SystemCallFailed } from '../sys/libc.js';

const MODE = 0o700;
const FILE_MODE = 0o600;
const ENDING = '.json';

export class StateFolder {
  readonly #path: string;

  /** Makes the folder `path` unless it exists. Throws the system's error. */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(path, { recursive: true, mode: MODE });
  }

  /** The names of what is written. */
  names(): string[] {
    return readdirSync(this.#path).flatMap((name) => (name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : []));
  }

  /** null when it is missing or no JSON. */
  read(name: string): unknown {
    try {
      return JSON.parse(readFileSync(this.#file(name), 'utf8'));
    } catch {
      return null;
    }
  }

  /** Writes it whole or not at all. Throws SystemCallFailed. */
  write(name: string, value: unknown): void {
    const next = join(this.#path, `${name}.new`);
    try {
      writeFileSync(next, JSON.stringify(value), { mode: FILE_MODE });
      renameSync(next, this.#file(name));
    } catch (error) {
      rmSync(next, { force: true });
      throw new SystemCallFailed('write down the state of the monitor', (error as NodeJS.ErrnoException).code ?? '?');
    }
  }

  remove(name: string): void {
    rmSync(this.#file(name), { force: true });
  }

  #file(name: string): string {
    return join(this.#path, name + ENDING);
  }
}
