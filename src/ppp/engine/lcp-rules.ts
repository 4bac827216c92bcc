/** LCP's options as a server treats them (RFC 1661 §6; RFC 1662 §7.1): what is not here is rejected. */
import type { LCP_OPTIONS } from '../options.js';
import type { Rules } from './option-exchange.js';

/** RFC 1661 §6.1. */
export const DEFAULT_MRU = 1500;
/** Less leaves no room for the option lists of any protocol; pppd's least. */
const MIN_MRU = 128;
/** RFC 1990 §5.1.3: class and address of an endpoint discriminator in hexadecimal, at most 1 and 20 octets. */
const MAX_DISCRIMINATOR = 2 * 21;

export interface LcpTerms {
  readonly mru: number;
  /** Authentication protocols by their names in LCP, the first asked for first. */
  readonly authentication: readonly string[];
  /** A random number other than zero. */
  readonly magicNumber: () => number;
  /** What our own requests ask for: the peer must not have the same. */
  readonly ownMagicNumber: () => number | undefined;
}

export function lcpRules({ mru, authentication, magicNumber, ownMagicNumber }: LcpTerms): Rules<typeof LCP_OPTIONS> {
  let refused: readonly string[] = [];
  return {
    mru: {
      ask: () => (mru === DEFAULT_MRU ? null : mru),
      answer: (value) => (value < MIN_MRU ? { nak: MIN_MRU } : 'ack'),
      // The client may send us less than we can receive.
      nakked: (proposed, asked) => (proposed <= Math.max(mru, DEFAULT_MRU) ? proposed : asked),
    },
    // PPTP's GRE carries whole frames: nothing is escaped (RFC 2637 §4).
    accm: { ask: () => 0, answer: () => 'ack', nakked: (proposed, asked) => (proposed | asked) >>> 0 },
    authentication: {
      ask: () => {
        refused = [];
        return authentication[0] ?? null;
      },
      // The client's own wish if it is allowed, otherwise our next method.
      nakked: (proposed, asked) => {
        refused = [...refused, asked];
        const left = authentication.filter((name) => !refused.includes(name));
        return left.includes(proposed) ? proposed : (left[0] ?? null);
      },
    },
    magicNumber: {
      ask: magicNumber,
      // RFC 1661 §6.4: zero is no number, and our own means a loop.
      answer: (value) => (value === 0 || value === ownMagicNumber() ? { nak: magicNumber() } : 'ack'),
      nakked: magicNumber,
      endless: true,
    },
    protocolFieldCompression: { ask: () => true, answer: () => 'ack' },
    addressControlCompression: { ask: () => true, answer: () => 'ack' },
    // Windows asks for it with multilink, which is rejected; alone it does no harm.
    endpointDiscriminator: {
      answer: (value) => (value.length > 0 && value.length <= MAX_DISCRIMINATOR ? 'ack' : 'reject'),
    },
  };
}
