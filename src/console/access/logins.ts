/**
 * Who is logged in: the sessions of browsers. A session is a random secret in a cookie; only its hash is kept, in memory, so
 * a restart of the console logs everybody out. Pure: time and randomness come from the owner.
 */
import { timingSafeEqual } from 'node:crypto';
import { type ConsoleRole, tokenHash } from '../../users/console-users.js';

export const LIFE_MS = 12 * 3_600_000;
const IDLE_MS = 3_600_000;
const MAX_LOGINS = 1000;
const MAX_PER_USER = 20;
const SECRET_OCTETS = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

export interface Login {
  readonly name: string;
  role: ConsoleRole;
  /** Hash of the stored password at the login: the login ends when the password changes. */
  readonly passwordStamp: string;
  /** The value of the header X-CSRF-Token, which no other site can know. */
  readonly csrf: string;
  readonly since: number;
  lastUsed: number;
  /** When name, role and password were last compared with the file. */
  checkedAt: number;
}

export class Logins {
  /** By the hash of the secret; the oldest is the first. */
  readonly #logins = new Map<string, Login>();
  readonly #random: (octets: number) => Buffer;

  constructor(random: (octets: number) => Buffer) {
    this.#random = random;
  }

  /** Returns the secret for the cookie. The oldest logins of this user, or of all, are ended if there are too many. */
  add(user: { readonly name: string; readonly role: ConsoleRole; readonly password: string }, now: number): string {
    this.#endOld(now);
    const own = [...this.#logins].filter(([, { name }]) => name === user.name);
    for (const [key] of own.slice(0, Math.max(0, own.length - MAX_PER_USER + 1))) this.#logins.delete(key);
    const [oldest] = this.#logins.keys();
    if (this.#logins.size >= MAX_LOGINS && oldest !== undefined) this.#logins.delete(oldest);
    const [secret, csrf] = [this.#newSecret(), this.#newSecret()];
    this.#logins.set(tokenHash(secret), {
      name: user.name,
      role: user.role,
      passwordStamp: tokenHash(user.password),
      csrf,
      since: now,
      lastUsed: now,
      checkedAt: now,
    });
    return secret;
  }

  /** null: unknown, too old or not used for too long. */
  find(secret: string, now: number): Login | null {
    if (!SECRET.test(secret)) return null;
    const login = this.#logins.get(tokenHash(secret));
    return login !== undefined && isAlive(login, now) ? login : null;
  }

  end(login: Login): void {
    for (const [key, each] of this.#logins) if (each === login) this.#logins.delete(key);
  }

  has(login: Login, now: number): boolean {
    return isAlive(login, now) && [...this.#logins.values()].includes(login);
  }

  /** For tests. */
  get size(): number {
    return this.#logins.size;
  }

  #endOld(now: number): void {
    for (const [key, login] of this.#logins) if (!isAlive(login, now)) this.#logins.delete(key);
  }

  #newSecret(): string {
    return this.#random(SECRET_OCTETS).toString('base64url');
  }
}

/** A clock that was set back ends a login, too. */
const isAlive = ({ since, lastUsed }: Login, now: number): boolean =>
  now - since < LIFE_MS && now - lastUsed < IDLE_MS && now >= since;

/** Takes the same time wherever the texts differ. */
export function isCsrfToken(login: Login, text: string): boolean {
  const [ours, theirs] = [Buffer.from(login.csrf), Buffer.from(text)];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
