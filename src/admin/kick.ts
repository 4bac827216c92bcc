/** Ends sessions, and waits until they have ended. Needs no manager. */
import { isIPv4 } from 'node:net';
import { SessionClient, SessionGone, type SessionListing } from '../session/client.js';
import { readRecord } from '../session/record.js';
import type { SessionState } from '../session/state.js';
import { messageOf } from '../sys/thrown.js';

/** Milliseconds. pppd is killed after `timeouts.pppdExit`; a session that takes longer than this hangs. */
const PATIENCE_MS = 30_000;

/** What a session is called by. */
export interface Named {
  readonly session: string;
  readonly user: string | null;
  /** null: the session does not answer, or another version runs it. */
  readonly client: string | null;
  readonly tunnel: string | null;
}

const named = ({ session, user, peer, tunnel }: SessionState): Named => ({
  session,
  user,
  client: peer.address,
  tunnel: tunnel.remote,
});

/** Reads the address from the record of a session that does not answer or is of another version. */
function namedByRecord(runDirectory: string, session: string): Named {
  const record = readRecord(runDirectory, session);
  return { session, user: null, client: null, tunnel: record?.agreedRemote ?? record?.lease.remote ?? null };
}

/** All sessions of a listing, also those that do not answer. */
export const namedIn = (runDirectory: string, { sessions, unreachable }: SessionListing): Named[] => [
  ...sessions.map(named),
  ...unreachable.map(({ id }) => namedByRecord(runDirectory, id)),
];

/** By session id, user, client address or tunnel address. */
export const isMeant = (who: string, { session, user, client, tunnel }: Named): boolean =>
  isIPv4(who) ? client === who || tunnel === who : session === who || user === who;

export interface Kicked {
  readonly session: string;
  readonly user: string | null;
  readonly client: string | null;
  /** null: the session has ended; else why not. */
  readonly failure: string | null;
}

/** Never rejects. `detail`: the reason in one line, for log and accounting. */
export async function kick(runDirectory: string, one: Named, detail: string | undefined): Promise<Kicked> {
  const { session, user, client: address } = one;
  const kicked = { session, user, client: address };
  try {
    const client = await SessionClient.reach(runDirectory, session);
    const over = new Promise<boolean>((resolve) => {
      client.onClose = () => resolve(true);
      setTimeout(() => resolve(false), PATIENCE_MS).unref();
    });
    await client.request('disconnect', { reason: 'kicked', ...(detail === undefined ? {} : { detail }) });
    const isOver = await over;
    client.close();
    return { ...kicked, failure: isOver ? null : `it has not ended after ${PATIENCE_MS / 1000} s` };
  } catch (error) {
    if (error instanceof SessionGone) return { ...kicked, failure: null };
    return { ...kicked, failure: messageOf(error) };
  }
}
