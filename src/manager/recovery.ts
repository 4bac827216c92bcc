/** The sessions of an earlier manager, as the run directory has them when this one starts. */
import type { Logger } from '../log/logger.js';
import { type Connect, SessionClient, SessionGone } from '../session/client.js';
import type { Lease } from '../session/lease.js';
import { listSessionIds, readRecord } from '../session/record.js';
import { removeFiles } from './reaper.js';

export interface FoundSession {
  readonly id: string;
  readonly lease: Lease;
  /** The client's address as PPP has agreed it, where the record has another one than the lease's. */
  readonly agreedRemote: string | null;
}

/**
 * Resolves with each session that is there, dead ones with a record included, and what it holds. What belongs to no session
 * is removed or left alone.
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
 * What a session whose record is missing or spoiled says itself that it holds. Null when nobody is there; then its files
 * are removed. A socket alone is left by a worker that was killed between its two last acts, or before its first.
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
      log.warn({ session: id }, 'a session has no readable record; it says itself what it holds');
      return { ...tunnel, callId };
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof SessionGone) removeFiles(runDirectory, id, log);
    else log.warn({ session: id, err: error }, 'something in the run directory is no session of ours; left alone');
    return null;
  }
}
