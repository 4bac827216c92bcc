/** The tokens of programs: who has one is asked of root, and remembered for a while. */
import { type ConsoleUsers, RECHECK_MS, type Who } from './who.js';

const MAX_TOKENS = 100;

export class Tokens {
  readonly #users: Pick<ConsoleUsers, 'findToken'>;
  readonly #now: () => number;
  /** Those that were right when they were looked up last, by hash. */
  readonly #known = new Map<string, { readonly who: Who; readonly at: number }>();
  /** Those that root is being asked about. */
  readonly #lookups = new Map<string, Promise<Who | null>>();

  /** `now`: ms, not set back. */
  constructor(users: Pick<ConsoleUsers, 'findToken'>, now: () => number) {
    this.#users = users;
    this.#now = now;
  }

  /** It was right when it was looked up last, or root is being asked about it. */
  isKnown(hash: string): boolean {
    return this.#known.has(hash) || this.#lookups.has(hash);
  }

  /** Of a token's hash; null: it is unknown. Rejects when root does not answer. */
  async whoOf(hash: string): Promise<Who | null> {
    const known = this.#known.get(hash);
    if (known !== undefined && this.#now() - known.at < RECHECK_MS) return known.who;
    const lookup = this.#lookups.get(hash) ?? this.#lookUp(hash).finally(() => this.#lookups.delete(hash));
    this.#lookups.set(hash, lookup);
    return lookup;
  }

  async #lookUp(hash: string): Promise<Who | null> {
    const at = this.#now();
    const found = await this.#users.findToken(hash);
    this.#known.delete(hash);
    if (found === null) return null;
    const who: Who = { name: found.name, role: found.role, by: 'token' };
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_TOKENS && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(hash, { who, at });
    return who;
  }
}
