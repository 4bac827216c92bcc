/** What commands that work without a manager print if none is running. */
import { isDeserted, type LiveSessions } from '../admin/live-sessions.js';
import { EXIT } from './configuration.js';

/** Reports a missing manager on standard error. Without sessions the exit code is 3 then. */
export function reportMissingManager(live: LiveSessions): void {
  if (live.noManager === null) return;
  const deserted = isDeserted(live);
  console.error(
    `pptpd-ts: ${live.noManager.message}; ${deserted ? 'there are no sessions' : 'the sessions continue without one'}`,
  );
  if (deserted) process.exitCode = EXIT.notRunning;
}
