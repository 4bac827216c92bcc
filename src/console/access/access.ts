/**
 * Who may do what in the console: login, cookies, tokens of programs, roles. `guard` runs before every route, `require`
 * before each route that needs a login.
 */
import { isUtf8 } from 'node:buffer';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Logger } from '../../log/logger.js';
import { messageOf } from '../../sys/thrown.js';
import { isConsolePassword } from '../../users/console-password.js';
import { consoleNameFault, type ConsoleRole, tokenHash } from '../../users/console-users.js';
import { Attempts, type Attempt } from './attempts.js';
import { type Client, ClientAddresses, countedAddress, type Peer } from './client-address.js';
import { SECURITY_HEADERS } from './headers.js';
import { isCsrfToken, LIFE_MS, type Login, Logins } from './logins.js';
import { isOwnHost, isOwnOrigin, type OriginSettings } from './origin.js';
import { PasswordQueue } from './password-queue.js';

/** What root reads from the file of the console's users. Both reject when root does not answer. */
export interface ConsoleUsers {
  find(name: string): Promise<{ readonly name: string; readonly role: ConsoleRole; readonly password: string } | null>;
  /** By the token's SHA-256, in hexadecimal. */
  findToken(sha256: string): Promise<{ readonly name: string; readonly role: ConsoleRole } | null>;
}

export interface Who {
  readonly name: string;
  readonly role: ConsoleRole;
  readonly by: 'password' | 'token';
}

export interface ConsoleEnv {
  Bindings: HttpBindings;
  Variables: {
    who: Who;
    /** Set by a handler that changes something: what it did, for the log. */
    change: Readonly<Record<string, unknown>>;
    /** Without one the request came with a token. */
    login: Login | null;
  };
}

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
const COOKIE = 'pptpd-ts-console';
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const MAX_BODY = 65_536;
/** A name and a password. */
const MAX_LOGIN_BODY = 4096;
const MAX_LOGGED = 200;
/** One more than a user's name may have: a longer name cannot match. */
const MAX_NAME = 65;
/** How long the old role or password still counts after a change on the command line. */
const RECHECK_MS = 5000;
const MAX_TOKENS = 100;
const BEARER = /^Bearer ([\x21-\x7e]{1,200})$/i;

type Refusal = {
  readonly status: 400 | 401 | 403 | 411 | 413 | 429 | 503;
  readonly error: string;
  readonly remedy?: string;
};
type C = Context<ConsoleEnv>;

const refuse = (c: C, { status, error, remedy }: Refusal): Response =>
  c.json({ error, ...(remedy === undefined ? {} : { remedy }) }, status);

const NO_LOGIN: Refusal = { status: 401, error: 'not logged in', remedy: 'log in again' };
const WRONG_LOGIN: Refusal = { status: 401, error: 'the name or the password is wrong' };
const WRONG_TOKEN: Refusal = {
  status: 401,
  error: 'unknown token',
  remedy: 'make one: pptpd-ts console token add NAME',
};
const BUSY: Refusal = { status: 503, error: 'too many logins at the same time', remedy: 'try again' };
const NO_USERS: Refusal = {
  status: 503,
  error: 'the users of the console cannot be read now',
  remedy: "see the server's log",
};
const BAD_LOGIN: Refusal = {
  status: 400,
  error: 'the body is not a login; allowed: a JSON object with the strings name and password',
};
const FOREIGN_HOST: Refusal = {
  status: 403,
  error: 'the console does not serve this host name',
  remedy: 'add it to console.names in the configuration',
};
const FOREIGN_ORIGIN: Refusal = { status: 403, error: 'a page of another site sent the request' };
const NO_CSRF: Refusal = {
  status: 403,
  error: 'the header X-CSRF-Token is missing or wrong',
  remedy: 'reload the page',
};
const TOO_LONG: Refusal = { status: 413, error: `the request is longer than ${MAX_BODY} octets` };
const NO_LENGTH: Refusal = {
  status: 411,
  error: 'the request has no Content-Length',
  remedy: 'send Content-Length',
};
const adminOnly = ({ name, by }: Who): Refusal => ({
  status: 403,
  error: `${name} has the role view, which may not change or capture`,
  remedy:
    by === 'token'
      ? 'make another token: pptpd-ts console token add NAME --role admin'
      : `pptpd-ts console user role ${name} admin`,
});
const locked = (seconds: number): Refusal => ({
  status: 429,
  error: `too many failed logins; try again in ${seconds} s`,
});

export class Access {
  readonly routes = new Hono<ConsoleEnv>();
  readonly #options: AccessOptions;
  readonly #clients: ClientAddresses;
  readonly #logins: Logins;
  readonly #attempts = new Attempts();
  readonly #queue = new PasswordQueue();
  /** Tokens that were right when they were looked up last, by hash. */
  readonly #tokens = new Map<string, { readonly who: Who; readonly at: number }>();
  /** Tokens that root is being asked about. */
  readonly #lookups = new Map<string, Promise<Who | null>>();

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#clients = new ClientAddresses(options.proxies, options.isUnixSocket);
    this.#logins = new Logins(options.random);
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
  async isStillValid(c: C): Promise<boolean> {
    const { name, role, by } = c.get('who');
    const login = c.get('login');
    if (login !== null)
      return this.#logins.has(login, this.#options.now()) && (await this.#isCurrent(login)) && login.role === role;
    const found = by === 'token' ? await this.#whoOf(tokenHash(bearerOf(c) ?? '')) : null;
    return found !== null && found.name === name && found.role === role;
  }

  /** null: `who` and `login` are set. */
  async #authenticate(c: C): Promise<Refusal | null> {
    try {
      const authorization = c.req.header('authorization');
      return authorization === undefined ? await this.#byCookie(c) : await this.#byToken(c);
    } catch (error) {
      this.#options.log.error({ problem: messageOf(error) }, NO_USERS.error);
      return NO_USERS;
    }
  }

  async #byCookie(c: C): Promise<Refusal | null> {
    const now = this.#options.now();
    const login = this.#loginOf(c);
    if (login === null || !(await this.#isCurrent(login))) return NO_LOGIN;
    if (!isSafe(c) && !isCsrfToken(login, c.req.header('x-csrf-token') ?? '')) return NO_CSRF;
    login.lastUsed = now;
    c.set('login', login);
    c.set('who', { name: login.name, role: login.role, by: 'password' });
    return null;
  }

  #loginOf(c: C): Login | null {
    return this.#logins.find(getCookie(c, this.#cookieOf(c)) ?? '', this.#options.now());
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

  async #byToken(c: C): Promise<Refusal | null> {
    const token = bearerOf(c);
    if (token === null) return WRONG_TOKEN;
    const [hash, now] = [tokenHash(token), this.#options.now()];
    const attempt: Attempt = { name: null, address: countedAddress(this.clientOf(c).address) };
    // A program that sends many requests at once makes one attempt, and none with a token that was right before.
    const isAttempt = !this.#tokens.has(hash) && !this.#lookups.has(hash);
    const wait = isAttempt ? this.#attempts.refusedFor(attempt, now) : 0;
    if (wait > 0) return this.#lockedFor(c, wait);
    const trial = isAttempt ? this.#attempts.begin(attempt, now) : null;
    const who = await this.#whoOf(hash).catch((error: unknown) => {
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

  /** Of a token's hash; null: it is unknown. */
  async #whoOf(hash: string): Promise<Who | null> {
    const known = this.#tokens.get(hash);
    if (known !== undefined && this.#options.now() - known.at < RECHECK_MS) return known.who;
    const lookup = this.#lookups.get(hash) ?? this.#lookUp(hash).finally(() => this.#lookups.delete(hash));
    this.#lookups.set(hash, lookup);
    return lookup;
  }

  async #lookUp(hash: string): Promise<Who | null> {
    const at = this.#options.now();
    const found = await this.#options.users.findToken(hash);
    this.#tokens.delete(hash);
    if (found === null) return null;
    const who: Who = { name: found.name, role: found.role, by: 'token' };
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size >= MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
    this.#tokens.set(hash, { who, at });
    return who;
  }

  #logLock(attempt: Attempt): void {
    const seconds = Math.ceil(this.#attempts.refusedFor(attempt, this.#options.now()) / 1000);
    if (seconds === 0) return;
    const details = { client: attempt.address, ...(attempt.name === null ? {} : { who: attempt.name }), seconds };
    this.#options.log.warn(details, `too many failed logins to the console; refusing more for ${seconds} s`);
  }

  #lockedFor(c: C, wait: number): Refusal {
    const seconds = Math.ceil(wait / 1000);
    c.header('retry-after', String(seconds));
    return locked(seconds);
  }

  async #logIn(c: C): Promise<Response> {
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
      this.#setCookie(c, client, secret);
      log.info({ who: user.name, client: client.address }, `${user.name} logged in to the console`);
      const login = this.#logins.find(secret, now());
      return c.json({ name: user.name, role: user.role, csrf: login?.csrf ?? null });
    } catch (error) {
      trial.takeBack();
      log.error({ problem: messageOf(error) }, NO_USERS.error);
      return refuse(c, NO_USERS);
    }
  }

  #logOut(c: C): Response {
    const login = c.get('login');
    if (login !== null) this.#logins.end(login);
    deleteCookie(c, this.#cookieOf(c), { path: '/', secure: this.clientOf(c).isHttps });
    return c.json({});
  }

  /** With HTTPS no other host of the domain can set a cookie of this name (`__Host-`). */
  #cookieOf(c: C): string {
    return this.clientOf(c).isHttps ? `__Host-${COOKIE}` : COOKIE;
  }

  #setCookie(c: C, { isHttps }: Client, secret: string): void {
    setCookie(c, this.#cookieOf(c), secret, {
      path: '/',
      httpOnly: true,
      sameSite: 'Strict',
      secure: isHttps,
      maxAge: LIFE_MS / 1000,
    });
  }

  /** Also for log lines of handlers. */
  clientOf(c: C): Client {
    return this.#clients.of(peerOf(c), (name) => c.req.header(name));
  }

  #logRequest(c: C): void {
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

/** With a Content-Length, Node.js reads no more of the body than that. */
function bodyRefusal(c: C): Refusal | null {
  if (c.req.header('transfer-encoding') !== undefined) return NO_LENGTH;
  return Number(c.req.header('content-length') ?? 0) > MAX_BODY ? TOO_LONG : null;
}

const isSafe = (c: C): boolean => SAFE_METHODS.has(c.req.method);
function peerOf(c: C): Peer {
  const { socket } = c.env.incoming;
  return { address: socket.remoteAddress ?? null, isTls: 'encrypted' in socket && socket.encrypted === true };
}

const bearerOf = (c: C): string | null => BEARER.exec(c.req.header('authorization') ?? '')?.[1] ?? null;

/** A form of another site cannot send this content type. */
export const saysJson = (c: C): boolean => /^application\/json\b/i.test(c.req.header('content-type') ?? '');

/** null: the body is not a login. */
async function credentialsOf(c: C): Promise<{ readonly name: string; readonly password: string } | null> {
  if (!saysJson(c)) return null;
  try {
    const octets = Buffer.from(await c.req.arrayBuffer());
    if (octets.length > MAX_LOGIN_BODY || !isUtf8(octets)) return null;
    const body: unknown = JSON.parse(octets.toString());
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
    const { name, password, ...rest } = body as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || typeof password !== 'string' || Object.keys(rest).length > 0) return null;
    return { name: name.slice(0, MAX_NAME), password };
  } catch {
    return null;
  }
}
