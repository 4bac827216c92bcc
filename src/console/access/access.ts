/**
 * Who may do what in the console: login, cookies, tokens of programs, roles. `guard` runs before every route, `require`
 * before each route that needs a login.
 */
import { Hono, type MiddlewareHandler } from 'hono';
import type { Logger } from '../../log/logger.js';
import { messageOf } from '../../sys/thrown.js';
import { isConsolePassword } from '../../users/console-password.js';
import { consoleNameFault, type ConsoleRole, tokenHash } from '../../users/console-users.js';
import { Attempts, type Attempt } from './attempts.js';
import { type Client, ClientAddresses, countedAddress } from './client-address.js';
import { SECURITY_HEADERS } from './headers.js';
import { forgetSecret, keepSecret, secretIn } from './login-cookie.js';
import { isCsrfToken, type Login, Logins } from './logins.js';
import { isOwnHost, isOwnOrigin, type OriginSettings } from './origin.js';
import { PasswordQueue } from './password-queue.js';
import {
  adminOnly,
  BAD_LOGIN,
  BUSY,
  FOREIGN_HOST,
  FOREIGN_ORIGIN,
  locked,
  NO_CSRF,
  NO_LOGIN,
  NO_USERS,
  type Refusal,
  refuse,
  WRONG_LOGIN,
  WRONG_TOKEN,
} from './refusals.js';
import { bearerOf, bodyRefusal, credentialsOf, isSafe, peerOf } from './request.js';
import { Tokens } from './tokens.js';
import { type ConsoleContext, type ConsoleEnv, type ConsoleUsers, RECHECK_MS } from './who.js';

export interface AccessOptions {
  readonly users: ConsoleUsers;
  readonly log: Logger;
  /** Milliseconds, not set back. */
  readonly now: () => number;
  readonly random: (octets: number) => Buffer;
  readonly origin: OriginSettings;
  /** All requests come from a unix socket, so from a proxy. */
  readonly isUnixSocket: boolean;
  /** Proxies whose X-Forwarded headers are trusted. */
  readonly proxies: readonly string[];
}

/** Where the routes are. */
export const API = '/api/v1';
const MAX_LOGGED = 200;

export class Access {
  readonly routes = new Hono<ConsoleEnv>();
  readonly #options: AccessOptions;
  readonly #clients: ClientAddresses;
  readonly #logins: Logins;
  readonly #attempts = new Attempts();
  readonly #queue = new PasswordQueue();
  readonly #tokens: Tokens;
  constructor(options: AccessOptions) {
    this.#options = options;
    this.#clients = new ClientAddresses(options.proxies, options.isUnixSocket);
    this.#logins = new Logins(options.random);
    this.#tokens = new Tokens(options.users, options.now);
    this.routes.post('/login', async (c) => this.#logIn(c));
    this.routes.post('/logout', this.require('view'), (c) => this.#logOut(c));
    this.routes.get('/me', this.require('view'), (c) => {
      const { name, role } = c.get('who');
      return c.json({ name, role, csrf: c.get('login')?.csrf ?? null });
    });
  }

  /** For every route: sets headers, and refuses long bodies and requests that other sites made a browser send. */
  get guard(): MiddlewareHandler<ConsoleEnv> {
    return async (c, next) => {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
      const isApi = c.req.path === '/api' || c.req.path.startsWith('/api/');
      if (isApi) c.header('cache-control', 'no-store');
      const { origin } = this.#options;
      const host = c.req.header('host');
      if (!isOwnHost(host, origin)) return refuse(c, FOREIGN_HOST);
      const from = { host, origin: c.req.header('origin'), fetchSite: c.req.header('sec-fetch-site') };
      if ((isApi || !isSafe(c)) && !isOwnOrigin(from, origin)) return refuse(c, FOREIGN_ORIGIN);
      const length = bodyRefusal(c);
      if (length !== null) return refuse(c, length);
      await next();
      return undefined;
    };
  }

  /** A login with this role, and for changes the CSRF token. Logs what needs the role admin. */
  require(role: ConsoleRole): MiddlewareHandler<ConsoleEnv> {
    return async (c, next) => {
      const refusal = await this.#authenticate(c);
      if (refusal !== null) return refuse(c, refusal);
      const who = c.get('who');
      if (role === 'admin' && who.role !== 'admin') return refuse(c, adminOnly(who));
      await next();
      if (role === 'admin' || !isSafe(c)) this.#logRequest(c);
      return undefined;
    };
  }

  /** Whether a long answer may go on: the login still exists, with the same role. */
  async isStillValid(c: ConsoleContext): Promise<boolean> {
    const { name, role, by } = c.get('who');
    const login = c.get('login');
    if (login !== null)
      return this.#logins.has(login, this.#options.now()) && (await this.#isCurrent(login)) && login.role === role;
    const found = by === 'token' ? await this.#tokens.whoOf(tokenHash(bearerOf(c) ?? '')) : null;
    return found !== null && found.name === name && found.role === role;
  }

  /** null: `who` and `login` are set. */
  async #authenticate(c: ConsoleContext): Promise<Refusal | null> {
    try {
      const authorization = c.req.header('authorization');
      return authorization === undefined ? await this.#byCookie(c) : await this.#byToken(c);
    } catch (error) {
      this.#options.log.error({ problem: messageOf(error) }, NO_USERS.error);
      return NO_USERS;
    }
  }

  async #byCookie(c: ConsoleContext): Promise<Refusal | null> {
    const now = this.#options.now();
    const login = this.#loginOf(c);
    if (login === null || !(await this.#isCurrent(login))) return NO_LOGIN;
    if (!isSafe(c) && !isCsrfToken(login, c.req.header('x-csrf-token') ?? '')) return NO_CSRF;
    login.lastUsed = now;
    c.set('login', login);
    c.set('who', { name: login.name, role: login.role, by: 'password' });
    return null;
  }

  #loginOf(c: ConsoleContext): Login | null {
    return this.#logins.find(secretIn(c, this.clientOf(c).isHttps), this.#options.now());
  }

  /** Compares the login with the file every RECHECK_MS: a user who was removed or has a new password is logged out. */
  async #isCurrent(login: Login): Promise<boolean> {
    const now = this.#options.now();
    if (now - login.checkedAt < RECHECK_MS) return true;
    const user = await this.#options.users.find(login.name);
    if (user === null || tokenHash(user.password) !== login.passwordStamp) {
      this.#logins.end(login);
      return false;
    }
    login.role = user.role;
    login.checkedAt = now;
    return true;
  }

  async #byToken(c: ConsoleContext): Promise<Refusal | null> {
    const token = bearerOf(c);
    if (token === null) return WRONG_TOKEN;
    const [hash, now] = [tokenHash(token), this.#options.now()];
    const attempt: Attempt = { name: null, address: countedAddress(this.clientOf(c).address) };
    // A program that sends many requests at once makes one attempt, and none with a token that was right before.
    const isAttempt = !this.#tokens.isKnown(hash);
    const wait = isAttempt ? this.#attempts.refusedFor(attempt, now) : 0;
    if (wait > 0) return this.#lockedFor(c, wait);
    const trial = isAttempt ? this.#attempts.begin(attempt, now) : null;
    const who = await this.#tokens.whoOf(hash).catch((error: unknown) => {
      trial?.takeBack();
      throw error;
    });
    if (who === null) {
      this.#options.log.warn({ client: attempt.address }, 'a request came with an unknown token');
      this.#logLock(attempt);
      return WRONG_TOKEN;
    }
    trial?.succeeded();
    c.set('login', null);
    c.set('who', who);
    return null;
  }

  #logLock(attempt: Attempt): void {
    const seconds = Math.ceil(this.#attempts.refusedFor(attempt, this.#options.now()) / 1000);
    if (seconds === 0) return;
    const details = { client: attempt.address, ...(attempt.name === null ? {} : { who: attempt.name }), seconds };
    this.#options.log.warn(details, `too many failed logins to the console; refusing more for ${seconds} s`);
  }

  #lockedFor(c: ConsoleContext, wait: number): Refusal {
    const seconds = Math.ceil(wait / 1000);
    c.header('retry-after', String(seconds));
    return locked(seconds);
  }

  async #logIn(c: ConsoleContext): Promise<Response> {
    const given = await credentialsOf(c);
    if (given === null) return refuse(c, BAD_LOGIN);
    const { users, log, now } = this.#options;
    const client = this.clientOf(c);
    const attempt: Attempt = { name: given.name, address: countedAddress(client.address) };
    const wait = this.#attempts.refusedFor(attempt, now());
    if (wait > 0) return refuse(c, this.#lockedFor(c, wait));
    const trial = this.#attempts.begin(attempt, now());
    try {
      const user = consoleNameFault(given.name) === null ? await users.find(given.name) : null;
      const isRight = await this.#queue.run(async () => isConsolePassword(given.password, user?.password ?? null));
      if (isRight === null) {
        trial.takeBack();
        return refuse(c, BUSY);
      }
      if (user === null || !isRight) {
        log.warn(
          { who: given.name, client: client.address },
          `failed login to the console as ${JSON.stringify(given.name)}`,
        );
        this.#logLock(attempt);
        return refuse(c, WRONG_LOGIN);
      }
      trial.succeeded();
      const before = this.#loginOf(c);
      if (before !== null) this.#logins.end(before);
      const secret = this.#logins.add(user, now());
      keepSecret(c, client.isHttps, secret);
      log.info({ who: user.name, client: client.address }, `${user.name} logged in to the console`);
      const login = this.#logins.find(secret, now());
      return c.json({ name: user.name, role: user.role, csrf: login?.csrf ?? null });
    } catch (error) {
      trial.takeBack();
      log.error({ problem: messageOf(error) }, NO_USERS.error);
      return refuse(c, NO_USERS);
    }
  }

  #logOut(c: ConsoleContext): Response {
    const login = c.get('login');
    if (login !== null) this.#logins.end(login);
    forgetSecret(c, this.clientOf(c).isHttps);
    return c.json({});
  }

  /** Also for log lines of handlers. */
  clientOf(c: ConsoleContext): Client {
    return this.#clients.of(peerOf(c), (name) => c.req.header(name));
  }

  #logRequest(c: ConsoleContext): void {
    const { name, by } = c.get('who');
    const { method, path } = c.req;
    const { status } = c.res;
    const change = (c.get('change') as ConsoleEnv['Variables']['change'] | undefined) ?? {};
    const details = {
      who: name,
      by,
      client: this.clientOf(c).address,
      method,
      path: path.slice(0, MAX_LOGGED),
      status,
    };
    const what = by === 'token' ? `the token ${name}` : name;
    this.#options.log.info(
      { ...details, ...(Object.keys(change).length === 0 ? {} : { change }) },
      `${what}: ${method} ${details.path}, status ${status}`,
    );
  }
}
