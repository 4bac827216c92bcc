/**
 * Reads pppd's secrets files (chap-secrets, pap-secrets) as pppd does: which line applies to a client, and which addresses
 * it allows. From pppd(8), "AUTHENTICATION", and from the behaviour of pppd 2.4.9, with which test/lab/doctor compares it.
 * Pure.
 */
import { bytesOf, type Word, wordsOfBytes } from './pppd-words.js';

/** One entry of the file; it may continue over several lines. */
export interface Entry {
  readonly client: Word;
  /** null if the line ends before it: pppd ignores such lines. */
  readonly server: Word | null;
  readonly secret: Word | null;
  /** Up to a word `--`, which precedes options. */
  readonly addresses: readonly Word[];
}

/** All entries of the file in order. */
export const entriesOf = (text: string): Entry[] => entriesOfBytes(bytesOf(text));

/** The same of a file's bytes, one character each. */
export function entriesOfBytes(text: string): Entry[] {
  const lines: Word[][] = [];
  for (const word of wordsOfBytes(text)) {
    if (word.isFirst) lines.push([]);
    lines.at(-1)?.push(word);
  }
  return lines.flatMap(([client, server = null, secret = null, ...rest]) => {
    if (client === undefined) return [];
    const end = rest.findIndex(({ bytes }) => bytes === '--');
    return { client, server, secret, addresses: end < 0 ? rest : rest.slice(0, end) };
  });
}

export const isWild = ({ bytes }: Word): boolean => bytes === '*';

/** Whether an entry applies to the server of that name. */
export const isOf = ({ server }: Entry, name: string): boolean =>
  server !== null && (isWild(server) || server.bytes === bytesOf(name));

/**
 * The entry that pppd uses for a client name; null if there is none. The entry with the fewest wildcards wins (the client's
 * before the server's), then the first. `client` null: as at the start of pppd, which lets nobody log in if that entry
 * allows no address. `isReadable`: whether pppd can read a file that contains a secret.
 */
export function entryFor(
  entries: readonly Entry[],
  client: string | null,
  server: string,
  isReadable: (path: string) => boolean = () => true,
): Entry | null {
  const name = client === null ? null : visible(bytesOf(client));
  let [best, bestRank]: [Entry | null, number] = [null, -1];
  for (const entry of entries) {
    if (entry.secret === null || entry.server === null || !isOf(entry, server)) continue;
    if (name !== null && !isWild(entry.client) && entry.client.bytes !== name) continue;
    const rank = (isWild(entry.client) ? 0 : 2) + (isWild(entry.server) ? 0 : 1);
    const path = name === null ? null : fileOf(entry.secret);
    if (rank > bestRank && (path === null || isReadable(path))) [best, bestRank] = [entry, rank];
  }
  return best;
}

/** The file that contains the secret; null if the secret is in the line itself. */
export const fileOf = ({ bytes }: Word): string | null => (bytes.startsWith('@/') ? bytes.slice(1) : null);

/** A name as pppd compares it: bytes that are not printable ASCII are written with `M-` and `^`. */
export const visible = (bytes: string): string =>
  Array.from(bytes, (byte) => {
    const code = byte.charCodeAt(0);
    const low = code % 0x80;
    const prefix = code < 0x80 ? '' : 'M-';
    if (low >= 0x20 && low !== 0x7f) return prefix + String.fromCharCode(low);
    return low === 0x09 ? `${prefix}\t` : `${prefix}^${String.fromCharCode(low ^ 0x40)}`;
  }).join('');

/** One word of the list of addresses. */
export type Rule =
  /** `host`: the address as written. */
  | { readonly permits: boolean; readonly base: number; readonly mask: number; readonly host: string }
  /** Only pppd can evaluate it: a host name, or an address that depends on the interface number. */
  | { readonly permits: boolean; readonly word: Word }
  /** pppd ignores it. */
  | { readonly invalid: Word };

const ALL = 0xff_ff_ff_ff;
const HOST_NAME = /^\w[\w.-]*$/;

/** The rules in order, up to `*` or `-`, after which pppd ignores the rest. */
export function rulesOf(addresses: readonly Word[]): Rule[] {
  const rules: Rule[] = [];
  for (const word of addresses) {
    if (word.bytes === '-') break;
    if (word.bytes === '*') return [...rules, { permits: true, base: 0, mask: 0, host: '0.0.0.0' }];
    rules.push(ruleOf(word));
  }
  return rules;
}

function ruleOf(word: Word): Rule {
  const permits = !word.bytes.startsWith('!');
  const [host = '', ...rest] = word.bytes.slice(permits ? 0 : 1).split('/');
  if (rest.length === 0) return hostRule(host, ALL, permits, word);
  const [, digits, plus] = /^\s*(\d+)(\+?)$/.exec(rest.join('/')) ?? [];
  const bits = Number(digits);
  if (digits === undefined || bits < 1 || bits > 32) return { invalid: word };
  return plus === '+' ? { permits, word } : hostRule(host, (ALL << (32 - bits)) >>> 0, permits, word);
}

function hostRule(host: string, mask: number, permits: boolean, word: Word): Rule {
  const address = numberOf(host);
  if (address !== null) return { permits, base: (address & mask) >>> 0, mask, host };
  return HOST_NAME.test(host) ? { permits, word } : { invalid: word };
}

/** An address as inet_aton(3) reads it: possibly fewer than four numbers, octal after 0, hexadecimal after 0x. */
function numberOf(text: string): number | null {
  const parts = text.split('.');
  if (parts.length > 4 || !parts.every((part) => /^(?:0[xX][0-9A-Fa-f]+|0[0-7]*|[1-9]\d*)$/.test(part))) return null;
  const numbers = parts.map((part) => (/^0\d/.test(part) ? Number.parseInt(part, 8) : Number(part)));
  const last = numbers.pop() ?? 0;
  if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return null;
  return numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last);
}

/** pppd never allows these: loopback, multicast and above. */
const isReserved = (address: number): boolean => address >>> 24 === 127 || address >= 0xe0_00_00_00;

/** Whether pppd allows the client this address; null if only pppd can tell. */
export function isPermitted(rules: readonly Rule[], address: number): boolean | null {
  if (isReserved(address)) return false;
  for (const rule of rules) {
    if ('word' in rule) return null;
    if ('base' in rule && (address & rule.mask) >>> 0 === rule.base) return rule.permits;
  }
  return false;
}

/** The first single address of the list, which pppd gives a client that may not have its leased address. */
export function fixedAddress(rules: readonly Rule[]): number | null {
  const single = rules.find((rule) => 'word' in rule || ('base' in rule && rule.mask === ALL));
  return single !== undefined && 'base' in single && isPermitted(rules, single.base) === true ? single.base : null;
}

/** The address of a client with this lease (null: pppd chooses). null: none, undefined: only pppd can tell. */
export function addressGiven(rules: readonly Rule[], lease: number | null): number | null | undefined {
  const allowed = lease === null ? false : isPermitted(rules, lease);
  if (allowed === true) return lease;
  return allowed === null || rules.some((rule) => 'word' in rule) ? undefined : fixedAddress(rules);
}

/** Whether the list allows any address, by the simple test that pppd does at its start. */
export const allowsAny = (addresses: readonly Word[]): boolean => {
  const first = addresses.find(({ bytes }) => !bytes.startsWith('!'));
  return first !== undefined && !first.bytes.startsWith('-');
};

/** What only the machine can tell about rules: addresses of host names, and N of the interface pppN (null: none yet). */
export interface MachineFacts {
  readonly addressOf: (hostName: string) => number | null;
  readonly unit: number | null;
}

const partsOf = ({ permits, word }: { readonly permits: boolean; readonly word: Word }): readonly [string, string] => {
  const [host = '', bits = ''] = word.bytes.slice(permits ? 0 : 1).split('/');
  return [host, bits];
};

/** The host names in the rules whose addresses `resolveRules` asks for. */
export const hostNamesOf = (rules: readonly Rule[]): string[] =>
  rules.flatMap((rule) => {
    const [host] = 'word' in rule ? partsOf(rule) : [''];
    return host === '' || numberOf(host) !== null ? [] : host;
  });

/** The rules without words; a name that the machine does not know is invalid, as for pppd. */
export const resolveRules = (rules: readonly Rule[], facts: MachineFacts): Rule[] =>
  rules.map((rule) => ('word' in rule ? resolveRule(rule, facts) : rule));

function resolveRule(
  rule: { readonly permits: boolean; readonly word: Word },
  { addressOf, unit }: MachineFacts,
): Rule {
  const [host, bits] = partsOf(rule);
  const address = numberOf(host) ?? addressOf(host);
  if (address === null) return { invalid: rule.word };
  const mask = bits === '' ? ALL : (ALL << (32 - Number.parseInt(bits, 10))) >>> 0;
  const network = (address & mask) >>> 0;
  if (!bits.endsWith('+')) return { permits: rule.permits, base: network, mask, host };
  // The first interface has the first address of the network.
  const offset = unit === null ? Infinity : unit + 1;
  if (offset >= ALL - mask) return { invalid: rule.word };
  return { permits: rule.permits, base: network + offset, mask: ALL, host };
}
