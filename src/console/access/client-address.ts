/** The client of a request: the other end of the connection, or the client that a proxy names. Pure. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { addressText, parseNetwork } from '../../config/addresses.js';

export interface Peer {
  /** null: a unix socket, or a connection that is closed already. */
  readonly address: string | null;
  readonly isTls: boolean;
}

export interface Client {
  /** An address; `unknown` if there is none. */
  readonly address: string;
  readonly isHttps: boolean;
}

type HeaderOf = (name: string) => string | undefined;

/** ::ffff:192.0.2.1 is 192.0.2.1. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

export class ClientAddresses {
  readonly #proxies = new BlockList();

  readonly #isUnixSocket: boolean;

  /** `proxies`: their headers are trusted. `isUnixSocket`: all headers are trusted, because only a proxy connects there. */
  constructor(proxies: readonly string[], isUnixSocket: boolean) {
    this.#isUnixSocket = isUnixSocket;
    for (const text of proxies) {
      const network = parseNetwork(text);
      if (network !== null) this.#proxies.addSubnet(addressText(network.address), network.bits);
    }
  }

  #isProxy({ address }: Peer): boolean {
    return this.#isUnixSocket || (address !== null && this.#isProxyAddress(plain(address)));
  }

  /** The last entry of X-Forwarded-For that is not a proxy: the client may have invented everything before it. */
  of(peer: Peer, header: HeaderOf): Client {
    const own = peer.address === null ? 'unknown' : plain(peer.address);
    if (!this.#isProxy(peer)) return { address: own, isHttps: peer.isTls };
    const isHttps = peer.isTls || header('x-forwarded-proto')?.trim().toLowerCase() === 'https';
    const named = (header('x-forwarded-for') ?? '').split(',').map((part) => plain(part.trim()));
    const last = named.findLast((address) => !this.#isProxyAddress(address)) ?? '';
    return { address: isIP(last) === 0 ? own : last, isHttps };
  }

  #isProxyAddress(address: string): boolean {
    return isIP(address) !== 0 && this.#proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** The key by which failures are counted: an IPv6 client has a whole /64. */
export function countedAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  // An IPv4 address at the end takes two groups.
  const given = first.length + last.length + (last.at(-1)?.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - given) }, () => '0');
  const network = [...first, ...zeros, ...last].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
