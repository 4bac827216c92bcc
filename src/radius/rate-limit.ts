/**
 * Speed limits that vendors' attributes declare. Mikrotik-Rate-Limit counts before WISPr-Bandwidth-Max-Up and -Down, since it
 * says more. Pure.
 */
import { type Attribute, valueOf } from './attributes.js';
import { FASTEST, type Rate, SLOWEST } from './protocol.js';

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const RATE = /^(\d{1,12})([kmg]?)$/i;

/** Bits per second; null: no limit. At less than SLOWEST a login could not succeed. */
const limitOf = (bits: number): number | null => (bits === 0 || bits > FASTEST ? null : Math.max(SLOWEST, bits));

/** undefined: not a rate. */
function parseRate(text: string): number | null | undefined {
  const [, digits, unit] = RATE.exec(text) ?? [];
  const factor = FACTORS[unit?.toLowerCase() ?? ''];
  return digits === undefined || factor === undefined ? undefined : limitOf(Number(digits) * factor);
}

/**
 * `RX[/TX] …` from the server's view: it receives what the client sends. Without TX both are RX. What follows is about bursts,
 * which are not supported. null: not a rate limit.
 */
export function parseMikrotik(text: string): Required<Rate> | null {
  const [rates = ''] = text.trim().split(/\s+/);
  const [rx = '', tx = rx, ...more] = rates.split('/');
  const [up, down] = [parseRate(rx), parseRate(tx)];
  return up === undefined || down === undefined || more.length > 0 ? null : { up, down };
}

/** `unreadable`: the value of a Mikrotik-Rate-Limit that is invalid and was ignored; null: there is none. */
export function rateOf(attributes: readonly Attribute[]): { readonly rate: Rate; readonly unreadable: string | null } {
  const mikrotik = valueOf(attributes, 'Mikrotik-Rate-Limit');
  const parsed = mikrotik === null ? null : parseMikrotik(mikrotik);
  if (parsed !== null) return { rate: parsed, unreadable: null };
  const up = valueOf(attributes, 'WISPr-Bandwidth-Max-Up');
  const down = valueOf(attributes, 'WISPr-Bandwidth-Max-Down');
  return {
    rate: { ...(up === null ? {} : { up: limitOf(up) }), ...(down === null ? {} : { down: limitOf(down) }) },
    unreadable: mikrotik,
  };
}
