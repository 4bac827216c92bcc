/** IPV6CP's interface identifiers (RFC 5072 §4.1): each side makes one at random, and they must differ. */
import type { IPV6CP_OPTIONS } from '../options.js';
import type { Rules } from './option-exchange.js';

const ZERO = '0:0:0:0';

export interface Ipv6cpTerms {
  /** A random identifier other than zero. */
  readonly identifier: () => string;
  /** What our own requests ask for. */
  readonly own: () => string | undefined;
}

export function ipv6cpRules({ identifier, own }: Ipv6cpTerms): Rules<typeof IPV6CP_OPTIONS> {
  return {
    interfaceIdentifier: {
      ask: identifier,
      answer: (value) => (value === ZERO || value === own() ? { nak: identifier() } : 'ack'),
      propose: identifier,
      nakked: (proposed) => (proposed === ZERO ? identifier() : proposed),
    },
  };
}
