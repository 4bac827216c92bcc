/** Login, cookies, CSRF, roles and tokens over the routes, with the headers that a browser would send. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { Hono } from 'hono';
import { pino } from 'pino';
import { Access, API } from '../../../../src/console/access/access.js';
import type { ConsoleEnv, ConsoleUsers } from '../../../../src/console/access/who.js';
import { hashConsolePassword } from '../../../../src/users/console-password.js';
import { tokenHash } from '../../../../src/users/console-users.js';

const PASSWORD = 'correct horse';
let stored = '';
before(async () => (stored = await hashConsolePassword(PASSWORD)));

type User = NonNullable<Awaited<ReturnType<ConsoleUsers['find']>>>;

interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: string;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  /** NAME=VALUE of the cookie that was set; empty: none. */
  readonly cookie: string;
}

/** A console with a user and a token of each role. */
class TestConsole {
  now = 1_000_000;
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  users = new Map<string, User>([
    ['alice', { name: 'alice', role: 'admin', password: stored }],
    ['bob', { name: 'bob', role: 'view', password: stored }],
  ]);
  readonly tokens = new Map<string, { readonly name: string; readonly role: 'view' | 'admin' }>([
    [tokenHash('pptpd-ts-admin'), { name: 'deploy', role: 'admin' }],
    [tokenHash('pptpd-ts-view'), { name: 'monitoring', role: 'view' }],
  ]);
  isBroken = false;
  readonly access: Access;
  readonly #app = new Hono<ConsoleEnv>();

  constructor({ proxies = [], names = [] }: { proxies?: readonly string[]; names?: readonly string[] } = {}) {
    const find = async <T>(value: T | undefined): Promise<T | null> => {
      if (this.isBroken) throw new Error('the monitor does not answer');
      return Promise.resolve(value ?? null);
    };
    this.access = new Access({
      users: {
        find: async (name) => find(this.users.get(name)),
        findToken: async (hash) => find(this.tokens.get(hash)),
      },
      log: pino(
        { base: null },
        { write: (line: string) => void this.logged.push(JSON.parse(line) as (typeof this.logged)[number]) },
      ),
      now: () => this.now,
      random: randomBytes,
      origin: { names, isStrict: true },
      isUnixSocket: false,
      proxies,
    });
    this.#app.use(this.access.guard);
    this.#app.route(API, this.access.routes);
    this.#app.get(`${API}/seen`, this.access.require('view'), (c) => c.json({ who: c.get('who') }));
    this.#app.post(`${API}/change`, this.access.require('admin'), (c) => {
      c.set('change', { what: 'everything' });
      return c.json({});
    });
    this.#app.get(`${API}/valid`, this.access.require('view'), async (c) => {
      this.valid = async () => this.access.isStillValid(c);
      return Promise.resolve(c.json({}));
    });
    this.#app.get('/', (c) => c.text('page'));
  }

  valid: () => Promise<boolean> = async () => Promise.resolve(false);

  async ask(path: string, { method = 'GET', body, headers = {}, from = '198.51.100.1' }: Sent = {}): Promise<Answer> {
    const init = {
      method,
      headers: {
        host: '127.0.0.1:8723',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const incoming = { socket: { remoteAddress: from } } as unknown as ConsoleEnv['Bindings']['incoming'];
    const response = await this.#app.request(path, init, { incoming });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      body: isJson ? (JSON.parse(text) as Answer['body']) : {},
      headers: response.headers,
      cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '',
    };
  }

  async logIn(name = 'alice', password = PASSWORD, sent: Sent = {}): Promise<Answer> {
    return this.ask(`${API}/login`, { method: 'POST', body: { name, password }, ...sent });
  }

  async me(cookie: string): Promise<number> {
    return (await this.ask(`${API}/me`, { headers: { cookie } })).status;
  }

  async change(headers: Readonly<Record<string, string>>): Promise<number> {
    return (await this.ask(`${API}/change`, { method: 'POST', headers })).status;
  }
}

test('login, cookie, who am I, logout', async () => {
  const console = new TestConsole();
  assert.equal((await console.ask(`${API}/me`)).status, 401);
  const { status, cookie, headers, body } = await console.logIn();
  assert.equal(status, 200);
  assert.match(
    headers.get('set-cookie') ?? '',
    /^pptpd-ts-console=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  const me = await console.ask(`${API}/me`, { headers: { cookie } });
  assert.deepEqual(me.body, { name: 'alice', role: 'admin', csrf: body['csrf'] });
  const csrf = String(body['csrf']);
  assert.equal((await console.ask(`${API}/logout`, { method: 'POST', headers: { cookie } })).status, 403);
  const out = await console.ask(`${API}/logout`, { method: 'POST', headers: { cookie, 'x-csrf-token': csrf } });
  assert.match(out.headers.get('set-cookie') ?? '', /Max-Age=0/);
  assert.equal(await console.me(cookie), 401);
  const said = console.logged.map(({ msg }) => msg);
  assert.deepEqual(said, ['alice logged in to the console', 'alice: POST /api/v1/logout, status 200']);
  assert(!JSON.stringify(console.logged).includes(cookie.split('=')[1] ?? ''));
});

test('another login from the same browser ends the first', async () => {
  const console = new TestConsole();
  const first = await console.logIn();
  const second = await console.logIn('bob', PASSWORD, { headers: { cookie: first.cookie } });
  assert.equal(await console.me(first.cookie), 401);
  assert.equal(await console.me(second.cookie), 200);
});

test("yesterday's cookie, an idle one, and one that is made up", async () => {
  const console = new TestConsole();
  const { cookie } = await console.logIn();
  console.now += 3_600_000;
  assert.equal(await console.me(cookie), 401);
  assert.equal(await console.me('pptpd-ts-console=AAAA'), 401);
  assert.equal(await console.me(`pptpd-ts-console=${'A'.repeat(43)}`), 401);
  assert.equal(await console.me(`pptpd-ts-console=${'A'.repeat(5000)}`), 401);
});

test('behind a proxy with HTTPS the cookie is for HTTPS alone', async () => {
  const console = new TestConsole({ proxies: ['127.0.0.1'] });
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.1' };
  const { headers: answered } = await console.logIn('alice', PASSWORD, { headers, from: '127.0.0.1' });
  assert.match(answered.get('set-cookie') ?? '', /^__Host-pptpd-ts-console=.*; Secure;/);
  assert.equal(console.logged.at(-1)?.['client'], '203.0.113.1');
});

test('wrong passwords, unknown names and nonsense have the same answer, until they are refused', async () => {
  const console = new TestConsole();
  const answers = [
    await console.logIn('alice', 'wrong'),
    await console.logIn('nobody', PASSWORD),
    await console.logIn('<script>', PASSWORD),
    await console.logIn('alice', ''),
  ];
  for (const { status, body } of answers)
    assert.deepEqual([status, body], [401, { error: 'the name or the password is wrong' }]);
  for (let index = 0; index < 3; index += 1) await console.logIn('alice', 'wrong');
  const locked = await console.logIn('alice', PASSWORD, { from: '198.51.100.77' });
  assert.equal(locked.status, 429);
  assert.equal(locked.headers.get('retry-after'), '60');
  assert.equal((await console.logIn('bob', PASSWORD, { from: '198.51.100.77' })).status, 200);
  console.now += 60_000;
  assert.equal((await console.logIn()).status, 200);
  assert(console.logged.some(({ msg }) => msg === 'too many failed logins to the console; refusing more for 60 s'));
  assert(!JSON.stringify(console.logged).includes('wrong'));
});

test('a hundred tries at once get five answers', async () => {
  const console = new TestConsole();
  const all = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => console.logIn('alice', 'wrong', { from: `h${index}` })),
  );
  const statuses = all.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 401).length, 5);
  assert.equal(statuses.filter((status) => status === 429).length, 95);
});

test('what is no login is refused and counts for nobody', async () => {
  const console = new TestConsole();
  const bodies: readonly unknown[] = [
    '',
    '{',
    '[]',
    'null',
    '1',
    { name: 'alice' },
    { name: 1, password: 2 },
    { name: 'a', password: 'b', c: 1 },
    { name: 'alice', password: 'x'.repeat(5000) },
  ];
  for (const body of bodies)
    assert.equal((await console.ask(`${API}/login`, { method: 'POST', body })).status, 400, JSON.stringify(body));
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const text = JSON.stringify({ name: 'alice', password: PASSWORD });
  assert.equal((await console.ask(`${API}/login`, { method: 'POST', body: text, headers: form })).status, 400);
  const long = { 'content-length': '65537' };
  assert.equal((await console.ask(`${API}/login`, { method: 'POST', body: 'x', headers: long })).status, 413);
  const chunked = { 'transfer-encoding': 'chunked' };
  assert.equal((await console.ask(`${API}/login`, { method: 'POST', body: 'x', headers: chunked })).status, 411);
  assert.equal((await console.logIn()).status, 200);
});

test('changes need the token of the page, and the page', async () => {
  const console = new TestConsole();
  const { cookie, body } = await console.logIn();
  const csrf = String(body['csrf']);
  const other = String((await console.logIn('alice')).body['csrf']);
  assert.equal(await console.change({ cookie }), 403);
  assert.equal(await console.change({ cookie, 'x-csrf-token': other }), 403);
  assert.equal(await console.change({ 'x-csrf-token': csrf }), 401);
  assert.equal(await console.change({ cookie, 'x-csrf-token': csrf, origin: 'http://evil.example' }), 403);
  assert.equal(await console.change({ cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'same-site' }), 403);
  assert.equal(await console.change({ cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'same-origin' }), 200);
  const { who, by, client, method, path, status, change } = console.logged.at(-1) ?? {};
  assert.deepEqual(
    { who, by, client, method, path, status, change },
    {
      who: 'alice',
      by: 'password',
      client: '198.51.100.1',
      method: 'POST',
      path: '/api/v1/change',
      status: 200,
      change: { what: 'everything' },
    },
  );
});

test('the role view changes nothing, and another role counts within seconds', async () => {
  const console = new TestConsole();
  const { cookie, body } = await console.logIn('bob');
  const headers = { cookie, 'x-csrf-token': String(body['csrf']) };
  assert.equal(await console.change(headers), 403);
  assert.equal((await console.ask(`${API}/seen`, { headers })).status, 200);
  await console.ask(`${API}/valid`, { headers });
  console.users.set('bob', { name: 'bob', role: 'admin', password: stored });
  assert.equal(await console.valid(), true);
  console.now += 5000;
  assert.equal(await console.valid(), false);
  assert.equal(await console.change(headers), 200);
});

test('who is removed or has another password is logged out within seconds', async () => {
  const console = new TestConsole();
  const [alice, bob] = [await console.logIn('alice'), await console.logIn('bob')];
  await console.ask(`${API}/valid`, { headers: { cookie: bob.cookie } });
  console.users.set('alice', { name: 'alice', role: 'admin', password: await hashConsolePassword('another one') });
  console.users.delete('bob');
  console.now += 5000;
  assert.equal(await console.me(alice.cookie), 401);
  assert.equal(await console.valid(), false);
  assert.equal(await console.me(bob.cookie), 401);
});

test('tokens need no CSRF, have roles, and unknown ones are refused after ten', async () => {
  const console = new TestConsole();
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  assert.equal(await console.change(bearer('pptpd-ts-admin')), 200);
  assert.equal(console.logged.at(-1)?.['msg'], 'the token deploy: POST /api/v1/change, status 200');
  assert.equal(await console.change(bearer('pptpd-ts-view')), 403);
  const me = await console.ask(`${API}/me`, { headers: bearer('pptpd-ts-view') });
  assert.deepEqual(me.body, { name: 'monitoring', role: 'view', csrf: null });
  await console.ask(`${API}/valid`, { headers: bearer('pptpd-ts-view') });
  assert.equal(await console.valid(), true);
  console.tokens.delete(tokenHash('pptpd-ts-view'));
  console.now += 5000;
  assert.equal(await console.valid(), false);
  const { cookie } = await console.logIn();
  // A cookie does not help a token that is wrong.
  assert.equal((await console.ask(`${API}/me`, { headers: { cookie, ...bearer('') } })).status, 401);
  for (let index = 0; index < 10; index += 1) assert.equal(await console.change(bearer(`wrong${index}`)), 401);
  console.tokens.set(tokenHash('pptpd-ts-new'), { name: 'new', role: 'admin' });
  assert.equal(await console.change(bearer('pptpd-ts-new')), 429);
  // One that was right before is no guess.
  assert.equal(await console.change(bearer('pptpd-ts-admin')), 200);
  assert.equal(await console.me(cookie), 200);
});

test('a program may send a hundred requests at the same time', async () => {
  const console = new TestConsole();
  const headers = { authorization: 'Bearer pptpd-ts-admin' };
  const ask = async (): Promise<number[]> =>
    Promise.all(Array.from({ length: 100 }, async () => console.change(headers)));
  assert.deepEqual(new Set(await ask()), new Set([200]));
  console.now += 5000;
  assert.deepEqual(new Set(await ask()), new Set([200]));
});

test('when root does not answer nobody logs in, nothing counts, and it is said', async () => {
  const console = new TestConsole();
  const { cookie } = await console.logIn();
  console.isBroken = true;
  for (let index = 0; index < 6; index += 1) assert.equal((await console.logIn('bob')).status, 503);
  assert.equal(await console.change({ authorization: 'Bearer pptpd-ts-admin' }), 503);
  assert.equal(await console.me(cookie), 200);
  console.now += 5000;
  assert.equal(await console.me(cookie), 503);
  console.isBroken = false;
  assert.equal(await console.me(cookie), 200);
  assert.equal((await console.logIn('bob')).status, 200);
});

test('every answer has the headers, and the API is never stored', async () => {
  const console = new TestConsole();
  for (const path of ['/', '/none', `${API}/me`, `${API}/none`, `${API}/login`]) {
    const { headers } = await console.ask(path);
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self';/, path);
    assert(!/unsafe/.test(headers.get('content-security-policy') ?? ''));
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
    assert.equal(headers.get('cache-control'), path.startsWith('/api') ? 'no-store' : null, path);
  }
});

test('another name than those of the configuration is refused, with the remedy', async () => {
  const console = new TestConsole({ names: ['vpn.example.net'] });
  assert.equal((await console.ask('/', { headers: { host: 'vpn.example.net' } })).status, 200);
  const { status, body } = await console.ask('/', { headers: { host: 'evil.example' } });
  assert.deepEqual([status, body['remedy']], [403, 'add it to console.names in the configuration']);
});
