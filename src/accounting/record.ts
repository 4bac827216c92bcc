/**
 * One line of the accounting file: what a session has used. An `ended` record stands there once for every session;
 * `interim` ones before it say the same of a session that goes on, so that a machine that loses power has lost no more
 * than the last of them. Amounts are totals since the session's start, never differences. Workers import the type
 * alone: they load no zod.
 */
import { z } from 'zod';

const count = z.number().int().min(0);

export const accountRecord = z.object({
  record: z.enum(['interim', 'ended']),
  session: z.string(),
  /** The server's own host name: files of several servers can be put together. */
  host: z.string(),
  /** The name that the client has given; null when it never got there. */
  user: z.string().nullable(),
  /** Whether pppd has believed it. */
  authenticated: z.boolean(),
  /** The client's own address, and ours as it dialled it. */
  client: z.string(),
  server: z.string(),
  /** The tunnel's addresses; null when none was agreed. */
  tunnel: z.object({ local: z.string().nullable(), remote: z.string().nullable() }),
  /** ISO 8601 in UTC, by the machine's clock at that moment; in an interim record `end` is when it was made. */
  start: z.string(),
  end: z.string(),
  /** Between the two by a clock that nobody sets: right also when the machine's clock was. */
  seconds: z.number().min(0),
  /** PPP frames from and to the client, over all calls of the session, and their octets. */
  rxPackets: count,
  rxBytes: count,
  txPackets: count,
  txBytes: count,
  encryption: z.string().nullable(),
  /** A name of session/close-reason's table; null in an interim record. */
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  /** Why it failed, a cause of docs/failures.md; null: it did not, or it is an interim record. */
  cause: z.string().nullable().default(null),
});

export type AccountRecord = z.infer<typeof accountRecord>;

/** How every record's line begins. A quote inside a JSON string is escaped: nowhere else in a record can this stand. */
const BEGINNING = '{"record":"';

/** The record of a line; also of one whose beginning a full disk has cut off another record. null: there is none. */
export function parseRecord(line: string): AccountRecord | null {
  const begin = line.lastIndexOf(BEGINNING);
  if (begin === -1) return null;
  try {
    return accountRecord.parse(JSON.parse(line.slice(begin)));
  } catch {
    return null;
  }
}

/** Whether two records are of one session: ids are drawn by lot, and may come again after some years. */
export const isSameSession = (a: AccountRecord, b: AccountRecord): boolean =>
  a.session === b.session && a.start === b.start && a.host === b.host;
