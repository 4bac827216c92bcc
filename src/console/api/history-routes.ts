/** Routes about failures and ended sessions, which are in the accounting file. */
import type { AccountRecord } from '../../accounting/record.js';
import { recordsFromEnd } from '../../accounting/read-backwards.js';
import { reasonText } from '../../admin/happenings.js';
import { isSelected } from '../../admin/selection.js';
import { pointInTime } from '../../admin/units.js';
import { messageOf } from '../../sys/thrown.js';
import { ApiFault } from './fault.js';
import { route, type Services } from './route.js';
import { selectionOf } from './selection.js';
import { NewestFailures } from './newest-failures.js';
import * as schemas from './schemas.js';

/** Octets of the accounting file that one request reads at most: some hundred thousand sessions. */
const MAX_READ = 64 * 1024 * 1024;
/** Requests that read the file at the same time. */
const MAX_READERS = 4;
/** Records are written when sessions end, but not in strict order. */
const DISORDER_MS = 60_000;
const DAY_MS = 86_400_000;

let readers = 0;

/** Ended sessions, the newest first; none without an accounting file. */
async function* endedSessions({ settings: { accounting } }: Services): AsyncGenerator<AccountRecord> {
  if (accounting === null) return;
  if (readers >= MAX_READERS) throw new ApiFault(503, 'too many readers of the accounting file', 'try again');
  readers += 1;
  try {
    for await (const record of recordsFromEnd(accounting, MAX_READ)) if (record.record === 'ended') yield record;
  } catch (error) {
    if (error instanceof ApiFault) throw error;
    throw new ApiFault(502, `${accounting}: ${messageOf(error)}`);
  } finally {
    readers -= 1;
  }
}

const timeOf = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : (pointInTime(text, Date.now()) ?? otherwise);

/** The same words as `ended` has in happenings; without the sentence of the log, which accounting does not keep. */
function failureOf(record: AccountRecord): schemas.Failure {
  const { session, user, client, cause, reason, detail, end } = record;
  return {
    time: Date.parse(end),
    session,
    user,
    client,
    cause,
    text: reasonText(reason ?? 'the session failed', detail),
    remedy: null,
  };
}

const haystack = ({ session, user, client, tunnel, reason, cause, detail }: AccountRecord): string =>
  [session, user, client, tunnel.remote, reason, cause, detail].join('\n').toLowerCase();

export const HISTORY_ROUTES = [
  route({
    method: 'GET',
    path: '/failures',
    role: 'view',
    summary: 'list failed logins and sessions, the newest first; without `since` those of the last 24 hours',
    command: 'watch, sessions --ended',
    view: 'failures',
    query: schemas.failureQuery,
    answer: schemas.failures,
    handle: async (call) => {
      const { since, cause, limit } = call.query;
      const from = timeOf(since, Date.now() - DAY_MS);
      // For failures since this process started, the whole sentence is known.
      const live = call.model.failures.filter(({ time }) => time >= from);
      const known = new Set(live.map(({ session }) => session));
      const found = new NewestFailures(cause, limit);
      for (const each of live) found.add(each);
      for await (const record of endedSessions(call)) {
        const end = Date.parse(record.end);
        if (end < from - DISORDER_MS) break;
        if (record.cause !== null && end >= from && !known.has(record.session)) found.add(failureOf(record));
      }
      return { failures: found.newest, byCause: Object.fromEntries(found.byCause) };
    },
  }),
  route({
    method: 'GET',
    path: '/history',
    role: 'view',
    summary: 'list ended sessions, the newest first',
    command: 'sessions --ended',
    view: 'history',
    query: schemas.historyQuery,
    answer: schemas.history,
    handle: async (call) => {
      if (call.settings.accounting === null)
        throw new ApiFault(404, 'ended sessions are not recorded', 'add the section "accounting" to the configuration');
      const { search, user, client, address, since, until, before, limit } = call.query;
      const [from, to] = [timeOf(since, 0), timeOf(until, Number.POSITIVE_INFINITY)];
      const wanted = selectionOf({ user, client, address });
      const text = search?.toLowerCase() ?? '';
      const isMatch = (record: AccountRecord): boolean =>
        Date.parse(record.end) >= from &&
        Date.parse(record.end) <= to &&
        isSelected(wanted, { user: record.user, client: record.client, address: record.tunnel.remote }) &&
        haystack(record).includes(text);
      const cursor = before === undefined ? null : cursorOf(before);
      let isReached = cursor === null;
      const sessions: AccountRecord[] = [];
      for await (const record of endedSessions(call)) {
        const end = Date.parse(record.end);
        if (end < from - DISORDER_MS) break;
        // The record itself may be gone with a rotated file.
        if (cursor !== null && !isReached) {
          const isIt = end === cursor.end && record.session === cursor.session;
          isReached = isIt || end < cursor.end - DISORDER_MS;
          if (isIt || !isReached) continue;
        }
        if (!isMatch(record)) continue;
        sessions.push(record);
        if (sessions.length > limit) break;
      }
      const page = sessions.slice(0, limit);
      const last = page.at(-1);
      const next = sessions.length > limit && last ? `${Date.parse(last.end)}-${last.session}` : null;
      return { sessions: page, next };
    },
  }),
];

function cursorOf(text: string): { readonly end: number; readonly session: string } {
  const [end = '', session = ''] = text.split('-');
  return { end: Number(end), session };
}
