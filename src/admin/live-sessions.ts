/** The live sessions and whether a manager runs, for what works without a manager but reports it. */
import { listSessions, type SessionListing } from '../session/client.js';
import { missingManager, type NoManager } from './ask-manager.js';

export interface LiveSessions extends SessionListing {
  /** null: a manager is running. */
  readonly noManager: NoManager | null;
}

export async function liveSessions(runDirectory: string): Promise<LiveSessions> {
  const [listing, noManager] = await Promise.all([listSessions(runDirectory), missingManager(runDirectory)]);
  return { ...listing, noManager };
}

/** No manager and no session: there is nothing to show. */
export const isDeserted = ({ sessions, unreachable, noManager }: LiveSessions): boolean =>
  noManager !== null && sessions.length + unreachable.length === 0;
