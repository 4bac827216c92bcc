/**
 * Lists of addresses as pptpd 1.4.0 reads them, observed on Debian's. It splits at commas and nowhere else, reads a
 * single address by inet_addr(3), which ignores what follows a space, looks up what is none, and stops reading as soon
 * as it has as many addresses as it allows connections: what stands behind that may be anything.
 */
import { addressText, expandRanges } from './addresses.js';

/** The address of a host name, or null; as the machine knows it. */
export type LookUp = (name: string) => string | null;

/** What one piece between two commas has given. */
export interface Piece {
  readonly text: string;
  readonly addresses: readonly string[];
  readonly isHostName: boolean;
}

export type PptpdList =
  | { readonly starts: true; readonly pieces: readonly Piece[]; readonly isCut: boolean }
  /** pptpd would not start; `reason` is to stand in parentheses behind the piece. */
  | { readonly starts: false; readonly piece: string; readonly reason: string };

/** `most`: of how many addresses pptpd takes note. `isUnique`: pptpd ends at a word that it has met already. */
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
      if (address === null) return refuse(isHostName ? whyNoAddress(text) : `${word} is no address`);
      if (isRange(text) && address === BROADCAST) return refuse(`${word} is no address of a client`);
      if (count === most) return { starts: true, pieces, isCut: true };
      if (isUnique && words.has(word)) return refuse(`${address} stands there already`);
      words.add(word);
      count += 1;
      addresses.push(address);
    }
  }
  return { starts: true, pieces, isCut: false };
}

/** inet_addr(3) gives the same for it as for what is no address. */
const BROADCAST = '255.255.255.255';

const NUMBER = '(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)';
const INET_ADDRESS = new RegExp(`^(${NUMBER}(?:\\.${NUMBER}){0,3})(?![^ \\t\\n\\v\\f\\r])`, 'i');

/**
 * As inet_addr(3) reads it: one to four numbers, decimal, octal (a leading 0) or hexadecimal, the last of which fills
 * the octets that are left; what follows a space is ignored. Null when it is no address.
 */
export function inetAddress(text: string): string | null {
  const numbers = INET_ADDRESS.exec(text)?.[1]?.split('.').map(numberOf) ?? [];
  const last = numbers.pop();
  if (last === undefined || numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return null;
  return addressText(numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last));
}

const numberOf = (digits: string): number => (/^0\d/.test(digits) ? Number.parseInt(digits, 8) : Number(digits));

/** The address that pptpd takes for one word: of the address that stands there, or of the host that has this name. */
export const pptpdAddress = (text: string, lookUp: LookUp): string | null =>
  inetAddress(text) ?? hostAddress(text, lookUp);

/** Of a host that has this name; a word without a letter is none. */
const hostAddress = (text: string, lookUp: LookUp): string | null =>
  /^(?=.*[a-z])[a-z0-9][a-z0-9._-]*$/i.test(text) ? lookUp(text) : null;

const isRange = (text: string): boolean =>
  /^[\d.-]+$/.test(text) && /^[^-]*-[^-]*$/.test(text) && /^[^.]*(?:\.[^.]*){3}$/.test(text);

/**
 * The words of a range with a dash in one octet, or why it gives none. pptpd reads at most seven characters for an octet
 * with its dash, and at most three for a number; where it would go on with what it has not read, it is taken to refuse.
 */
function rangeOf(text: string): readonly string[] | string {
  const octets = text.match(/[^.]{1,7}/g)?.slice(0, 4) ?? [];
  if (octets.length < 4) return 'it is no range';
  const at = octets.findLastIndex((octet) => octet.includes('-'));
  if (at === -1) return [];
  const [low = '', high = ''] = (octets[at] ?? '').replace('-', ' ').match(/\S{1,3}/g) ?? [];
  if (low === '' || high === '') return 'it is no range';
  if (Number(high) < Number(low)) return 'it runs backwards';
  const numbers = octets.map((octet) => octet.slice(0, 3));
  return Array.from({ length: Number(high) - Number(low) + 1 }, (_, step) =>
    numbers.with(at, String(Number(low) + step)).join('.'),
  );
}

/** What in a piece keeps pptpd from reading it, from the commonest mistake on. */
const OBSTACLES: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^$/, 'there is nothing where an address is due'],
  [/\u00A0/, 'a no-break space belongs to the word'],
  [/^\s/, 'there is a space behind a comma'],
  [/^[\d.-]*-[\d.]*\s*#/, 'there is a comment behind a range'],
  [/^[\d.]+#/, 'there is a comment without a space before it'],
  [/^[\d.-]*-[\d.]*\r$/, 'there is a CR, of a DOS line end, behind a range'],
  [/^[\d.-]*-[\d.]*\s/, 'there is a space behind a range'],
  [/^[\d.]+-[\d.]+$/, 'a range is a dash in one octet'],
  [/\//, 'pptpd knows no blocks'],
];

const whyNoAddress = (text: string): string =>
  OBSTACLES.find(([pattern]) => pattern.test(text))?.[1] ?? 'it is no address, and no host of that name is known here';

/** What a list that pptpd refuses was meant to say, in our notation; problems as `expandRanges` has them. */
export function readAsMeant(value: string): { readonly ranges: readonly string[] } & ReturnType<typeof expandRanges> {
  const ranges = value
    .replace(/#.*/s, '')
    .split(',')
    .map((range) => range.trim());
  return { ranges, ...expandRanges(ranges) };
}
