/**
 * Limits wrong passwords; otherwise a compromised worker or manager could try all of them. Pure: times are milliseconds of any
 * clock.
 */
import { createHash } from 'node:crypto';

/** At most so many at once, plus one more after each while. */
interface Allowance {
  readonly most: number;
  /** ms. */
  readonly returns: number;
}

/** Per session. A client hangs up earlier. */
export const GUESSES_PER_SESSION = 10;
/** A worker serves many sessions. */
export const PER_WORKER: Allowance = { most: 30, returns: 20_000 };
/** A whole office may come from one address. */
export const PER_CLIENT: Allowance = { most: 100, returns: 30_000 };
/** More than for one address, so that a single address cannot lock out the owner of an account. */
export const PER_ACCOUNT: Allowance = { most: 500, returns: 10_000 };

/** Wrong guesses that are still permitted. */
export class Guesses {
  readonly #allowance: Allowance;
  #left: number;
  #at: number;

  constructor(allowance: Allowance, now: number, left = allowance.most) {
    this.#allowance = allowance;
    this.#left = left;
    this.#at = now;
  }

  /** Takes one; false when none is left. */
  take(now: number): boolean {
    this.#left = this.left(now);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** The password was right. */
  giveBack(): void {
    this.#left = Math.min(this.#left + 1, this.#allowance.most);
  }

  left(now: number): number {
    return Math.min(this.#left + (now - this.#at) / this.#allowance.returns, this.#allowance.most);
  }
}

/** Slots of a table: names that share one share its guesses. */
const SLOTS = 4096;

/** The slots of a table that have fewer than all their guesses. */
export type SavedGuesses = Readonly<Record<string, number>>;

/**
 * Guesses by name. An attacker can invent any number of names, so a name's slot is its hash: memory is bounded, and no number
 * of names makes older ones be forgotten. `key`: secret, so that nobody can choose names that share a slot.
 */
export class GuessTable {
  readonly #allowance: Allowance;
  readonly #key: string;
  readonly #slots = new Map<string, Guesses>();

  constructor(allowance: Allowance, key: string, now: number, saved: SavedGuesses = {}) {
    this.#allowance = allowance;
    this.#key = key;
    for (const [slot, left] of Object.entries(saved)) this.#slots.set(slot, new Guesses(allowance, now, left));
  }

  take(name: string, now: number): boolean {
    const slot = this.#slotOf(name);
    const guesses = this.#slots.get(slot) ?? new Guesses(this.#allowance, now);
    this.#slots.set(slot, guesses);
    return guesses.take(now);
  }

  giveBack(name: string): void {
    this.#slots.get(this.#slotOf(name))?.giveBack();
  }

  save(now: number): SavedGuesses {
    const left = [...this.#slots].map(([slot, guesses]) => [slot, guesses.left(now)] as const);
    return Object.fromEntries(left.filter(([, count]) => count < this.#allowance.most));
  }

  #slotOf(name: string): string {
    return String(createHash('sha256').update(`${this.#key}\0${name}`).digest().readUInt32LE(0) % SLOTS);
  }
}
