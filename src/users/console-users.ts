/** The file of the console's users and tokens: schema, reading with line and field of each mistake, changes under a lock. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { problemLines, type ReadJson, readJson } from './checked-json.js';
import { STORED_PASSWORD } from './console-password.js';
import { changeFile } from './locked-file.js';
import { textOfFile, UsersFileBroken } from './users-file.js';

const FOLDER_MODE = 0o700;

/** `view` sees everything but captures; `admin` changes, too. */
export const CONSOLE_ROLES = ['view', 'admin'] as const;
export type ConsoleRole = (typeof CONSOLE_ROLES)[number];

const NAME = /^[A-Za-z0-9._@-]{1,64}$/;
const NAME_WORDS = '1 to 64 letters, digits and . _ @ -';
const name = z.string().regex(NAME).meta({ title: NAME_WORDS });
const role = z.enum(CONSOLE_ROLES);

const namesDiffer = (entries: readonly { readonly name: string }[], context: z.core.$RefinementCtx): void => {
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const params = { reason: 'an earlier entry has it', allowed: 'a name that no other entry has' };
    if (seen.has(entry.name)) context.addIssue({ code: 'custom', path: [index, 'name'], params });
    seen.add(entry.name);
  }
};

const fileSchema = z.strictObject({
  users: z
    .array(
      z.strictObject({
        name,
        role,
        password: z.string().regex(STORED_PASSWORD).meta({ title: 'what `pptpd-ts console user passwd NAME` writes' }),
      }),
    )
    .superRefine(namesDiffer),
  tokens: z
    .array(
      z.strictObject({
        name,
        role,
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .meta({ title: 'what `pptpd-ts console token add NAME` writes' }),
        created: z.iso.datetime().meta({ title: 'a time such as 2027-01-31T18:00:00.000Z' }),
      }),
    )
    .superRefine(namesDiffer),
});

export type ConsoleFile = z.output<typeof fileSchema>;
export type ConsoleUser = ConsoleFile['users'][number];
export type ConsoleToken = ConsoleFile['tokens'][number];

const EMPTY: ConsoleFile = { users: [], tokens: [] };

/** What is wrong with a new name; null: nothing. */
export const consoleNameFault = (text: string): string | null =>
  NAME.test(text) ? null : `this name is not allowed; allowed: ${NAME_WORDS}`;

/** As the file has it. */
export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

export const readConsoleText = (text: string): ReadJson<ConsoleFile> =>
  readJson(text, fileSchema, '{"users": [], "tokens": []}');

/** A file that does not exist counts as empty. Throws UsersFileBroken, or the system's error. */
export function readConsoleFile(path: string): ConsoleFile {
  const text = textOfFile(path, 'utf8');
  return text === null ? EMPTY : parsed(path, text);
}

function parsed(path: string, text: string): ConsoleFile {
  const read = readConsoleText(text);
  if (!read.ok) throw new UsersFileBroken(problemLines(path, read.problems).join('\n'));
  return read.value;
}

/**
 * Changes the file under its lock; what `change` throws leaves it as it is. Makes a file and a folder that are missing, for
 * root alone. Rejects with UsersFileBroken, the system's error, or what `change` throws.
 */
export async function changeConsoleFile(path: string, change: (file: ConsoleFile) => ConsoleFile): Promise<void> {
  const written = (file: ConsoleFile): Buffer => Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
  await changeFile({
    path,
    initial: written(EMPTY),
    change: (content) => {
      const next = written(change(parsed(path, content.toString())));
      // What is written can be read again.
      parsed(path, next.toString());
      return { content: next, result: undefined };
    },
  });
}

/** null: there is none of this name. Throws as `readConsoleFile`. */
export const findConsoleUser = (path: string, wanted: string): ConsoleUser | null =>
  readConsoleFile(path).users.find((user) => user.name === wanted) ?? null;

/** By the token's hash. Throws as `readConsoleFile`. */
export const findConsoleToken = (path: string, sha256: string): ConsoleToken | null =>
  readConsoleFile(path).tokens.find((token) => token.sha256 === sha256) ?? null;
