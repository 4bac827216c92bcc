import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono, type MiddlewareHandler } from 'hono';
import type { ConsoleEnv } from '../../../../src/console/access/who.js';
import { createApi } from '../../../../src/console/api/app.js';
import { openApiOf } from '../../../../src/console/api/openapi.js';
import type { Services } from '../../../../src/console/api/route.js';
import { ALL_ROUTES, ROUTES } from '../../../../src/console/api/routes.js';
import type { ApiError } from '../../../../src/console/api/schemas.js';
import { type Root, RootRefusal } from '../../../../src/console/root-requests.js';
import { openLog } from '../../../../src/log/logger.js';

const USER = {
  name: 'alice',
  file: '/accounts.json',
  hindrance: null,
  address: null,
  expires: null,
  expiresAfter: null,
  firstLogin: null,
  sessions: null,
  sessionTime: null,
  idleTime: null,
  speed: null,
  quota: null,
  routes: null,
  note: null,
  hasPassword: false,
};

/** Root has one user, and adds a secret to every answer, as a fault might. */
const answerOfRoot = {
  users: [{ ...USER, ntHash: 'a secret' }],
  remarks: [],
  file: USER.file,
  keeps: [],
  endsSessions: true,
  storesHash: true,
};

/** Streams of events that nobody has read or closed. */
let openStreams = 0;

/** Ends when it is read. */
function openStream(): ReadableStream {
  openStreams += 1;
  const end = (): void => void (openStreams -= 1);
  const pull = (controller: ReadableStreamDefaultController): void => (end(), controller.close());
  return new ReadableStream({ pull, cancel: end }, { highWaterMark: 0 });
}

function apiWith(root: Partial<Root> = {}, roles: string[] = []) {
  const require =
    (role: string): MiddlewareHandler<ConsoleEnv> =>
    async (c, next) => {
      roles.push(`${c.req.method} ${c.req.path} ${role}`);
      c.set('who', { name: 'boss', role: 'admin', by: 'token' });
      await next();
    };
  const access = { require, isStillValid: async () => true, routes: new Hono<ConsoleEnv>() };
  const traffic = { step: 10, points: [], memory: 'a secret' };
  const model = { traffic, sessions: { states: [] }, usersChanged: () => undefined, failures: [], open: openStream };
  const services = {
    model: model as unknown as Services['model'],
    root: { ask: async () => answerOfRoot, ...root },
    settings: { runDirectory: '/nonexistent', configuration: '/nonexistent.json', accounting: null },
  };
  const { log } = openLog('console', { level: 'silent', file: 'console.log' });
  const api = createApi({ access, log, ...services });
  return async (path: string, method = 'GET', body?: unknown) => {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await api.request(path, { method, ...init }, {});
    const text = await response.text();
    return {
      status: response.status,
      text,
      error: text.startsWith('{') ? (JSON.parse(text) as Partial<ApiError>).error : null,
    };
  };
}

test('each method of a path has one route, and each is behind a login', async () => {
  const names = ALL_ROUTES.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(names, [...new Set(names)]);
  const roles: string[] = [];
  const ask = apiWith({}, roles);
  for (const { method, path } of ROUTES) await ask(path.replaceAll(/\{\w+\}/g, 'x'), method);
  assert.deepEqual(
    roles,
    ROUTES.map(({ method, path, role }) => `${method} ${path.replaceAll(/\{\w+\}/g, 'x')} ${role}`),
  );
});

test('what the schema of an answer does not name is not sent', async () => {
  const ask = apiWith();
  const { status, text } = await ask('/users');
  assert.equal(status, 200);
  assert.match(text, /"alice"/);
  assert.doesNotMatch(text, /secret|ntHash/);
  assert.equal((await ask('/traffic')).text, '{"step":10,"points":[]}');
});

test('every mistake of a request is named, and passwords are not repeated', async () => {
  const { status, error } = await apiWith()('/users', 'POST', {
    name: 'al\u0000ice',
    password: 'p\u0007ssword',
    fields: { sessions: -1, speed: { up: 1 } },
    role: 'admin',
  });
  assert.equal(status, 400);
  for (const key of [
    /^name: /,
    /password: /,
    /fields\.sessions: -1 is not allowed/,
    /fields\.speed\.up: /,
    /role: unknown key/,
  ])
    assert.match(error ?? '', key);
  assert.doesNotMatch(error ?? '', /ssword"/);
});

const refusals = [
  ['unknown', 404],
  ['known', 409],
  ['refused', 400],
  ['malformed', 400],
  ['failed', 502],
] as const;
for (const [kind, status] of refusals) {
  test(`what root refuses as ${kind} has status ${status} and root's sentence`, async () => {
    const ask = apiWith({
      ask: async () => {
        throw new RootRefusal(kind, 'root says so');
      },
    });
    const answer = await ask('/users/alice', 'DELETE');
    assert.deepEqual([answer.status, answer.error], [status, 'root says so']);
  });
}

test('a fault of the program itself tells nothing of it', async () => {
  const ask = apiWith({
    ask: async () => {
      throw new TypeError('/secret/path is undefined');
    },
  });
  const { status, text } = await ask('/users');
  assert.equal(status, 500);
  assert.doesNotMatch(text, /secret/);
});

test('whoever asks for the headers alone leaves no stream open', async () => {
  assert.equal((await apiWith()('/events', 'HEAD')).status, 200);
  assert.equal(openStreams, 0);
});

test('without a manager, sessions and accounting the routes say so', async () => {
  const ask = apiWith();
  const cases: [path: string, method: string, status: number, error: RegExp][] = [
    ['/blocks', 'GET', 502, /no manager is running/],
    ['/reload', 'POST', 502, /no manager is running/],
    ['/sessions/abc123', 'GET', 404, /there is no session abc123/],
    ['/sessions/abc123/kick', 'POST', 404, /there is no session abc123/],
    ['/sessions/abc123/capture', 'GET', 404, /there is no session abc123/],
    ['/history', 'GET', 404, /ended sessions are not recorded/],
    ['/nothing', 'GET', 404, /there is no such route/],
  ];
  for (const [path, method, status, error] of cases) {
    const answer = await ask(path, method);
    assert.equal(answer.status, status, path);
    assert.match(answer.error ?? '', error);
  }
});

test('a change of the text is checked like the file', async () => {
  const ask = apiWith();
  const wrong = await ask('/check', 'POST', { text: '{"listen": {"port": 0}}' });
  assert.match(wrong.text, /the text: listen\.port/);
  assert.match((await ask('/check', 'POST', {})).text, /nonexistent\.json: there is no such file/);
});

test('the description has every route with its parameters, and refers to nothing that is not there', () => {
  const description = openApiOf(ALL_ROUTES);
  const text = JSON.stringify(description);
  const paths = description['paths'] as Record<
    string,
    Record<string, { operationId: string; parameters?: { name: string; in: string }[] }>
  >;
  for (const { method, path } of ALL_ROUTES) {
    const operation = paths[path]?.[method.toLowerCase()] ?? assert.fail(`${method} ${path}`);
    const named = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
    const described = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name);
    assert.deepEqual(described, named, path);
  }
  const operations = Array.from(text.matchAll(/"operationId":"(\w+)"/g), ([, id]) => id);
  assert.equal(new Set(operations).size, ALL_ROUTES.length);
  assert.deepEqual(
    new Set(Array.from(text.matchAll(/"\$ref":"([^"]+)"/g), ([, to]) => to)),
    new Set(['#/components/responses/error']),
  );
});
