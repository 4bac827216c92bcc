/** Finds the sessions of an earlier manager in the run directory. */
import type { Logger } from '../log/logger.js';
import { type Connect, SessionClient, SessionGone } from '../session/client.js';
import type { Lease } from '../session/lease.js';
import { listSessionIds, readRecord } from '../session/record.js';
import { removeFiles } from './reaper.js';

export interface FoundSession {
  readonly id: string;
  readonly lease: Lease;
  /** The client's address as agreed by PPP, if the record has one that differs from the lease's. */
  readonly agreedRemote: string | null;
}

/**
 * Returns every session and its lease, including dead sessions with a record. A socket without a session is removed;
 * anything else stays.
 */
export async function findSessions(runDirectory: string, connect: Connect, log: Logger): Promise<FoundSession[]> {
  const found = await Promise.all(
    listSessionIds(runDirectory).map(async (id) => {
      const record = readRecord(runDirectory, id);
      const lease = record?.lease ?? (await leaseWithoutRecord(runDirectory, id, connect, log));
      return lease === null ? [] : [{ id, lease, agreedRemote: record?.agreedRemote ?? null }];
    }),
  );
  return found.flat();
}

/**
 * Asks a session whose record is missing or damaged for its lease. Null: no session answers; if nothing listens, its files are
 * removed. A worker that is killed while it creates or removes its files leaves a socket without a record.
 */
async function leaseWithoutRecord(
  runDirectory: string,
  id: string,
  connect: Connect,
  log: Logger,
): Promise<Lease | null> {
  try {
    const client = await SessionClient.connect(runDirectory, id, connect);
    try {
      const { tunnel, callId } = await client.state();
      log.warn({ session: id }, 'a session has no readable record; its own answer is used instead');
      return { ...tunnel, callId };
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof SessionGone) removeFiles(runDirectory, id, log);
    else
      log.warn({ session: id, err: error }, 'something in the run directory is not a session of this server; ignored');
    return null;
  }
}
