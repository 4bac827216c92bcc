/**
 * Address ranges to addresses, in pptpd's notation and the usual ones: `192.168.0.5`, `192.168.0.234-238` (the dash
 * in any one octet), `10.0.0.1-10.0.0.20`, `192.168.1.0/24` (network and broadcast left out), a comma list or an array
 * of these. IPv4 alone: PPTP knows no other (RFC 2637 §4.1 carries PPP over IPv4 GRE).
 */

/** More addresses than one server can serve (65,535 call ids) are a mistake, and a large block would eat the memory. */
const MAX_ADDRESSES = 65_536;

export type Ranges = string | readonly string[];

export type Expanded =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** All addresses of the ranges in their order, or everything that is wrong with them. */
export function expandRanges(ranges: Ranges): Expanded {
  const pieces = (typeof ranges === 'string' ? [ranges] : ranges).flatMap((list) => list.split(','));
  const problems: string[] = [];
  const seen = new Map<number, string>();
  for (const raw of pieces) {
    const piece = raw.trim();
    const range = parseRange(piece);
    if (typeof range === 'string') {
      problems.push(`"${piece}" ${range}`);
      continue;
    }
    if (seen.size + range.count > MAX_ADDRESSES) {
      problems.push(`"${piece}" makes more than ${MAX_ADDRESSES} addresses in all`);
      continue;
    }
    for (let index = 0; index < range.count; index += 1) {
      const address = range.first + index * range.step;
      const other = seen.get(address);
      if (other !== undefined) {
        problems.push(`"${piece}" has ${addressText(address)} a second time (first in "${other}")`);
        break;
      }
      seen.set(address, piece);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, addresses: [...seen.keys()].map(addressText) };
}

/** The addresses of ranges that the schema has checked. Throws RangeError for others. */
export function addressList(ranges: Ranges): readonly string[] {
  const expanded = expandRanges(ranges);
  if (!expanded.ok) throw new RangeError(expanded.problems.join('; '));
  return expanded.addresses;
}

/** The number of a dotted quad, or null when it is none. */
export function addressNumber(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const octets = match.slice(1).map(Number);
  if (octets.some((octet) => octet > 255)) return null;
  return octets.reduce((number, octet) => number * 256 + octet, 0);
}

export const addressText = (number: number): string =>
  [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');

interface Range {
  readonly first: number;
  readonly count: number;
  /** Between neighbours: 1, or 256, 65536, … when the dash is in an earlier octet. */
  readonly step: number;
}

/** One range, or what is wrong with it, to stand behind its text. */
function parseRange(piece: string): Range | string {
  if (piece === '') return 'is empty; allowed is an address, a range or a block';
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
  if (network === null || bits > 32 || rest.length > 0) return 'is no block; allowed is for example 192.168.1.0/24';
  const size = 2 ** (32 - bits);
  if (network % size !== 0) return `is no block: ${addressText(network - (network % size))}/${bits} begins it`;
  return size <= 2 ? { first: network, count: size, step: 1 } : { first: network + 1, count: size - 2, step: 1 };
}

function parseOctetRange(piece: string): Range | string {
  const wrong = 'is no address or range; allowed are 192.0.2.1, 192.0.2.1-20, 192.0.2.1-192.0.2.20 and 192.0.2.0/24';
  const octets = piece.split('.').map((octet) => /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(octet));
  if (octets.length !== 4) return wrong;
  let first = 0;
  let range: { count: number; step: number } | null = null;
  for (const [index, octet] of octets.entries()) {
    if (octet === null) return wrong;
    const low = Number(octet[1]);
    const high = octet[2] === undefined ? low : Number(octet[2]);
    if (low > 255 || high > 255) return `has an octet over 255`;
    if (octet[2] !== undefined) {
      if (range !== null) return 'has a dash in more than one octet';
      if (high < low) return 'runs backwards';
      range = { count: high - low + 1, step: 256 ** (3 - index) };
    }
    first = first * 256 + low;
  }
  return { first, ...(range ?? { count: 1, step: 1 }) };
}
