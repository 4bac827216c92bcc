/** What the section `network` may name: interfaces, and destinations of the clients. Pure. */
import { addressText, firstOf, parseNetwork } from './addresses.js';

/** Names that need no escaping in nft's language. */
const INTERFACE = /^(?!\.{1,2}$)[\w.@:+-]{1,15}$/;
/** Keeps the monitor's message short. */
export const MAX_DESTINATIONS = 50;

export const isUplinkName = (text: string): boolean => INTERFACE.test(text);

/** Where clients may connect to. */
export interface Destination {
  /** `192.0.2.0/24`, from its first address. */
  readonly network: string;
  /** null: all protocols and ports. */
  readonly service: { readonly protocol: 'tcp' | 'udp'; readonly first: number; readonly last: number } | null;
}

const DESTINATION = /^(?<network>\S+)(?: (?<protocol>tcp|udp) (?<first>\d{1,5})(?:-(?<last>\d{1,5}))?)?$/;

/** Reads `192.0.2.0/24`, `192.0.2.1 tcp 443` or `192.0.2.1 udp 5000-5010`; null for anything else. */
export function parseDestination(text: string): Destination | null {
  const { network: written = '', protocol, first, last = first } = DESTINATION.exec(text)?.groups ?? {};
  const parsed = parseNetwork(written);
  if (parsed === null) return null;
  const network = `${addressText(firstOf(parsed))}/${parsed.bits}`;
  if (protocol === undefined) return { network, service: null };
  const service = { protocol: protocol === 'tcp' ? 'tcp' : 'udp', first: Number(first), last: Number(last) } as const;
  return service.first >= 1 && service.first <= service.last && service.last <= 65_535 ? { network, service } : null;
}
