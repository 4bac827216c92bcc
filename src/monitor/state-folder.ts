/**
 * What the monitor must know again after it has died: the manager and the sessions. The folder lies in the run directory,
 * which belongs to the server's user, and is root's alone. So it is used by its descriptor after a look at its owner: the
 * user could put another folder in its place.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SystemCallFailed } from '../sys/libc.js';

const MODE = 0o700;
const FILE_MODE = 0o600;
const ENDING = '.json';

export class StateFolder {
  readonly #fd: number;
  readonly #path: string;

  /** Makes the folder `path`; one that is not root's alone is moved out of the way. Throws the system's error. */
  constructor(path: string) {
    this.#fd = openOwn(path) ?? openNew(path);
    this.#path = `/proc/self/fd/${this.#fd}`;
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

  close(): void {
    closeSync(this.#fd);
  }

  #file(name: string): string {
    return join(this.#path, name + ENDING);
  }
}

/** null when there is none, or one that others can write to. */
function openOwn(path: string): number | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null;
    throw error;
  }
  const { uid, mode } = fstatSync(fd);
  if (uid === process.geteuid?.() && (mode & 0o777) === MODE) return fd;
  closeSync(fd);
  return null;
}

function openNew(path: string): number {
  try {
    renameSync(path, `${path}.foreign-${process.pid}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(path, { mode: MODE });
  const fd = openOwn(path);
  if (fd === null) throw new Error(`somebody has replaced ${path} while it was being made`);
  return fd;
}
