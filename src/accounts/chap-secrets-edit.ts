/**
 * Changes single entries of a secrets file and leaves every other byte as it is. Each change is checked by reading the
 * result as pppd does: if anything but the entry differs, the change is refused. Texts are bytes, one character each
 * (Node.js encoding `binary`), because a file need not be UTF-8. Pure.
 */
import { type Entry, entriesOfBytes, isOf, isWild, visible } from './chap-secrets.js';
import { bytesOf, type Word } from './pppd-words.js';

/** What a disabled entry's line begins with. For pppd it is a comment. */
export const DISABLED = '#pptpd-ts-disabled ';

/** Why a change was not made. */
export type EditFault =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'known' }
  /** The entry's lines cannot be changed without others: it spans several, or shares one. */
  | { readonly kind: 'lines'; readonly line: number }
  /** pppd could not read the value as it is meant. */
  | { readonly kind: 'value'; readonly field: 'name' | 'password'; readonly reason: string };

export type Edited = { readonly ok: true; readonly bytes: string } | { readonly ok: false; readonly fault: EditFault };

export interface SecretsUser {
  /** As pppd reads the first word. */
  readonly name: string;
  readonly isDisabled: boolean;
  /** From 1. */
  readonly line: number;
  /** The words of the fourth column as they are written. */
  readonly addresses: readonly string[];
}

interface Found {
  readonly entry: Entry;
  /** null: the entry is in force. Otherwise the line that it was read from. */
  readonly disabledLine: number | null;
}

/** Every entry of this server that names one client, in the order of the file, disabled ones included. */
export const usersIn = (bytes: string, server: string): SecretsUser[] =>
  allOf(bytes)
    .filter(({ entry }) => entry.secret !== null && isOf(entry, server) && !isWild(entry.client))
    .map(({ entry, disabledLine }) => ({
      name: entry.client.bytes,
      isDisabled: disabledLine !== null,
      line: disabledLine ?? entry.client.line,
      addresses: entry.addresses.map(({ raw }) => raw),
    }))
    .toSorted((one, other) => one.line - other.line);

function allOf(bytes: string): Found[] {
  const active = entriesOfBytes(bytes).map((entry) => ({ entry, disabledLine: null }));
  const disabled = bytes.split('\n').flatMap((line, index) => {
    if (!line.startsWith(DISABLED)) return [];
    return entriesOfBytes(line.slice(DISABLED.length)).map((entry) => ({ entry, disabledLine: index + 1 }));
  });
  return [...active, ...disabled];
}

export interface NewSecret {
  readonly name: string;
  readonly server: string;
  readonly password: string;
  /** Dotted quad; null: any. */
  readonly address: string | null;
}

export function addUser(bytes: string, { name, server, password, address }: NewSecret): Edited {
  const fault = faultOfName(name) ?? faultOfSecret(password);
  if (fault !== null) return { ok: false, fault };
  if (matching(bytes, name, server).length > 0) return { ok: false, fault: { kind: 'known' } };
  const line = [wordFor(visible(bytesOf(name))), wordFor(bytesOf(server)), wordFor(bytesOf(password)), address ?? '*'];
  const start = bytes === '' || bytes.endsWith('\n') ? bytes : `${bytes}\n`;
  const next = `${start}${line.join(' ')}\n`;
  const [added, ...others] = matching(next, name, server);
  // A backslash at the end of the file would join its last line and this one.
  const isOnItsOwn = added?.entry.client.at === start.length;
  const isRight = others.length === 0 && isOnItsOwn && added?.entry.secret?.bytes === bytesOf(password);
  return checked(bytes, next, name, isRight, bytes.split('\n').length);
}

/** Removes the user's lines, disabled ones too. */
export function removeUser(bytes: string, name: string, server: string): Edited {
  return onLines(bytes, name, server, {
    choose: () => true,
    replace: () => [],
    isRight: (after) => after.length === 0,
  });
}

export function disableUser(bytes: string, name: string, server: string): Edited {
  return onLines(bytes, name, server, {
    choose: isActive,
    replace: (line) => [DISABLED + line],
    isRight: (after) => !after.some(isActive),
  });
}

export function enableUser(bytes: string, name: string, server: string): Edited {
  return onLines(bytes, name, server, {
    choose: (found) => !isActive(found),
    replace: (line) => [line.slice(DISABLED.length)],
    isRight: (after) => after.every(isActive),
  });
}

export function setPassword(bytes: string, name: string, server: string, password: string): Edited {
  const fault = faultOfSecret(password);
  if (fault !== null) return { ok: false, fault };
  const secret = bytesOf(password);
  return replaceWords(bytes, name, server, {
    choose: (entry) => (entry.secret === null ? [] : [entry.secret]),
    word: wordFor(secret),
    isRight: (after) => after.every(({ entry }) => entry.secret?.bytes === secret),
  });
}

/** `address`: a dotted quad; null: any. */
export function setAddress(bytes: string, name: string, server: string, address: string | null): Edited {
  const word = address ?? '*';
  return replaceWords(bytes, name, server, {
    choose: ({ addresses }) => addresses,
    word,
    isRight: (after) => after.every(({ entry }) => entry.addresses.map(({ bytes: each }) => each).join(' ') === word),
  });
}

const isActive = ({ disabledLine }: Found): boolean => disabledLine === null;

const matching = (bytes: string, name: string, server: string): Found[] => {
  const client = visible(bytesOf(name));
  return allOf(bytes).filter(
    ({ entry }) =>
      entry.client.bytes === client && !isWild(entry.client) && entry.secret !== null && isOf(entry, server),
  );
};

interface LineChange {
  readonly choose: (found: Found) => boolean;
  readonly replace: (line: string) => readonly string[];
  /** Of the user's entries afterwards. */
  readonly isRight: (after: readonly Found[]) => boolean;
}

/** Replaces whole lines, each of which must hold one entry and nothing else. */
function onLines(bytes: string, name: string, server: string, { choose, replace, isRight }: LineChange): Edited {
  const found = matching(bytes, name, server);
  if (found.length === 0) return { ok: false, fault: { kind: 'unknown' } };
  const lines = bytes.split('\n');
  const chosen = new Set<number>();
  for (const { entry, disabledLine } of found.filter(choose)) {
    const line = disabledLine ?? entry.client.line;
    const isWhole =
      disabledLine !== null || wordsIn(entry).every((word) => word.line === line && word.lastLine === line);
    if (!isWhole) return { ok: false, fault: { kind: 'lines', line } };
    chosen.add(line);
  }
  const next = lines.flatMap((line, index) => (chosen.has(index + 1) ? replace(line) : [line])).join('\n');
  const [line = 1] = chosen;
  return checked(bytes, next, name, isRight(matching(next, name, server)), line);
}

const wordsIn = ({ client, server, secret, addresses }: Entry): Word[] =>
  [client, server, secret, ...addresses].flatMap((word) => word ?? []);

interface WordChange {
  /** The words that are replaced together; none: the new word comes after the secret. */
  readonly choose: (entry: Entry) => readonly Word[];
  /** As it is written. */
  readonly word: string;
  /** Of the user's entries afterwards. */
  readonly isRight: (after: readonly Found[]) => boolean;
}

/** Replaces words of each of the user's entries by one word. */
function replaceWords(bytes: string, name: string, server: string, { choose, word, isRight }: WordChange): Edited {
  const found = matching(bytes, name, server);
  const [some] = found;
  if (some === undefined) return { ok: false, fault: { kind: 'unknown' } };
  const starts = startsOf(bytes);
  const places = found.flatMap(({ entry, disabledLine }) => {
    const offset = disabledLine === null ? 0 : (starts[disabledLine - 1] ?? 0) + DISABLED.length;
    const words = choose(entry);
    const [first, last] = [words[0], words.at(-1)];
    if (first !== undefined && last !== undefined)
      return { from: offset + first.at, to: offset + endOf(last), text: word };
    const { secret } = entry;
    return secret === null ? [] : { from: offset + endOf(secret), to: offset + endOf(secret), text: ` ${word}` };
  });
  // From the end of the file, so that what comes before stays where it is.
  const next = places
    .toSorted((one, other) => other.from - one.from)
    .reduce((text, { from, to, text: replacement }) => text.slice(0, from) + replacement + text.slice(to), bytes);
  const line = some.disabledLine ?? some.entry.client.line;
  return checked(bytes, next, name, isRight(matching(next, name, server)), line);
}

const endOf = ({ at, raw }: Word): number => at + raw.length;

const startsOf = (bytes: string): number[] => {
  const starts = [0];
  for (let at = bytes.indexOf('\n'); at >= 0; at = bytes.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
};

/**
 * Refuses a change after which pppd would read an entry of another client in another way, or the user's own not as meant.
 * `line` is where the reason is likely to be.
 */
function checked(before: string, after: string, name: string, isRight: boolean, line: number): Edited {
  const client = visible(bytesOf(name));
  const others = (bytes: string): string =>
    JSON.stringify(
      entriesOfBytes(bytes)
        .filter((entry) => entry.client.bytes !== client)
        .map((entry) => wordsIn(entry).map((word) => word.bytes)),
    );
  return isRight && others(before) === others(after)
    ? { ok: true, bytes: after }
    : { ok: false, fault: { kind: 'lines', line } };
}

/** Of an entry that is not written yet: pppd has to read it as it is meant. */
function faultOfName(name: string): EditFault | null {
  const reason = name === '*' ? 'pppd takes it for every client' : faultOfWord(visible(bytesOf(name)));
  return reason === null ? null : { kind: 'value', field: 'name', reason };
}

function faultOfSecret(password: string): EditFault | null {
  const bytes = bytesOf(password);
  const isFile = bytes.startsWith('@/');
  const reason = isFile ? 'pppd would take it for the name of a file with the password' : faultOfWord(bytes);
  return reason === null ? null : { kind: 'value', field: 'password', reason };
}

/** pppd keeps 1,023 bytes of a word, and lets control characters be written only as escape sequences. */
function faultOfWord(bytes: string): string | null {
  if (bytes === '') return 'it is empty';
  if (bytes.length > 1023) return 'it is longer than 1023 bytes, which is all that pppd reads';
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u001f\u007f]/.test(bytes) ? 'it has control characters' : null;
}

/** A word as pppd has to be given it. */
const wordFor = (bytes: string): string =>
  /^[\w.@%+:,/=~^-]+$/.test(bytes) && bytes !== '--' ? bytes : `"${bytes.replaceAll(/[\\"]/g, String.raw`\$&`)}"`;
