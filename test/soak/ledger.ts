/**
 * The clients' own account of their sessions, and its comparison with the server's: every session stands in the accounting
 * file as ended, once, by the user that it was and for a reason that it had; and nothing else does.
 */
import type { AccountRecord } from '../../src/accounting/record.js';
import type { CloseReason } from '../../src/session/close-reason.js';

/** One connection of a client to the server. An address has one at a time. */
export interface Attempt {
  readonly address: string;
  /** Milliseconds since the epoch: when it connected. */
  readonly begun: number;
  /** Whether it became a session: its start request was answered, never sent, or sent without an answer. */
  session: 'yes' | 'no' | 'unknown';
  /** The name it has logged in with; null: it did not get there. */
  user: string | null;
  /** How it came to its end; for the reader. */
  readonly ending: string;
  /** What may have ended it; null: anything. */
  reasons: readonly CloseReason[] | null;
}

export interface Audit {
  readonly sessions: number;
  readonly ended: number;
  /** Everything that is wrong, a sentence each. */
  readonly problems: readonly string[];
}

/** `records`: all of the accounting file, in any order. */
export function audit(attempts: readonly Attempt[], records: readonly AccountRecord[]): Audit {
  const ended = records.filter(({ record }) => record === 'ended');
  const problems: string[] = [];
  const sorted = attempts.toSorted((a, b) => a.begun - b.begun);
  const found = new Map<Attempt, AccountRecord[]>(sorted.map((attempt) => [attempt, []]));
  for (const record of ended) {
    const start = Date.parse(record.start);
    // The one after which no other of this address had begun.
    const attempt = sorted.findLast(({ address, begun }) => address === record.client && begun <= start);
    if (attempt === undefined) problems.push(`a record of a session that nobody had: ${textOf(record)}`);
    else found.get(attempt)?.push(record);
  }
  for (const [attempt, ofIt] of found) problems.push(...problemsOf(attempt, ofIt));
  const sessions = attempts.filter(({ session }) => session === 'yes').length;
  return { sessions, ended: ended.length, problems };
}

function problemsOf(attempt: Attempt, records: readonly AccountRecord[]): string[] {
  const { address, begun, session, user, ending, reasons } = attempt;
  const it = `${address} at ${new Date(begun).toISOString()} (${ending}, ${user ?? 'no login'})`;
  const [record] = records;
  if (record === undefined) return session === 'yes' ? [`no record of the session of ${it}`] : [];
  if (session === 'no') return [`a record for ${it}, which was no session: ${textOf(record)}`];
  if (records.length > 1) return [`${records.length} records for ${it}: ${records.map(textOf).join('; ')}`];
  return [
    ...(user !== null && (record.user !== user || !record.authenticated)
      ? [`the record of ${it} is another user's: ${textOf(record)}`]
      : []),
    ...(session === 'yes' && reasons !== null && !reasons.some((each) => each === record.reason)
      ? [`the record of ${it} has another reason: ${textOf(record)}`]
      : []),
  ];
}

const textOf = ({ session, client, start, user, reason, detail }: AccountRecord): string =>
  `${session} ${client} ${start} ${user ?? '-'} ${reason ?? '-'}${detail === null ? '' : ` (${detail})`}`;
