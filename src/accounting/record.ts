/**
 * One line of the accounting file: what a session used. Each session has one `ended` record; `interim` records before
 * it limit what a power failure can lose. Amounts are totals since the session's start.
 *
 * Workers import only the type, so they do not load zod.
 */
import * as z from 'zod';

const count = z.number().int().min(0);

export const accountRecord = z.object({
  record: z.enum(['interim', 'ended']),
  session: z.string(),
  /** The server's host name, so that files of several servers can be merged. */
  host: z.string(),
  /** The user name that the client sent; null if it sent none. */
  user: z.string().nullable(),
  /** Whether pppd accepted the authentication. */
  authenticated: z.boolean(),
  /** The client's address, and the local address that it connected to. */
  client: z.string(),
  server: z.string(),
  /** The tunnel's addresses; null if none was negotiated. */
  tunnel: z.object({ local: z.string().nullable(), remote: z.string().nullable() }),
  /** ISO 8601 in UTC, by the system clock at that moment. In an interim record `end` is when the record was made. */
  start: z.string(),
  end: z.string(),
  /** Duration by a monotonic clock, which stays right when the system clock is set. */
  seconds: z.number().min(0),
  /** PPP frames from and to the client, over all calls of the session, and their octets. */
  rxPackets: count,
  rxBytes: count,
  txPackets: count,
  txBytes: count,
  encryption: z.string().nullable(),
  /** A name from the table in session/close-reason; null in an interim record. */
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  /** The cause of a failure (docs/failures.md); null if it did not fail, or in an interim record. */
  cause: z.string().nullable().default(null),
});

export type AccountRecord = z.infer<typeof accountRecord>;

/** The start of every record's line. It cannot occur inside a record, since quotes in JSON strings are escaped. */
const BEGINNING = '{"record":"';

/**
 * Returns the record in a line, also when a truncated record precedes it (after a full disk); null if there is none.
 */
export function parseRecord(line: string): AccountRecord | null {
  const begin = line.lastIndexOf(BEGINNING);
  if (begin === -1) return null;
  try {
    return accountRecord.parse(JSON.parse(line.slice(begin)));
  } catch {
    return null;
  }
}

/**
 * Whether two records belong to one session. The id alone is not enough: ids are random, and may be reused after years.
 */
export const isSameSession = (a: AccountRecord, b: AccountRecord): boolean =>
  a.session === b.session && a.start === b.start && a.host === b.host;
