/** The interfaces between which broadcasts are relayed, and their current state. */
import { readFileSync } from 'node:fs';
import { type Address, LIMITED_BROADCAST } from './packet.js';
import { IFF_POINTOPOINT, IFF_RUNNING, IFF_UP, InterfaceQueries } from '../sys/network-interface.js';

/** Not /sys/class/net: that shows the network namespace in which it was mounted, which may be a different one. */
const INTERFACES = '/proc/net/dev';
const TUNNEL = /^ppp\d+$/;

export interface Lan {
  readonly index: number;
  /** The broadcast address of its network; 255.255.255.255 while it has no address. */
  readonly broadcast: Address;
}

export interface Tunnel {
  readonly name: string;
  readonly index: number;
  /** The client's address; null for an interface that is not point-to-point. */
  readonly peer: Address | null;
}

export class Interfaces {
  readonly #queries = new InterfaceQueries();

  /** null if there is no interface of that name. */
  lan(name: string): Lan | null {
    const index = this.#queries.index(name);
    return index === null ? null : { index, broadcast: this.#queries.broadcast(name) ?? LIMITED_BROADCAST };
  }

  /** The tunnels that are up, by interface index. */
  tunnels(): Map<number, Tunnel> {
    const tunnels = new Map<number, Tunnel>();
    for (const line of readFileSync(INTERFACES, 'latin1').split('\n')) {
      const name = line.slice(0, Math.max(0, line.indexOf(':'))).trim();
      if (!TUNNEL.test(name)) continue;
      const flags = this.#queries.flags(name) ?? 0;
      const index = this.#queries.index(name);
      if (index === null || (flags & IFF_UP) === 0 || (flags & IFF_RUNNING) === 0) continue;
      const peer = (flags & IFF_POINTOPOINT) === 0 ? null : this.#queries.peer(name);
      tunnels.set(index, { name, index, peer });
    }
    return tunnels;
  }

  close(): void {
    this.#queries.close();
  }
}
