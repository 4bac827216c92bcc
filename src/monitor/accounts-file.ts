/**
 * Finds a client in the secrets file, which is read at each login as pppd reads it, so that a change counts at once.
 */
import { readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { addressNumber } from '../config/addresses.js';
import {
  entriesOf,
  entryFor,
  fileOf,
  hostNamesOf,
  resolveRules,
  type Rule,
  rulesOf,
  visible,
} from '../accounts/chap-secrets.js';
import { textOf, wordsOf } from '../accounts/pppd-words.js';
import { SystemCallFailed } from '../sys/libc.js';

export interface Account {
  /** The client's name as pppd writes it: printable ASCII. */
  readonly name: string;
  readonly secret: string;
  readonly addresses: readonly Rule[];
}

/** The secret in a file that an entry names (`@/path`): its first word; null when there is none. */
function secretIn(path: string): string | null {
  try {
    return wordsOf(readFileSync(path, 'utf8'))[0]?.bytes ?? null;
  } catch {
    return null;
  }
}

/** `name` as the client sent it; null when nobody of that name may log in. Throws SystemCallFailed without the file. */
export function findAccount(path: string, server: string, name: Uint8Array): Account | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SystemCallFailed(`read ${path}`, (error as NodeJS.ErrnoException).code ?? String(error));
  }
  const client = visible(Buffer.from(name).toString('latin1'));
  const entry = entryFor(entriesOf(text), client, server, (file) => secretIn(file) !== null);
  if (entry === null || entry.secret === null) return null;
  const file = fileOf(entry.secret);
  const secret = file === null ? entry.secret.bytes : secretIn(file);
  return secret === null ? null : { name: client, secret: textOf(secret), addresses: rulesOf(entry.addresses) };
}

/** The account's rules, with host names looked up. `unit`: N of the session's interface pppN; null without one. */
export async function addressRules({ addresses }: Account, unit: number | null): Promise<readonly Rule[]> {
  const names = [...new Set(hostNamesOf(addresses))];
  const known = new Map(await Promise.all(names.map(async (name) => [name, await addressOf(name)] as const)));
  return resolveRules(addresses, { unit, addressOf: (name) => known.get(name) ?? null });
}

async function addressOf(name: string): Promise<number | null> {
  try {
    return addressNumber((await lookup(name, { family: 4 })).address);
  } catch {
    return null;
  }
}
