/** Routes about live sessions: list, one session, kick, debug, capture. */
import { PassThrough, Readable } from 'node:stream';
import * as z from 'zod';
import { quotaText } from '../../admin/account-quota.js';
import { captureSession, nextSession } from '../../admin/capture.js';
import { COUNTER_WORDS } from '../../admin/counter-words.js';
import { kick, type Kicked, type Named, namedIn } from '../../admin/kick.js';
import { lastLines, type LogLine } from '../../admin/log-tail.js';
import { addressesIn, isSelected } from '../../admin/selection.js';
import { sectionsOf } from '../../admin/session-description.js';
import { LOG_LEVELS } from '../../log/level.js';
import { listSessions, SessionClient, SessionGone } from '../../session/client.js';
import { listSessionIds } from '../../session/record.js';
import type { SessionState } from '../../session/state.js';
import { messageOf } from '../../sys/thrown.js';
import { quotaOf } from './ask-users.js';
import { ApiFault } from './fault.js';
import { whileValid } from './while-valid.js';
import { type Call, route, type Services } from './route.js';
import * as schemas from './schemas.js';
import { selectionOf } from './selection.js';

const LOG_LINES = 20;
/** Sessions that are ended at the same time. */
const KICKED_AT_ONCE = 50;
const MAX_CAPTURES = 8;
/** Until a capture ends whose reader was removed or has another role, ms. */
const CHECK_MS = 5000;
/** Of the capture's file that waits for its reader; beyond that the session's frames are lost, and counted. */
const CAPTURE_BUFFER = 1024 * 1024;

const noSession = (id: string): ApiFault => new ApiFault(404, `there is no session ${id} (it may have ended)`);

/** Of what connects to a session: it is gone, or does not answer. */
function sessionFault(id: string, error: unknown): ApiFault {
  if (error instanceof SessionGone) return noSession(id);
  return new ApiFault(502, messageOf(error));
}

async function withSession<T>(services: Services, id: string, work: (client: SessionClient) => Promise<T>): Promise<T> {
  try {
    const client = await SessionClient.connect(services.settings.runDirectory, id);
    return await work(client).finally(() => client.close());
  } catch (error) {
    throw sessionFault(id, error);
  }
}

/** The log file belongs to the server's user; its group may read it. */
function logOf({ log }: SessionState): z.input<typeof schemas.logLine>[] {
  if (log === null || log.file === null) return [];
  try {
    return lastLines(log.file, LOG_LINES).map(({ time, level, msg }: LogLine) => ({
      time: String(time),
      level: String(level),
      text: String(msg),
    }));
  } catch {
    return [];
  }
}

async function kickAll(
  { settings: { runDirectory }, who, changed }: Call<unknown, unknown, unknown>,
  meant: readonly Named[],
  reason: string | undefined,
): Promise<schemas.Ended> {
  const detail = reason ?? `by ${who.name}, in the console`;
  const waiting = [...meant];
  const kicked: Kicked[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      kicked.push(await kick(runDirectory, next, detail));
  };
  await Promise.all(Array.from({ length: KICKED_AT_ONCE }, work));
  const result = {
    ended: kicked.filter(({ failure }) => failure === null).map(({ session }) => session),
    failed: kicked.flatMap(({ session, failure }) => (failure === null ? [] : [{ id: session, why: failure }])),
  };
  changed(result);
  return result;
}

const level = z.object({ level: z.enum(LOG_LEVELS) });
/** Sessions whose level goes back by a timer. */
const debugTimers = new Map<string, NodeJS.Timeout>();

async function setLevel(services: Services, id: string, to: 'debug' | null): Promise<z.output<typeof level>> {
  return withSession(services, id, async (client) => level.parse(await client.request('logLevel', { level: to })));
}

let captures = 0;

type Captured = Pick<
  Call<unknown, { readonly seconds: number; readonly packets: number }, unknown>,
  'query' | 'signal' | 'isStillValid'
>;

/** The answer begins when the session does, so that a wrong request is refused with a status. */
function captureOf(session: SessionClient, { query: { seconds, packets }, signal, isStillValid }: Captured): Response {
  const output = new PassThrough({ highWaterMark: CAPTURE_BUFFER });
  const permission = whileValid(isStillValid, CHECK_MS);
  const stop = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000), permission.over]);
  captures += 1;
  const closed = new Promise<never>((_, reject) => output.once('close', () => reject(new Error('nobody reads'))));
  void Promise.race([captureSession({ session, output, stop, most: packets }), closed])
    .then(
      () => output.end(),
      () => output.destroy(),
    )
    .finally(() => {
      captures -= 1;
      permission.close();
      session.close();
    });
  return new Response(Readable.toWeb(output) as ReadableStream, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="session-${session.id}.pcapng"`,
    },
  });
}

function requireFreeCapture(): void {
  if (captures >= MAX_CAPTURES)
    throw new ApiFault(429, `${MAX_CAPTURES} captures are running already`, 'end one of them, or wait');
}

const PCAPNG = {
  contentType: 'application/octet-stream',
  words: 'a pcapng file, which grows while it is read',
} as const;

export const SESSION_ROUTES = [
  route({
    method: 'GET',
    path: '/sessions',
    role: 'view',
    summary: 'list the live sessions, with their rates',
    command: 'sessions, top',
    view: 'sessions',
    query: schemas.sessionQuery,
    answer: schemas.sessionList,
    handle: ({ model, query }) => {
      const { sessions, unreachable } = model.list;
      const selection = selectionOf(query);
      return { sessions: sessions.filter((row) => isSelected(selection, row)), unreachable };
    },
  }),
  route({
    method: 'GET',
    path: '/sessions/{id}',
    role: 'view',
    summary: 'show one session: client, negotiation, encryption, loss, round-trip time, counters, last log lines',
    command: 'show',
    view: 'session',
    parameters: schemas.sessionParameters,
    answer: schemas.sessionDetail,
    handle: async (call) => {
      const { id } = call.parameters;
      const state = await withSession(call, id, async (client) => client.state());
      // The model hears of a new session a moment later.
      const row = call.model.sessions.row(id);
      if (row === null) throw noSession(id);
      const quota = quotaText(await quotaOf(call, state.limits?.account ?? null).catch(() => null));
      return {
        row,
        sections: sectionsOf(state, { interfaceName: row.interface, quota, now: Date.now() }).map(
          ({ title, rows }) => ({
            title,
            rows: rows.map(([name, value]) => ({ name, value })),
          }),
        ),
        counters: Object.entries(state.counters ?? {}).map(([name, value]) => ({
          name,
          words: COUNTER_WORDS.get(name) ?? null,
          value,
        })),
        state,
        log: logOf(state),
      };
    },
  }),
  route({
    method: 'POST',
    path: '/sessions/{id}/kick',
    role: 'admin',
    summary: 'end a session, and wait until it has ended',
    command: 'kick ID',
    view: 'session',
    parameters: schemas.sessionParameters,
    body: schemas.kickOne,
    answer: schemas.ended,
    handle: async (call) => {
      const { id } = call.parameters;
      const { runDirectory } = call.settings;
      if (!listSessionIds(runDirectory).includes(id)) throw noSession(id);
      return kickAll(call, [{ session: id, user: null, client: null, tunnel: null }], call.body.reason);
    },
  }),
  route({
    method: 'POST',
    path: '/sessions/kick',
    role: 'admin',
    summary: 'end all sessions of a user, a client or an address',
    command: 'kick',
    view: 'sessions',
    body: schemas.kickMany,
    answer: schemas.ended,
    handle: async (call) => {
      const { reason, ...selection } = call.body;
      const listing = await listSessions(call.settings.runDirectory);
      const wanted = selectionOf(selection);
      // The client of a session that does not answer is not known.
      const meant = namedIn(call.settings.runDirectory, listing).filter(
        ({ user, client, tunnel }) =>
          (client !== null || wanted.client === undefined) &&
          isSelected(wanted, { user, client: client ?? '', address: tunnel }),
      );
      if (meant.length === 0) throw new ApiFault(404, 'no session matches');
      return kickAll(call, meant, reason);
    },
  }),
  route({
    method: 'POST',
    path: '/sessions/{id}/debug',
    role: 'admin',
    summary: 'log one session at level debug for some minutes, or at the configured level again',
    command: 'debug',
    view: 'session',
    parameters: schemas.sessionParameters,
    body: schemas.debugRequest,
    answer: schemas.debugResult,
    handle: async (call) => {
      const { id } = call.parameters;
      const { minutes } = call.body;
      const result = await setLevel(call, id, minutes === 'off' ? null : 'debug');
      clearTimeout(debugTimers.get(id));
      debugTimers.delete(id);
      if (minutes !== 'off') {
        const back = (): void => {
          debugTimers.delete(id);
          // It may have ended meanwhile.
          setLevel(call, id, null).catch(() => undefined);
        };
        debugTimers.set(id, setTimeout(back, minutes * 60_000).unref());
      }
      call.changed({ minutes });
      return result;
    },
  }),
  route({
    method: 'GET',
    path: '/sessions/{id}/capture',
    role: 'admin',
    summary: "download a session's PPP frames and control messages from now on, for Wireshark",
    command: 'capture ID',
    view: 'session',
    parameters: schemas.sessionParameters,
    query: schemas.captureQuery,
    answer: PCAPNG,
    handle: async (call) => {
      const { id } = call.parameters;
      requireFreeCapture();
      try {
        return captureOf(await SessionClient.connect(call.settings.runDirectory, id), call);
      } catch (error) {
        throw sessionFault(id, error);
      }
    },
  }),
  route({
    method: 'GET',
    path: '/capture',
    role: 'admin',
    summary: 'the same of the next session of a client address or network, from its start',
    command: 'capture --next',
    view: 'sessions',
    query: schemas.nextCaptureQuery,
    answer: PCAPNG,
    handle: async (call) => {
      const { query, settings, signal } = call;
      requireFreeCapture();
      const clients = addressesIn(query.next);
      if (clients === null) throw new ApiFault(400, 'next: not an IPv4 address or network');
      captures += 1;
      const session = await nextSession({
        runDirectory: settings.runDirectory,
        clients,
        stop: AbortSignal.any([signal, AbortSignal.timeout(query.seconds * 1000)]),
        onUnreachable: () => undefined,
      }).finally(() => (captures -= 1));
      if (session === null)
        throw new ApiFault(404, `no client of ${query.next} has connected within ${query.seconds} s`);
      return captureOf(session, call);
    },
  }),
];
