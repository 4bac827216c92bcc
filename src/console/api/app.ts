/** The API as a hono application: checks requests by the schemas of their route, calls its handler, answers in JSON. */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { problemsOf } from '../../config/problems.js';
import type { Logger } from '../../log/logger.js';
import type { Access } from '../access/access.js';
import { saysJson } from '../access/request.js';
import type { ConsoleEnv } from '../access/who.js';
import { ApiFault, faultOf } from './fault.js';
import { openApiOf } from './openapi.js';
import type { Route, Services } from './route.js';
import { ALL_ROUTES, ROUTES } from './routes.js';

type C = Context<ConsoleEnv>;

export interface ApiOptions extends Services {
  readonly access: Pick<Access, 'require' | 'isStillValid' | 'routes'>;
  readonly log: Logger;
}

export function createApi({ access, log, ...services }: ApiOptions): Hono<ConsoleEnv> {
  const api = new Hono<ConsoleEnv>();
  api.route('/', access.routes);
  const description = openApiOf(ALL_ROUTES);
  api.get('/openapi.json', access.require('view'), (c) => c.json(description));
  for (const each of ROUTES) {
    const path = each.path.replaceAll(/\{(\w+)\}/g, ':$1');
    api.on(each.method, path, access.require(each.role ?? 'view'), async (c) =>
      handle(c, each, services, async () => access.isStillValid(c)),
    );
  }
  api.notFound((c) => c.json(new ApiFault(404, 'there is no such route', 'see /api/v1/openapi.json').body, 404));
  api.onError((error, c) => {
    const fault = faultOf(error);
    if (fault !== null) return c.json(fault.body, fault.status);
    log.error({ err: error, path: c.req.path }, `a request of the console failed: ${error.message}`);
    return c.json({ error: 'the console failed to handle the request', remedy: "see the server's log" }, 500);
  });
  return api;
}

async function handle(
  c: C,
  { handle: work, parameters, query, body, answer }: Route,
  services: Services,
  isStillValid: () => Promise<boolean>,
): Promise<Response> {
  const result = await work({
    ...services,
    parameters: checked(parameters, c.req.param()),
    query: checked(query, queryOf(c)),
    body: body === undefined ? undefined : checked(body, await bodyOf(c)),
    who: c.get('who'),
    signal: c.req.raw.signal,
    acceptEncoding: c.req.header('accept-encoding') ?? '',
    isStillValid,
    changed: (what) => c.set('change', what),
  });
  if (result instanceof Response) {
    const isRead = c.req.method !== 'HEAD';
    // A body that nobody reads must not be made any longer.
    if (!isRead) await result.body?.cancel();
    // A new response, so that it gets the headers that every response has.
    return c.newResponse(isRead ? result.body : null, result);
  }
  // Only what the schemas name is sent.
  return c.json('safeParse' in answer ? (answer.parse(result) as object) : result);
}

/** Throws ApiFault 400 with every mistake. */
function checked(schema: z.ZodType | undefined, input: unknown): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const found = problemsOf(
    parsed.error,
    withoutSecrets(input),
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  );
  throw new ApiFault(400, found.map(({ key, text }) => (key === '' ? text : `${key}: ${text}`)).join('; '));
}

/** Passwords are not repeated in answers. */
const withoutSecrets = (input: unknown): unknown =>
  typeof input === 'object' && input !== null && 'password' in input ? { ...input, password: '…' } : input;

/** Throws ApiFault 400 for a name that is given twice. */
function queryOf(c: C): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (values.length > 1) throw new ApiFault(400, `${name}: given ${values.length} times`);
    given[name] = values[0] ?? '';
  }
  return given;
}

/** No body counts as `{}`. Throws ApiFault 400 or 415. */
async function bodyOf(c: C): Promise<unknown> {
  const text = await c.req.text();
  if (text.trim() === '') return {};
  if (!saysJson(c)) throw new ApiFault(415, 'the body must have the content type application/json');
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiFault(400, 'the body is not JSON');
  }
}
