/** Users of a secrets file of pppd as accounts. What an account cannot keep is named, line by line. Pure. */
import { entriesOfBytes, type Entry, fileOf, isOf, isWild, rulesOf, type Rule } from '../accounts/chap-secrets.js';
import { textOf } from '../accounts/pppd-words.js';
import { nameFault, passwordFault, type User } from './user.js';
import { secretsOf } from './accounts-store.js';

export interface Imported {
  readonly users: readonly User[];
  readonly remarks: readonly { readonly line: number; readonly text: string }[];
}

export interface ImportOptions {
  /** The secrets file, one character for each byte. */
  readonly bytes: string;
  /** The server's name in the second column. */
  readonly server: string;
  /** Names that are accounts already. */
  readonly known: ReadonlySet<string>;
  /** Also keep the passwords, not only their hashes. */
  readonly storePassword: boolean;
}

/** How pppd writes bytes that are not printable ASCII; the name that the client sends is then ambiguous. */
const WRITTEN_OTHERWISE = /M-|\^|[^ -~]/;

export function importSecrets({ bytes, server, known, storePassword }: ImportOptions): Imported {
  const entries = entriesOfBytes(bytes).filter((entry) => isOf(entry, server));
  const users: User[] = [];
  const remarks: { line: number; text: string }[] = [];
  for (const entry of entries) {
    const name = textOf(entry.client.bytes);
    // pppd uses one entry of a name.
    if (!isWild(entry.client) && usedOf(entries, entry.client.bytes) !== entry) continue;
    const user = userOf(entry, name, storePassword);
    const text =
      typeof user === 'string'
        ? user
        : known.has(name)
          ? 'not imported: there is already an account of this name'
          : null;
    if (typeof user !== 'string' && text === null) users.push(user);
    else remarks.push({ line: entry.client.line, text: `${JSON.stringify(name)}: ${text}` });
  }
  return { users, remarks };
}

/** As entryFor chooses it: the one that names this server, then the first. */
function usedOf(entries: readonly Entry[], client: string): Entry | undefined {
  const complete = entries.filter((entry) => entry.client.bytes === client && entry.secret !== null);
  return complete.find(({ server }) => server !== null && !isWild(server)) ?? complete[0];
}

/** The account, or why there can be none. */
function userOf({ client, secret, addresses }: Entry, name: string, storePassword: boolean): User | string {
  if (isWild(client)) return 'not imported: an account has exactly one name; the line in the secrets file still works';
  if (WRITTEN_OTHERWISE.test(client.bytes) || nameFault(name) !== null)
    return 'not imported: the exact name cannot be told from the line; remedy: pptpd-ts users add';
  if (secret === null) return 'not imported: the line has no password';
  if (fileOf(secret) !== null) return 'not imported: the password is in a file; remedy: pptpd-ts users add';
  const password = textOf(secret.bytes);
  if (passwordFault(password) !== null) return `not imported: ${passwordFault(password)}`;
  const rules = rulesOf(addresses);
  const account = { name, ...secretsOf(password, storePassword) };
  if (isAnything(rules)) return account;
  const address = addressOf(rules);
  if (address === null)
    return 'not imported: an account has either one address or any, but the fourth column says something else';
  return { ...account, address };
}

const isAnything = ([first]: readonly Rule[]): boolean =>
  first !== undefined && 'base' in first && first.permits && first.mask === 0;

/** null: the rules say more than one address. */
function addressOf([first, ...others]: readonly Rule[]): string | null {
  const isSingle = first !== undefined && others.length === 0 && 'base' in first && first.permits;
  return isSingle && first.mask === 0xff_ff_ff_ff && /^\d+\.\d+\.\d+\.\d+$/.test(first.host) ? first.host : null;
}
