/**
 * The address pairs and call ids that clients hold. A session holds one address: its lease's, or the one that PPP agreed with
 * its client instead (from chap-secrets or RADIUS). No other session gets an address that is held. A returned address is
 * reused as late as possible, so that packets still on their way to its last user reach nobody else.
 */
import { randomInt } from 'node:crypto';
import type { Lease } from '../session/lease.js';

interface AddressPair {
  readonly local: string | null;
  readonly remote: string;
}

/** What the configuration grants: pairs to lease, or only a number of sessions, whose addresses pppd chooses. */
export interface LeasePool {
  readonly pairs: readonly AddressPair[];
  /** With `addresses.delegate`: the server's end (or null); there are no pairs. */
  readonly delegated: { readonly local: string | null } | null;
  /** The limit of leases; 0: as many as there are addresses and call ids. */
  readonly connections: number;
}

const MAX_CALL_ID = 0xffff;

export class Leases {
  #pool: LeasePool;
  #free: AddressPair[] = [];
  readonly #leased = new Map<number, Lease>();
  /** By call id: the address that PPP agreed instead of the lease's. */
  readonly #agreed = new Map<number, string>();
  /** Called when a lease or an address is returned. */
  onFreed: () => void = () => undefined;

  constructor(pool: LeasePool) {
    this.#pool = pool;
    this.reconfigure(pool);
  }

  get leasedCount(): number {
    return this.#leased.size;
  }

  /** The largest number of leases that connections, addresses and call ids allow. */
  get most(): number {
    const { connections, delegated } = this.#pool;
    const addresses = delegated === null ? this.#leased.size + this.#free.length : MAX_CALL_ID;
    return Math.min(connections || MAX_CALL_ID, addresses, MAX_CALL_ID);
  }

  /** Exchanges the pool. Live sessions keep what they hold; it is reused only if it is in the new pool. */
  reconfigure(pool: LeasePool): void {
    this.#pool = pool;
    const held = this.#heldRemotes();
    const fresh = new Map(pool.pairs.filter(({ remote }) => !held.has(remote)).map((pair) => [pair.remote, pair]));
    // In the order in which they were returned.
    const known = this.#free.flatMap(({ remote }) => fresh.get(remote) ?? []);
    for (const { remote } of known) fresh.delete(remote);
    this.#free = [...known, ...fresh.values()];
  }

  /** A lease for a new client; null when every address, connection or call id is taken. */
  take(): Lease | null {
    const { connections, delegated } = this.#pool;
    if (connections > 0 && this.#leased.size >= connections) return null;
    if (this.#leased.size >= MAX_CALL_ID) return null;
    const pair = delegated === null ? this.#free.shift() : { local: delegated.local, remote: null };
    if (pair === undefined) return null;
    const lease = { ...pair, callId: this.#newCallId() };
    this.#leased.set(lease.callId, lease);
    return lease;
  }

  /** Takes over the lease of a live session that an earlier manager started. */
  adopt(lease: Lease): void {
    this.#leased.set(lease.callId, lease);
    this.#withdraw(lease.remote);
  }

  /**
   * Notes which address the session with this lease uses: `remote` as agreed by PPP, or, once the call is over, the lease's
   * own address again. Does nothing if the lease was returned.
   */
  use(lease: Lease, remote: string | null): void {
    if (this.#leased.get(lease.callId) !== lease) return;
    const before = this.#heldBy(lease);
    if (remote === null || remote === lease.remote) this.#agreed.delete(lease.callId);
    else this.#agreed.set(lease.callId, remote);
    const now = this.#heldBy(lease);
    if (now === before) return;
    this.#withdraw(now);
    this.#putBack(before);
  }

  /** Takes a lease back; idempotent. */
  giveBack(lease: Lease): void {
    if (this.#leased.get(lease.callId) !== lease) return;
    const held = this.#heldBy(lease);
    this.#leased.delete(lease.callId);
    this.#agreed.delete(lease.callId);
    this.#putBack(held);
  }

  #heldBy(lease: Lease): string | null {
    return this.#agreed.get(lease.callId) ?? lease.remote;
  }

  #heldRemotes(): Set<string | null> {
    return new Set([...this.#leased.values()].map((lease) => this.#heldBy(lease)));
  }

  #withdraw(address: string | null): void {
    this.#free = this.#free.filter(({ remote }) => remote !== address);
  }

  /** Frees an address that a session held, if it is in the pool and no other session holds it. */
  #putBack(address: string | null): void {
    const pair = this.#pool.pairs.find(({ remote }) => remote === address);
    if (pair !== undefined && !this.#heldRemotes().has(address)) this.#free.push(pair);
    this.onFreed();
  }

  /** Unpredictable, so that GRE packets cannot be forged blindly, and never 0. */
  #newCallId(): number {
    for (;;) {
      const callId = randomInt(1, MAX_CALL_ID + 1);
      if (!this.#leased.has(callId)) return callId;
    }
  }
}
