/**
 * The address pairs and call ids that are lent to clients. A session holds one address: the one that PPP has agreed with its
 * client, where that is another one than the lease's (chap-secrets and RADIUS can name it), and the lease's before that. An
 * address that a session holds is lent to no other; one that came back is lent again as late as possible, so that what is
 * still on its way to its last user reaches nobody else.
 */
import { randomInt } from 'node:crypto';
import type { Lease } from '../session/lease.js';

interface AddressPair {
  readonly local: string | null;
  readonly remote: string;
}

/** What the configuration grants: pairs to lend, or the leave to run sessions whose addresses others choose. */
export interface LeasePool {
  readonly pairs: readonly AddressPair[];
  /** With `addresses.delegate`: our own end (or null), and no pairs. */
  readonly delegated: { readonly local: string | null } | null;
  /** Most leases at once; 0: as many as there are addresses and call ids. */
  readonly connections: number;
}

const MAX_CALL_ID = 0xffff;

export class Leases {
  #pool: LeasePool;
  #free: AddressPair[] = [];
  readonly #lent = new Map<number, Lease>();
  /** By call id: the address that PPP has agreed instead of the lease's. */
  readonly #agreed = new Map<number, string>();
  /** Called when a lease or an address has come back. */
  onFreed: () => void = () => undefined;

  constructor(pool: LeasePool) {
    this.#pool = pool;
    this.reconfigure(pool);
  }

  get lentCount(): number {
    return this.#lent.size;
  }

  /** Most leases at once: as many as connections, addresses and call ids allow. */
  get most(): number {
    const { connections, delegated } = this.#pool;
    const addresses = delegated === null ? this.#lent.size + this.#free.length : MAX_CALL_ID;
    return Math.min(connections || MAX_CALL_ID, addresses, MAX_CALL_ID);
  }

  /** Exchanges the pool under live sessions: what they hold stays theirs, and is lent again only if still in the pool. */
  reconfigure(pool: LeasePool): void {
    this.#pool = pool;
    const held = this.#heldRemotes();
    const fresh = new Map(pool.pairs.filter(({ remote }) => !held.has(remote)).map((pair) => [pair.remote, pair]));
    // In the order in which they came back.
    const known = this.#free.flatMap(({ remote }) => fresh.get(remote) ?? []);
    for (const { remote } of known) fresh.delete(remote);
    this.#free = [...known, ...fresh.values()];
  }

  /** A lease for a new client; null when every address, connection or call id is taken. */
  take(): Lease | null {
    const { connections, delegated } = this.#pool;
    if (connections > 0 && this.#lent.size >= connections) return null;
    if (this.#lent.size >= MAX_CALL_ID) return null;
    const pair = delegated === null ? this.#free.shift() : { local: delegated.local, remote: null };
    if (pair === undefined) return null;
    const lease = { ...pair, callId: this.#newCallId() };
    this.#lent.set(lease.callId, lease);
    return lease;
  }

  /** Takes over a lease that a live session holds from before this manager was started. */
  adopt(lease: Lease): void {
    this.#lent.set(lease.callId, lease);
    this.#withdraw(lease.remote);
  }

  /**
   * What the session with this lease uses: `remote` as agreed by PPP, or the lease's own address, which it is again when its
   * call is over. A session whose lease has come back uses nothing.
   */
  use(lease: Lease, remote: string | null): void {
    if (this.#lent.get(lease.callId) !== lease) return;
    const before = this.#heldBy(lease);
    if (remote === null || remote === lease.remote) this.#agreed.delete(lease.callId);
    else this.#agreed.set(lease.callId, remote);
    const now = this.#heldBy(lease);
    if (now === before) return;
    this.#withdraw(now);
    this.#putBack(before);
  }

  /** Takes a lease back; a second time does nothing. */
  giveBack(lease: Lease): void {
    if (this.#lent.get(lease.callId) !== lease) return;
    const held = this.#heldBy(lease);
    this.#lent.delete(lease.callId);
    this.#agreed.delete(lease.callId);
    this.#putBack(held);
  }

  #heldBy(lease: Lease): string | null {
    return this.#agreed.get(lease.callId) ?? lease.remote;
  }

  #heldRemotes(): Set<string | null> {
    return new Set([...this.#lent.values()].map((lease) => this.#heldBy(lease)));
  }

  #withdraw(address: string | null): void {
    this.#free = this.#free.filter(({ remote }) => remote !== address);
  }

  /** An address that a session held: free again, if it is the pool's and no other session holds it. */
  #putBack(address: string | null): void {
    const pair = this.#pool.pairs.find(({ remote }) => remote === address);
    if (pair !== undefined && !this.#heldRemotes().has(address)) this.#free.push(pair);
    this.onFreed();
  }

  /** Unpredictable, so that GRE packets cannot be forged blindly, and never 0. */
  #newCallId(): number {
    for (;;) {
      const callId = randomInt(1, MAX_CALL_ID + 1);
      if (!this.#lent.has(callId)) return callId;
    }
  }
}
