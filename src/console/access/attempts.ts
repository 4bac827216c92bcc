/**
 * Which logins are refused because too many have failed: of one name, or from one address. A key that failed too often is
 * locked for a minute, after each further failure for twice as long, up to a quarter of an hour. Pure.
 */

/** Failures before the first lock. Several people may share an address. */
const LIMITS = { name: 5, address: 10 } as const;
const FIRST_LOCK_MS = 60_000;
const LAST_LOCK_MS = 15 * 60_000;
/** A failure no longer counts this long after the last one. */
const MEMORY_MS = 60 * 60_000;
const MAX_KEYS = 4096;
const MAX_KNOWN = 256;

interface Entry {
  readonly failures: number;
  readonly lockedUntil: number;
  readonly lastFailure: number;
}

/** Who tries to log in. `name`: null for a program's token. */
export interface Attempt {
  readonly name: string | null;
  readonly address: string;
}

/** An attempt that is being judged. It counts as failed until one of these is called. */
export interface Trial {
  succeeded(): void;
  /** It could not be judged. */
  takeBack(): void;
}

export class Attempts {
  /** The key that failed last is the last one. */
  readonly #entries = new Map<string, Entry>();
  /** Users and the addresses from which they have logged in: a stranger who locks a name does not lock out its owner. */
  readonly #known = new Set<string>();

  /** Milliseconds for which this attempt is refused; 0: it may be made. */
  refusedFor(attempt: Attempt, now: number): number {
    const ends = this.#keysOf(attempt).map(({ key }) => this.#entries.get(key)?.lockedUntil ?? now);
    return Math.max(0, ...ends.map((end) => end - now));
  }

  /** Counts the attempt before its result is known, so that attempts made at the same time count, too. */
  begin(attempt: Attempt, now: number): Trial {
    const counted = this.#keysOf(attempt).map(({ key, limit }) => this.#count(key, limit, now));
    while (this.#entries.size > MAX_KEYS) this.#forgetOne(now);
    const takeBack = (): void => {
      for (const undo of counted) undo();
    };
    const succeeded = (): void => {
      takeBack();
      if (attempt.name === null) return;
      this.#entries.delete(nameKey(attempt.name));
      this.#known.add(pairOf(attempt));
      const [oldest] = this.#known;
      if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    };
    return { succeeded, takeBack };
  }

  /** For tests. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns what takes it back. */
  #count(key: string, limit: number, now: number): () => void {
    const before = this.#entries.get(key);
    const failures = before === undefined || now - before.lastFailure > MEMORY_MS ? 1 : before.failures + 1;
    const over = failures - limit;
    const lockedUntil = over < 0 ? 0 : now + Math.min(FIRST_LOCK_MS * 2 ** over, LAST_LOCK_MS);
    const counted: Entry = { failures, lockedUntil, lastFailure: now };
    this.#entries.delete(key);
    this.#entries.set(key, counted);
    return () => {
      const current = this.#entries.get(key);
      if (current === undefined) return;
      // A later failure keeps its lock.
      const next = current === counted ? before : { ...current, failures: current.failures - 1 };
      if (next === undefined || next.failures <= 0) this.#entries.delete(key);
      else this.#entries.set(key, next);
    };
  }

  #keysOf(attempt: Attempt): { readonly key: string; readonly limit: number }[] {
    const { name, address } = attempt;
    const byAddress = { key: `${name === null ? 'token' : 'password'} from ${address}`, limit: LIMITS.address };
    if (name === null || this.#known.has(pairOf(attempt))) return [byAddress];
    return [byAddress, { key: nameKey(name), limit: LIMITS.name }];
  }

  /** Prefers one that is not locked: guesses for many names must not unlock a name. */
  #forgetOne(now: number): void {
    for (const [key, { lockedUntil }] of this.#entries) {
      if (lockedUntil > now) continue;
      this.#entries.delete(key);
      return;
    }
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

const nameKey = (name: string): string => `name ${name}`;
const pairOf = ({ name, address }: Attempt): string => JSON.stringify([name, address]);
