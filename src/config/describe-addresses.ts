/** Describes the address pool for `pptpd-ts check`, so that an administrator sees what the ranges contain. */
import { addressList, rangesOf } from './addresses.js';
import type { Configuration } from './schema.js';

/** If there are more ranges, only the first ones and the last one are named. */
const MAX_RANGES = 4;

/** The clients' addresses, the server's, and the maximum number of connections, one line each. */
export function describeAddresses({ addresses, limits }: Configuration): string[] {
  const local = addressList(addresses.local);
  if (addresses.delegate) {
    return [
      'clients: pppd chooses their addresses (addresses.delegate)',
      `server: ${local[0] ?? 'pppd chooses its address too'}`,
      limits.connections === 0
        ? 'connections: no limit (limits.connections is 0)'
        : `connections: at most ${limits.connections} (limits.connections)`,
    ];
  }
  const remote = addressList(addresses.remote);
  const ours =
    local.length === 1
      ? `${local[0]} for every client`
      : `one address for each client, ${rangesText(local.slice(0, remote.length))}`;
  return [
    `clients: ${counted(remote.length, 'address', 'addresses')}, ${rangesText(remote)}`,
    `server: ${ours}`,
    connections(remote.length, limits.connections),
  ];
}

function connections(addresses: number, limit: number): string {
  if (limit > 0 && limit < addresses) {
    return `connections: at most ${limit} (limits.connections), leaving ${addresses - limit} of the addresses free`;
  }
  if (limit > addresses) {
    return `connections: at most ${addresses}, because there are no more addresses (limits.connections is ${limit})`;
  }
  return `connections: at most ${addresses}, one for each address`;
}

function rangesText(addresses: readonly string[]): string {
  const ranges = rangesOf(addresses).map((range) => range.replace('-', ' to '));
  if (ranges.length <= MAX_RANGES) return ranges.join(', ');
  return `${ranges.slice(0, MAX_RANGES - 1).join(', ')} … ${ranges.at(-1)} (${ranges.length} ranges)`;
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
