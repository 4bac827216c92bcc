/** Finds the interface on which to answer ARP requests for a client's address: the one in whose network it lies. */
import { networkInterfaces } from 'node:os';
import { addressNumber } from '../config/addresses.js';

const NO_HARDWARE_ADDRESS = '00:00:00:00:00:00';

/** Of several interfaces, the one with the smallest network; null if there is none. */
export function proxyArpInterface(address: string, all = networkInterfaces()): string | null {
  const wanted = addressNumber(address) ?? 0;
  let [best, smallest]: [string | null, number] = [null, 0];
  for (const [name, addresses = []] of Object.entries(all)) {
    for (const { family, internal, mac, address: own, netmask } of addresses) {
      const mask = addressNumber(netmask);
      if (family !== 'IPv4' || internal || mac === NO_HARDWARE_ADDRESS || mask === null) continue;
      const isInside = (((addressNumber(own) ?? 0) ^ wanted) & mask) === 0;
      // An alias of an interface is called eth0:1.
      if (isInside && mask > smallest) [best, smallest] = [name.split(':', 1).join(), mask];
    }
  }
  return best;
}
