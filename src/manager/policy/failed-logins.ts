/**
 * Failed logins by client address, and the addresses that are blocked because of them. Bounded: in an attack from more addresses
 * than are kept, the oldest failures are forgotten. Pure; time is the caller's clock.
 */
import type { Configuration } from '../../config/schema.js';
import type { Block } from '../../session/manager-status.js';

type Limits = Pick<Configuration['policy'], 'failedLogins' | 'failedLoginsWithin' | 'blockFor'>;

/** Limit for addresses with failures, and for blocked ones. */
const MAX_ADDRESSES = 10_000;

interface Blocked {
  readonly failedLogins: number;
  readonly until: number;
}

export class FailedLogins {
  #limits: Limits;
  readonly #now: () => number;
  /** The times of each address's failures; the address with the latest failure is last. */
  readonly #failures = new Map<string, readonly number[]>();
  readonly #blocked = new Map<string, Blocked>();

  /** `now`: milliseconds on a monotonic clock. */
  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Current blocks continue, for `blockFor` from now at most; with `failedLogins` 0 they end. */
  reconfigure(limits: Limits): void {
    const standing = this.blocks();
    this.#limits = limits;
    this.#blocked.clear();
    this.restore(standing);
    if (limits.failedLogins === 0) this.#failures.clear();
  }

  /** Counts a failure; returns the block if this is one too many. */
  failed(address: string): Block | null {
    const { failedLogins, failedLoginsWithin, blockFor } = this.#limits;
    if (failedLogins === 0 || this.isBlocked(address)) return null;
    const now = this.#now();
    const earlier = this.#failures.get(address) ?? [];
    const times = [...earlier.filter((time) => time > now - failedLoginsWithin * 1000), now];
    this.#failures.delete(address);
    if (times.length < failedLogins) {
      put(this.#failures, address, times);
      return null;
    }
    const block = { address, failedLogins: times.length, remaining: blockFor };
    this.restore([block]);
    return block;
  }

  isBlocked(address: string): boolean {
    const block = this.#blocked.get(address);
    if (block === undefined) return false;
    if (block.until > this.#now()) return true;
    this.#blocked.delete(address);
    return false;
  }

  /** The current blocks, oldest first. */
  blocks(): Block[] {
    const now = this.#now();
    return [...this.#blocked].flatMap(([address, { failedLogins, until }]) =>
      until > now ? { address, failedLogins, remaining: (until - now) / 1000 } : [],
    );
  }

  /** Restores blocks of an earlier manager or configuration. */
  restore(blocks: readonly Block[]): void {
    const { failedLogins: limit, blockFor } = this.#limits;
    if (limit === 0) return;
    for (const { address, failedLogins, remaining } of blocks) {
      if (remaining <= 0) continue;
      put(this.#blocked, address, { failedLogins, until: this.#now() + Math.min(remaining, blockFor) * 1000 });
    }
  }

  /** Ends the block of this address, or all blocks with null; returns the addresses that were blocked. */
  clear(address: string | null): string[] {
    const cleared = this.blocks().flatMap((block) =>
      address === null || block.address === address ? block.address : [],
    );
    for (const each of cleared) this.#blocked.delete(each);
    return cleared;
  }
}

/** Puts it at the end of the map; if the map is full, removes the first entry. */
function put<Value>(map: Map<string, Value>, address: string, value: Value): void {
  map.delete(address);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= MAX_ADDRESSES) map.delete(oldest);
  map.set(address, value);
}
