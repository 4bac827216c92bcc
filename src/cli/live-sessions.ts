/** The live sessions and whether a manager runs, for commands that work without a manager but report it. */
import { listSessions, type SessionListing } from '../session/client.js';
import { missingManager, type NoManager } from './ask-manager.js';
import { EXIT } from './configuration.js';

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

/** Reports a missing manager on standard error. Without sessions the exit code is 3 then. */
export function reportMissingManager(live: LiveSessions): void {
  if (live.noManager === null) return;
  const deserted = isDeserted(live);
  console.error(
    `pptpd-ts: ${live.noManager.message}; ${deserted ? 'there are no sessions' : 'the sessions continue without one'}`,
  );
  if (deserted) process.exitCode = EXIT.notRunning;
}
