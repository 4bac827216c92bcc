/** Cleans up after a session whose worker died: ends its processes and removes its files. */
import type * as host from '../host/process.js';
import type { ProcessIdentity } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import { removeSessionFiles } from '../session/record-writer.js';
import type { SessionRecord } from '../session/record.js';

/** How often to check whether a process that was told to end has ended. */
const REAP_POLL_MS = 100;

/** How the manager looks at processes that are not its children, and signals them. */
export type Processes = Pick<typeof host, 'isAlive' | 'isAnothers' | 'signal'>;

/** Ends the processes in the record; resolves when its pppd has ended. `pppdExitMs`: from TERM to KILL. */
export async function endProcesses(
  { worker, pppd }: SessionRecord,
  pppdExitMs: number,
  processes: Processes,
): Promise<void> {
  processes.signal(worker, 'SIGKILL');
  if (pppd !== null) await reap(pppd, pppdExitMs, processes);
}

/** Sends TERM, then KILL, until the process has ended. It is not our child, so its end must be polled. */
async function reap(pppd: ProcessIdentity, pppdExitMs: number, { isAlive, signal }: Processes): Promise<void> {
  if (!signal(pppd, 'SIGTERM')) return; // it has ended, or we may not signal it
  const killAt = performance.now() + pppdExitMs;
  while (isAlive(pppd)) {
    if (performance.now() >= killAt) signal(pppd, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, REAP_POLL_MS));
  }
}

/** Removes socket and record. Anything else under a session's name, such as a folder, is not ours and stays. */
export function removeFiles(runDirectory: string, id: string, log: Logger): void {
  try {
    removeSessionFiles(runDirectory, id);
  } catch (error) {
    log.warn({ session: id, err: error }, 'cannot remove the files of a session from the run directory');
  }
}
