/**
 * MPPE's negotiation in CCP (RFC 3078 §2), as pppd does it: each side asks for what it wants to receive; several key
 * lengths are an offer, of which the other side names one.
 */
import type { CCP_OPTIONS, MppeOffer } from '../options.js';
import type { Rules } from './option-exchange.js';
import type { KeyLength } from './settings.js';

export interface CcpTerms {
  /** Key lengths that are allowed and have keys. */
  readonly keys: () => readonly KeyLength[];
  readonly statelessOnly: boolean;
}

const strongest = (keys: readonly KeyLength[]): readonly KeyLength[] => (keys.length === 0 ? [] : [maxOf(keys)]);
const maxOf = (keys: readonly KeyLength[]): KeyLength => keys.reduce((one, other) => (other > one ? other : one));

/** The rest of CCP's options are compression, which nobody here does: rejected. */
export function ccpRules({ keys, statelessOnly }: CcpTerms): Rules<typeof CCP_OPTIONS> {
  const whole = (): MppeOffer => ({ keys: keys(), stateless: true, mppc: false });

  return {
    mppe: {
      ask: () => (keys().length === 0 ? null : whole()),
      answer: (offer, exact) => {
        if (!offer.stateless && statelessOnly) return 'reject';
        if (offer.keys.length === 0) return keys().length === 0 ? 'reject' : { nak: whole() };
        const allowed = offer.keys.filter((key) => keys().includes(key));
        if (allowed.length === 0) return 'reject';
        const isOne = offer.keys.length === 1 && exact && !offer.mppc;
        return isOne ? 'ack' : { nak: { keys: strongest(allowed), stateless: offer.stateless, mppc: false } };
      },
      nakked: (proposed, asked) => {
        const isWithin = proposed.keys.length > 0 && proposed.keys.every((key) => asked.keys.includes(key));
        return isWithin && !proposed.mppc && (proposed.stateless || !statelessOnly) ? proposed : null;
      },
    },
  };
}
