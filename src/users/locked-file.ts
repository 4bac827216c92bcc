/**
 * Changes a file that several processes may change: under a lock (flock) on the file itself, and whole or not at all.
 * Readers need no lock. Whoever replaces the file replaces the locked one too, so a lock counts only if the file still has
 * its name.
 */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** How long a change waits for another one, ms. Each takes some milliseconds. */
const PATIENCE_MS = 10_000;
const POLL_MS = 20;
const NEW_MODE = 0o600;
const WRITABLE_BY_ALL = 0o002;

export interface ChangeOptions<T> {
  readonly path: string;
  /** Content of a file that does not exist yet; null: it must exist. */
  readonly initial: Buffer | null;
  /** Returns the new content, null for no change, and a result. What it throws leaves the file as it is. */
  readonly change: (content: Buffer) => { readonly content: Buffer | null; readonly result: T };
  /** ms. */
  readonly patience?: number;
}

/** Rejects with the system's error, or with a sentence if another process does not release the file. */
export async function changeFile<T>({ path, initial, change, patience = PATIENCE_MS }: ChangeOptions<T>): Promise<T> {
  // Not before a file is changed: loading native modules takes time, and a program that only reads needs none.
  const { tryToLock } = await import('../sys/file-lock.js');
  const latest = performance.now() + patience;
  for (;;) {
    const target = realPath(path);
    for (const folder of new Set([dirname(path), dirname(target)])) requireOwnFolder(folder);
    if (initial !== null && !existsSync(target)) create(target, initial);
    const fd = openSync(target, 'r');
    try {
      if (tryToLock(fd)) {
        if (!isAt(fd, target)) continue;
        const { content, result } = change(readFileSync(fd));
        if (content !== null) replace(target, content, fstatSync(fd));
        return result;
      }
    } finally {
      closeSync(fd);
    }
    if (performance.now() > latest)
      throw new Error(
        `cannot change ${path}: another process has kept it locked for ${patience / 1000} s; remedy: try again, or end that process`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whoever can change the folder could put a link to any other file in place of the one that root changes. */
function requireOwnFolder(folder: string): void {
  const { uid, mode } = statSync(folder);
  const isOwn = uid === 0 || uid === process.geteuid?.();
  if (isOwn && (mode & WRITABLE_BY_ALL) === 0) return;
  const who = isOwn ? 'everybody' : `uid ${uid}`;
  throw new Error(`${folder} can be changed by ${who}. Keep such a file in a folder that only root can change.`);
}

/** The file itself where `path` is a link; also of a file that does not exist. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return join(realpathSync(dirname(path)), basename(path));
  }
}

/** Whether the open file still has this name: another process may have replaced it before this one had the lock. */
export function isAt(fd: number, path: string): boolean {
  const [open, named] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return open.ino === named?.ino && open.dev === named.dev;
}

/** Another process may create it at the same time. */
function create(path: string, content: Buffer): void {
  const draft = `${path}.${process.pid}`;
  try {
    write(draft, content, null);
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function replace(path: string, content: Buffer, like: Stats): void {
  const next = `${path}.new`;
  // Left by a process that died here.
  rmSync(next, { force: true });
  try {
    write(next, content, like);
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
  sync(dirname(path));
}

/** `like`: whose owner and mode it gets. */
function write(path: string, content: Buffer, like: Stats | null): void {
  const fd = openSync(path, 'wx', NEW_MODE);
  try {
    if (like !== null) {
      fchownSync(fd, like.uid, like.gid);
      fchmodSync(fd, like.mode & 0o7777);
    }
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function sync(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
