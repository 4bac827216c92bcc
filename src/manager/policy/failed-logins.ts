/**
 * Failed logins by client address, and the addresses that are blocked for them for a while. Bounded: of an attack from
 * more addresses than are kept, those that failed longest ago are forgotten. Pure; time is the caller's clock.
 */
import type { Configuration } from '../../config/schema.js';
import type { Block } from '../../session/manager-status.js';

type Limits = Pick<Configuration['policy'], 'failedLogins' | 'failedLoginsWithin' | 'blockFor'>;

/** Of addresses with failures, and of blocked ones. */
const MOST_ADDRESSES = 10_000;

interface Blocked {
  readonly failedLogins: number;
  readonly until: number;
}

export class FailedLogins {
  #limits: Limits;
  readonly #now: () => number;
  /** When logins failed, of each address, the latest failure's last. */
  readonly #failures = new Map<string, readonly number[]>();
  readonly #blocked = new Map<string, Blocked>();

  /** `now`: milliseconds of a clock that nobody sets. */
  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Blocks that stand go on, for `blockFor` from now at most; none with `failedLogins` 0. */
  reconfigure(limits: Limits): void {
    const standing = this.blocks();
    this.#limits = limits;
    this.#blocked.clear();
    this.restore(standing);
    if (limits.failedLogins === 0) this.#failures.clear();
  }

  /** Counts a failure; the block, when it is one too many. */
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

  /** The blocks that stand, the oldest first. */
  blocks(): Block[] {
    const now = this.#now();
    return [...this.#blocked].flatMap(([address, { failedLogins, until }]) =>
      until > now ? { address, failedLogins, remaining: (until - now) / 1000 } : [],
    );
  }

  /** Blocks of an earlier manager, or of an earlier configuration. */
  restore(blocks: readonly Block[]): void {
    const { failedLogins: limit, blockFor } = this.#limits;
    if (limit === 0) return;
    for (const { address, failedLogins, remaining } of blocks) {
      if (remaining <= 0) continue;
      put(this.#blocked, address, { failedLogins, until: this.#now() + Math.min(remaining, blockFor) * 1000 });
    }
  }

  /** Ends the block of this address, of all with null; the addresses that were blocked. */
  clear(address: string | null): string[] {
    const cleared = this.blocks().flatMap((block) =>
      address === null || block.address === address ? block.address : [],
    );
    for (const each of cleared) this.#blocked.delete(each);
    return cleared;
  }
}

/** At the end of the map, whose first one goes when it is full. */
function put<Value>(map: Map<string, Value>, address: string, value: Value): void {
  map.delete(address);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= MOST_ADDRESSES) map.delete(oldest);
  map.set(address, value);
}
