/**
 * Expands address ranges, in pptpd's notation and the usual ones: `192.168.0.5`, `192.168.0.234-238` (the dash
 * in any one octet), `10.0.0.1-10.0.0.20`, `192.168.1.0/24` (network and broadcast left out), a comma list or an array
 * of these. IPv4 only, as PPTP itself (RFC 2637 §4.1 carries PPP over IPv4 GRE).
 */

/** One server has only 65,535 call ids. More addresses are a mistake, and a large block would take too much memory. */
const MAX_ADDRESSES = 65_536;

export type Ranges = string | readonly string[];

/** An invalid range. */
export interface RangeProblem {
  /** Index in the array, from 0; null if the ranges are one string. */
  readonly index: number | null;
  readonly range: string;
  /** The rest of a sentence that begins with "it". */
  readonly reason: string;
}

export type Expanded =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly problems: readonly RangeProblem[] };

/** All addresses of the ranges in their order, or all problems. */
export function expandRanges(ranges: Ranges): Expanded {
  const lists = typeof ranges === 'string' ? [ranges] : ranges;
  const pieces = lists.flatMap((list, index) =>
    list.split(',').map((piece) => ({ range: piece.trim(), index: typeof ranges === 'string' ? null : index })),
  );
  const problems: RangeProblem[] = [];
  const seen = new Map<number, string>();
  for (const { range, index } of pieces) {
    const parsed = parseRange(range);
    if (typeof parsed === 'string') {
      problems.push({ range, index, reason: parsed });
      continue;
    }
    if (seen.size + parsed.count > MAX_ADDRESSES) {
      problems.push({ range, index, reason: `brings the number of addresses above ${MAX_ADDRESSES}` });
      continue;
    }
    for (let step = 0; step < parsed.count; step += 1) {
      const address = parsed.first + step * parsed.step;
      const other = seen.get(address);
      if (other !== undefined) {
        problems.push({ range, index, reason: `has ${addressText(address)} a second time, after "${other}"` });
        break;
      }
      seen.set(address, range);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, addresses: [...seen.keys()].map(addressText) };
}

/** Combines consecutive addresses into ranges such as `192.0.2.1-192.0.2.9`, and keeps the order. */
export function rangesOf(addresses: readonly string[]): string[] {
  const runs: { first: string; last: string; next: number }[] = [];
  for (const address of addresses) {
    const number = addressNumber(address) ?? Number.NaN;
    const run = runs.at(-1);
    if (run?.next === number) {
      run.last = address;
      run.next += 1;
    } else {
      runs.push({ first: address, last: address, next: number + 1 });
    }
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first}-${last}`));
}

/** The addresses of ranges that the schema has checked. Throws RangeError for invalid ones. */
export function addressList(ranges: Ranges): readonly string[] {
  const expanded = expandRanges(ranges);
  if (!expanded.ok) {
    throw new RangeError(expanded.problems.map(({ range, reason }) => `"${range}" ${reason}`).join('; '));
  }
  return expanded.addresses;
}

/** One octet. A leading zero is refused, because inet_aton(3), and so pppd, reads it as octal. */
const OCTET = /^(?:0|[1-9]\d{0,2})$/;

/** A dotted quad as a number; null if the text is none. */
export function addressNumber(text: string): number | null {
  const octets = text.split('.');
  if (octets.length !== 4 || octets.some((octet) => !OCTET.test(octet) || Number(octet) > 255)) return null;
  return octets.reduce((number, octet) => number * 256 + Number(octet), 0);
}

export const addressText = (number: number): string =>
  [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');

export interface Network {
  /** The address as it is written, which need not be the first of the network. */
  readonly address: number;
  /** Length of the prefix, 0 to 32. */
  readonly bits: number;
}

/** Reads `192.0.2.1` (32 bits) or `192.0.2.0/24`; null for anything else. */
export function parseNetwork(text: string): Network | null {
  const [host = '', length = '32', ...rest] = text.split('/');
  const address = addressNumber(host);
  const bits = /^\d{1,2}$/.test(length) ? Number(length) : 33;
  return address === null || bits > 32 || rest.length > 0 ? null : { address, bits };
}

/** Of 127.0.0.0/8, which only this machine can reach. */
export const isLoopback = (text: string): boolean => Math.floor((addressNumber(text) ?? 0) / 2 ** 24) === 127;

/** The first address of a network. */
export const firstOf = ({ address, bits }: Network): number => address - (address % 2 ** (32 - bits));

/** Whether a dotted quad is in a network such as `192.0.2.0/24`. */
export function isWithin(address: string, network: string): boolean {
  const [number, parsed] = [addressNumber(address), parseNetwork(network)];
  return number !== null && parsed !== null && firstOf({ ...parsed, address: number }) === firstOf(parsed);
}

interface Range {
  readonly first: number;
  readonly count: number;
  /** Difference between successive addresses: 1, or 256, 65536, … if the dash is in an earlier octet. */
  readonly step: number;
}

/** One range, or its RangeProblem.reason. */
function parseRange(piece: string): Range | string {
  if (piece === '') return 'is empty';
  if (piece.includes('/')) return parseBlock(piece);
  const address = addressNumber(piece);
  if (address !== null) return { first: address, count: 1, step: 1 };
  const [from = '', to = '', ...rest] = piece.split('-');
  const [first, last] = [addressNumber(from), addressNumber(to)];
  if (rest.length === 0 && first !== null && last !== null) {
    return last < first ? 'runs backwards' : { first, count: last - first + 1, step: 1 };
  }
  return parseOctetRange(piece);
}

function parseBlock(piece: string): Range | string {
  const [text = '', bitsText = '', ...rest] = piece.split('/');
  const network = addressNumber(text);
  const bits = /^\d{1,2}$/.test(bitsText) ? Number(bitsText) : 33;
  if (network === null || bits > 32 || rest.length > 0) return 'is not a valid block';
  const size = 2 ** (32 - bits);
  if (network % size !== 0)
    return `is not the start of its block, which is ${addressText(network - (network % size))}/${bits}`;
  return size <= 2 ? { first: network, count: size, step: 1 } : { first: network + 1, count: size - 2, step: 1 };
}

function parseOctetRange(piece: string): Range | string {
  const wrong = 'is not an address, range or block';
  const octets = piece.split('.').map((octet) => /^(0|[1-9]\d{0,2})(?:-(0|[1-9]\d{0,2}))?$/.exec(octet));
  if (octets.length !== 4) return wrong;
  let first = 0;
  let range: { count: number; step: number } | null = null;
  for (const [index, octet] of octets.entries()) {
    if (octet === null) return wrong;
    const low = Number(octet[1]);
    const high = octet[2] === undefined ? low : Number(octet[2]);
    if (low > 255 || high > 255) return 'has an octet over 255';
    if (octet[2] !== undefined) {
      if (range !== null) return 'has a dash in more than one octet';
      if (high < low) return 'runs backwards';
      range = { count: high - low + 1, step: 256 ** (3 - index) };
    }
    first = first * 256 + low;
  }
  return { first, ...(range ?? { count: 1, step: 1 }) };
}
