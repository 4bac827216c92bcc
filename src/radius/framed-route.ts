/** Framed-Route (RFC 2865 §5.22): a network behind the client, as text that administrators write. Pure. */
import { isAddress } from '../sys/message-fields.js';
import type { FramedRoute } from './protocol.js';

/** Networks that no client can have: this one, loopback, multicast and reserved ones; first octets. */
const NO_NETWORKS = [0, 127];
const FIRST_MULTICAST = 224;
const MAX_METRIC = 2 ** 31 - 1;

export type ParsedRoute =
  | { readonly ok: true; readonly route: FramedRoute }
  | { readonly ok: false; readonly problem: string };

const problem = (text: string): ParsedRoute => ({ ok: false, problem: text });

/** `NETWORK[/BITS] [GATEWAY [METRIC…]]`. Of several metrics the first counts; -1 says nothing. */
export function parseFramedRoute(text: string): ParsedRoute {
  const [destination = '', gateway, metric, ...more] = text.trim().split(/\s+/);
  const [network = '', bits, ...rest] = destination.split('/');
  const isRight =
    isAddress(network) &&
    rest.length === 0 &&
    (bits === undefined || /^\d{1,2}$/.test(bits)) &&
    (gateway === undefined || isAddress(gateway)) &&
    [metric, ...more].every((each) => each === undefined || /^-?\d{1,10}$/.test(each));
  if (!isRight) return problem('it is not NETWORK/BITS GATEWAY METRIC');
  const octets = network.split('.').map(Number);
  const [first = 0] = octets;
  const length = bits === undefined ? classOf(first) : Number(bits);
  if (length === 0) return problem("it would replace the server's own default route");
  if (length > 32) return problem('its prefix is longer than 32 bits');
  if (NO_NETWORKS.includes(first) || first >= FIRST_MULTICAST) return problem('no client can have this network');
  if (octets.reduce((number, octet) => number * 256 + octet, 0) % 2 ** (32 - length) !== 0)
    return problem(`${network} has host bits for a prefix of ${length} bits`);
  const number = Number(metric ?? -1);
  return {
    ok: true,
    route: {
      network: `${network}/${length}`,
      gateway: gateway === undefined || gateway === '0.0.0.0' ? null : gateway,
      metric: number < 0 || number > MAX_METRIC ? null : number,
    },
  };
}

/** RFC 2865 §5.22: without a length the prefix is that of the address's class. */
function classOf(first: number): number {
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}
