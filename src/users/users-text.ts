/** The accounts file as text: reading, with line and field of each mistake, and writing. Pure. */
import { type FileProblem, readJson } from './checked-json.js';
import { type User, usersSchema } from './user.js';

export type ReadUsers =
  | { readonly ok: true; readonly users: readonly User[] }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

export function readUsers(text: string): ReadUsers {
  const read = readJson(text, usersSchema, '{"accounts": []}');
  return read.ok ? { ok: true, users: read.value.accounts } : read;
}

/** One field to a line, for readers and for diff(1). */
export const writeUsers = (users: readonly User[]): string => `${JSON.stringify({ accounts: users }, null, 2)}\n`;
