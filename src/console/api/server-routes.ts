/** Routes about the server as a whole: status, traffic, events, blocks, reload, check, doctor. */
import * as z from 'zod';
import { askManager, NoManager } from '../../admin/ask-manager.js';
import { checkText, loadConfiguration } from '../../config/load.js';
import { blocksResult, reloadResult, unblockResult } from '../../session/manager-status.js';
import { messageOf } from '../../sys/thrown.js';
import { ApiFault } from './fault.js';
import { acceptsGzip, packedStream } from './packed-stream.js';
import { route, type Services } from './route.js';
import * as schemas from './schemas.js';

/** The manager's answer. Throws ApiFault 502. */
async function ask(
  { settings }: Services,
  ...request: Parameters<typeof askManager> extends [string, ...infer Rest] ? Rest : never
): Promise<unknown> {
  try {
    return await askManager(settings.runDirectory, ...request);
  } catch (error) {
    const why = messageOf(error);
    if (error instanceof NoManager)
      throw new ApiFault(502, `${why}; the sessions continue without one`, 'start the server: pptpd-ts serve');
    throw new ApiFault(502, why);
  }
}

const finding = z.object({
  name: z.string(),
  fatal: z.boolean(),
  outcome: z.union([
    z.object({ ok: z.literal(true), detail: z.string() }),
    z.object({ ok: z.literal(false), problem: z.string(), remedy: z.string() }),
  ]),
});

function findingsOf(result: unknown): schemas.Findings {
  return {
    findings: z
      .array(finding)
      .parse(result)
      .map(({ name, fatal, outcome }) =>
        outcome.ok
          ? { check: name, level: 'ok' as const, text: outcome.detail, remedy: null }
          : {
              check: name,
              level: fatal ? ('fail' as const) : ('warn' as const),
              text: outcome.problem,
              remedy: outcome.remedy,
            },
      ),
  };
}

export const SERVER_ROUTES = [
  route({
    method: 'GET',
    path: '/status',
    role: 'view',
    summary: 'show a summary of the server',
    command: 'status',
    view: 'overview',
    answer: schemas.status,
    handle: async ({ model }) => model.status(),
  }),
  route({
    method: 'GET',
    path: '/traffic',
    role: 'view',
    summary: 'show the traffic of all tunnels in the last hour',
    command: null,
    view: 'overview',
    answer: schemas.traffic,
    handle: ({ model }) => model.traffic,
  }),
  route({
    method: 'GET',
    path: '/events',
    role: 'view',
    summary: 'follow what happens, as server-sent events: each `batch` is an array of events',
    command: 'watch',
    view: 'all',
    answer: { contentType: 'text/event-stream', words: 'events; the first batch has all sessions' },
    handle: ({ model, acceptEncoding, who, isStillValid }) => {
      const stream = model.open({ owner: `${who.by} ${who.name}`, isStillValid });
      if (stream === null) throw new ApiFault(503, 'too many event streams are open', 'close other pages');
      const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
      if (!acceptsGzip(acceptEncoding)) return new Response(stream, { headers });
      return new Response(packedStream(stream), { headers: { ...headers, 'content-encoding': 'gzip' } });
    },
  }),
  route({
    method: 'GET',
    path: '/blocks',
    role: 'view',
    summary: 'list the client addresses that are blocked after failed logins',
    command: 'blocks',
    view: 'server',
    answer: schemas.blocks,
    handle: async (call) => blocksResult.parse(await ask(call, 'blocks')),
  }),
  route({
    method: 'DELETE',
    path: '/blocks',
    role: 'admin',
    summary: 'unblock all addresses',
    command: 'blocks --clear-all',
    view: 'server',
    answer: schemas.unblocked,
    handle: async (call) => {
      const result = unblockResult.parse(await ask(call, 'unblock', { address: null }));
      call.changed(result);
      return result;
    },
  }),
  route({
    method: 'DELETE',
    path: '/blocks/{address}',
    role: 'admin',
    summary: 'unblock an address',
    command: 'blocks --clear',
    view: 'server',
    parameters: schemas.addressParameters,
    answer: schemas.unblocked,
    handle: async (call) => {
      const { address } = call.parameters;
      const result = unblockResult.parse(await ask(call, 'unblock', { address }));
      if (result.unblocked.length === 0) throw new ApiFault(404, `${address} is not blocked`);
      return result;
    },
  }),
  route({
    method: 'POST',
    path: '/reload',
    role: 'admin',
    summary: 'have the server read its configuration again, for new clients',
    command: 'reload',
    view: 'server',
    answer: schemas.problems,
    handle: async (call) => {
      const result = reloadResult.parse(await ask(call, 'reload'));
      call.changed(result);
      return result;
    },
  }),
  route({
    method: 'POST',
    path: '/check',
    role: 'admin',
    summary: "check a configuration, or without a text the server's file",
    command: 'check',
    view: 'server',
    body: schemas.checkRequest,
    answer: schemas.problems,
    handle: ({ body: { text }, settings: { configuration } }) => {
      const loaded = text === undefined ? loadConfiguration(configuration) : checkText('the text', text);
      return { problems: loaded.ok ? [] : loaded.problems };
    },
  }),
  route({
    method: 'GET',
    path: '/doctor',
    role: 'view',
    summary: 'check this machine: privileges, PPP, kernel, GRE, addresses, files',
    command: 'doctor',
    view: 'server',
    answer: schemas.findings,
    handle: async ({ root }) => findingsOf(await root.ask({ ask: 'doctor' })),
  }),
];
