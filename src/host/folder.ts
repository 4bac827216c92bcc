/** Makes folders, and says why one cannot be made or written to; `serve` and `doctor` use the same words. */
import { type MakeDirectoryOptions, mkdirSync } from 'node:fs';

interface FolderFailure {
  readonly problem: string;
  readonly remedy: string;
}

export const READ_ONLY: FolderFailure = {
  problem: 'its file system is read-only',
  remedy: 'mount a writable one there (a tmpfs is enough for /run), or name another folder in the configuration',
};

/** By system error code. */
const FAILURES: Readonly<Record<string, FolderFailure>> = {
  EROFS: READ_ONLY,
  EACCES: { problem: 'permission denied', remedy: 'run it as root, or name another folder in the configuration' },
  ENOSPC: { problem: 'no space is left on the device', remedy: 'free space there' },
  ENOTDIR: { problem: 'a part of the path is not a folder', remedy: 'name another folder in the configuration' },
};

/** The error message for a folder that could not be made or written to; `error` is what Node.js threw. */
export function folderFailure(path: string, error: unknown, attempt: 'make' | 'write to' = 'make'): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known = FAILURES[code ?? ''];
  return `cannot ${attempt} ${path}: ${known === undefined ? message : `${known.problem}; remedy: ${known.remedy}`}`;
}

/** Throws an Error with a sentence for the administrator. */
export function makeFolder(path: string, options: MakeDirectoryOptions): void {
  try {
    mkdirSync(path, options);
  } catch (error) {
    throw new Error(folderFailure(path, error), { cause: error });
  }
}
