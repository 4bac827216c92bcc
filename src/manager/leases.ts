/**
 * The address pairs and call ids that are lent to clients. An address is lent to one session at a time; one that was
 * given back is lent again as late as possible, so that what is still on its way to its last user reaches nobody else.
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

  constructor(pool: LeasePool) {
    this.#pool = pool;
    this.reconfigure(pool);
  }

  get lentCount(): number {
    return this.#lent.size;
  }

  /** Most leases at once: as many as connections, addresses and call ids allow. */
  get most(): number {
    const { connections, delegated, pairs } = this.#pool;
    return Math.min(connections || MAX_CALL_ID, delegated === null ? pairs.length : MAX_CALL_ID, MAX_CALL_ID);
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
    this.#free = this.#free.filter((pair) => pair.remote !== lease.remote);
  }

  /** Takes a lease back; a second time does nothing. */
  giveBack(lease: Lease): void {
    if (this.#lent.get(lease.callId) !== lease) return;
    this.#lent.delete(lease.callId);
    if (lease.remote === null) return;
    if (this.#heldRemotes().has(lease.remote)) return;
    const pair = this.#pool.pairs.find(({ remote }) => remote === lease.remote);
    if (pair !== undefined) this.#free.push(pair);
  }

  #heldRemotes(): Set<string | null> {
    return new Set([...this.#lent.values()].map(({ remote }) => remote));
  }

  /** Unpredictable, so that GRE packets cannot be forged blindly, and never 0. */
  #newCallId(): number {
    for (;;) {
      const callId = randomInt(1, MAX_CALL_ID + 1);
      if (!this.#lent.has(callId)) return callId;
    }
  }
}
