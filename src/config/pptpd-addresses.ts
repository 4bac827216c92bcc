/**
 * Reads lists of addresses as pptpd 1.4.0 does (observed on Debian's build). pptpd splits them only at commas, reads a
 * single address by inet_addr(3), which ignores what follows a space, and looks up anything else as a host name. It stops
 * when it has one address per connection, so the rest of the list may be anything.
 */
import { addressText, expandRanges } from './addresses.js';

/** The address that the machine knows for a host name; null if it knows none. */
export type LookUp = (name: string) => string | null;

export interface Piece {
  readonly text: string;
  readonly addresses: readonly string[];
  readonly isHostName: boolean;
}

export type PptpdList =
  | { readonly starts: true; readonly pieces: readonly Piece[]; readonly isCut: boolean }
  /** pptpd would not start. `reason` is a clause about the piece. */
  | { readonly starts: false; readonly piece: string; readonly reason: string };

/** `most`: maximum number of addresses that pptpd reads. `isUnique`: pptpd refuses a repeated word. */
export function readPptpdList(value: string, most: number, isUnique: boolean, lookUp: LookUp): PptpdList {
  const pieces: Piece[] = [];
  const words = new Set<string>();
  let count = 0;
  for (const text of value.split(',')) {
    const refuse = (reason: string): PptpdList => ({ starts: false, piece: text, reason });
    const isHostName = inetAddress(text) === null && !isRange(text);
    const range = isRange(text) ? rangeOf(text) : [text];
    if (typeof range === 'string') return refuse(range);
    const addresses: string[] = [];
    pieces.push({ text, addresses, isHostName });
    for (const word of range) {
      const address = isHostName ? hostAddress(word, lookUp) : inetAddress(word);
      if (address === null) return refuse(isHostName ? whyNoAddress(text) : `${word} is not an address`);
      if (isRange(text) && address === BROADCAST) return refuse(`${word} is not an address for a client`);
      if (count === most) return { starts: true, pieces, isCut: true };
      if (isUnique && words.has(word)) return refuse(`${address} is repeated`);
      words.add(word);
      count += 1;
      addresses.push(address);
    }
  }
  return { starts: true, pieces, isCut: false };
}

/** inet_addr(3) returns the same value for it as for an error. */
const BROADCAST = '255.255.255.255';

const NUMBER = '(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)';
const INET_ADDRESS = new RegExp(`^(${NUMBER}(?:\\.${NUMBER}){0,3})(?![^ \\t\\n\\v\\f\\r])`, 'i');

/**
 * An address as inet_addr(3) reads it: one to four numbers, decimal, octal (a leading 0) or hexadecimal; the last one fills
 * the remaining octets, and what follows a space is ignored. null if the text is not an address.
 */
export function inetAddress(text: string): string | null {
  const numbers = INET_ADDRESS.exec(text)?.[1]?.split('.').map(numberOf) ?? [];
  const last = numbers.pop();
  if (last === undefined || numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return null;
  return addressText(numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last));
}

const numberOf = (digits: string): number => (/^0\d/.test(digits) ? Number.parseInt(digits, 8) : Number(digits));

/** The address that pptpd reads from one word, which is an address or a host name; null if it is neither. */
export const pptpdAddress = (text: string, lookUp: LookUp): string | null =>
  inetAddress(text) ?? hostAddress(text, lookUp);

/** The address of the host of this name. A word without a letter is not a name. */
const hostAddress = (text: string, lookUp: LookUp): string | null =>
  /^(?=.*[a-z])[a-z0-9][a-z0-9._-]*$/i.test(text) ? lookUp(text) : null;

const isRange = (text: string): boolean =>
  /^[\d.-]+$/.test(text) && /^[^-]*-[^-]*$/.test(text) && /^[^.]*(?:\.[^.]*){3}$/.test(text);

/**
 * The addresses of a range with a dash in one octet, or a clause that says why there are none. pptpd reads at most seven
 * characters of an octet with a dash, and at most three of a number. If it would continue with characters that it has not
 * read, the range counts as refused.
 */
function rangeOf(text: string): readonly string[] | string {
  const octets = text.match(/[^.]{1,7}/g)?.slice(0, 4) ?? [];
  if (octets.length < 4) return 'it is not a range';
  const at = octets.findLastIndex((octet) => octet.includes('-'));
  if (at === -1) return [];
  const [low = '', high = ''] = (octets[at] ?? '').replace('-', ' ').match(/\S{1,3}/g) ?? [];
  if (low === '' || high === '') return 'it is not a range';
  if (Number(high) < Number(low)) return 'it runs backwards';
  const numbers = octets.map((octet) => octet.slice(0, 3));
  return Array.from({ length: Number(high) - Number(low) + 1 }, (_, step) =>
    numbers.with(at, String(Number(low) + step)).join('.'),
  );
}

/** What keeps pptpd from reading a piece, the most common mistake first. */
const OBSTACLES: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^$/, 'an address is missing'],
  [/\u00A0/, 'a no-break space is part of the word'],
  [/^\s/, 'there is a space after a comma'],
  [/^[\d.-]*-[\d.]*\s*#/, 'there is a comment after a range'],
  [/^[\d.]+#/, 'there is a comment without a space before it'],
  [/^[\d.-]*-[\d.]*\r$/, 'there is a CR (a DOS line end) after a range'],
  [/^[\d.-]*-[\d.]*\s/, 'there is a space after a range'],
  [/^[\d.]+-[\d.]+$/, 'a range has its dash in one octet'],
  [/\//, 'pptpd does not support blocks'],
];

const whyNoAddress = (text: string): string =>
  OBSTACLES.find(([pattern]) => pattern.test(text))?.[1] ??
  'it is not an address, and this machine knows no host of that name';

/** A list that pptpd refuses, as it was probably meant: ranges in our notation, and the result of `expandRanges`. */
export function readAsMeant(value: string): { readonly ranges: readonly string[] } & ReturnType<typeof expandRanges> {
  const ranges = value
    .replace(/#.*/s, '')
    .split(',')
    .map((range) => range.trim());
  return { ranges, ...expandRanges(ranges) };
}
