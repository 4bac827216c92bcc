/** Reads and changes the accounts file. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { problemLines } from './checked-json.js';
import { changeFile } from './locked-file.js';
import type { User } from './user.js';
import { readUsers, writeUsers } from './users-text.js';

const FOLDER_MODE = 0o700;

/** The file has mistakes. The message names each, with its line. */
export class UsersFileBroken extends Error {}

/** The text of a file; null: it does not exist. Throws the system's error. */
export function textOfFile(path: string, encoding: 'utf8' | 'latin1'): string | null {
  try {
    return readFileSync(path, encoding);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Throws UsersFileBroken. */
export function usersOf(path: string, text: string): readonly User[] {
  const read = readUsers(text);
  if (!read.ok) throw new UsersFileBroken(problemLines(path, read.problems).join('\n'));
  return read.users;
}

/**
 * Changes the accounts under the file's lock. `change` returns them all, or null for no change, and a result. Makes a file
 * and a folder that are missing, for root alone. Rejects with UsersFileBroken, the system's error, or what `change` throws.
 */
export async function changeUsers<T>(
  path: string,
  change: (users: readonly User[]) => { readonly users: readonly User[] | null; readonly result: T },
  patience?: number,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
  return changeFile({
    path,
    initial: Buffer.from(writeUsers([])),
    ...(patience === undefined ? {} : { patience }),
    change: (content) => {
      const { users, result } = change(usersOf(path, content.toString()));
      if (users === null) return { content: null, result };
      const text = writeUsers(users);
      // What is written can be read again, whatever `change` has made.
      usersOf(path, text);
      return { content: Buffer.from(text), result };
    },
  });
}
