/** Converts the configuration's addresses into pairs to lease: one local address for all, or one for each remote address. */
import { addressList } from '../config/addresses.js';
import type { Configuration } from '../config/schema.js';
import type { LeasePool } from './leases.js';

/** Expects a checked configuration: no list is empty, and local has one address or at least as many as remote. */
export function configuredPool({ addresses, limits }: Configuration): LeasePool {
  const locals = addressList(addresses.local);
  if (addresses.delegate) {
    return { pairs: [], delegated: { local: locals[0] ?? null }, connections: limits.connections };
  }
  const remotes = addressList(addresses.remote);
  const pairs = remotes.flatMap((remote, index) => {
    const local = locals.length === 1 ? locals[0] : locals[index];
    return local === undefined ? [] : [{ local, remote }];
  });
  return { pairs, delegated: null, connections: limits.connections };
}
