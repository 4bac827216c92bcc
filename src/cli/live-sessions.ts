/** Who is on and whether a manager runs, for commands that need none but whose user may think that there is one. */
import { listSessions, type SessionListing } from '../session/client.js';
import { missingManager, type NoManager } from './ask-manager.js';
import { EXIT } from './configuration.js';

export interface LiveSessions extends SessionListing {
  /** null: a manager runs. */
  readonly noManager: NoManager | null;
}

export async function liveSessions(runDirectory: string): Promise<LiveSessions> {
  const [listing, noManager] = await Promise.all([listSessions(runDirectory), missingManager(runDirectory)]);
  return { ...listing, noManager };
}

/** No manager and no session: there is nothing to show. */
export const isDeserted = ({ sessions, unreachable, noManager }: LiveSessions): boolean =>
  noManager !== null && sessions.length + unreachable.length === 0;

/** Says on standard error that no manager runs, if so; without sessions that is the exit code too. */
export function tellOfManager(live: LiveSessions): void {
  if (live.noManager === null) return;
  const deserted = isDeserted(live);
  console.error(`pptpd-ts: ${live.noManager.message}; ${deserted ? 'nobody is on' : 'the sessions go on without one'}`);
  if (deserted) process.exitCode = EXIT.notRunning;
}
