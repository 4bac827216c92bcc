/** Clears away what a session has left whose worker died without a word: its worker, its pppd, its files. */
import type * as host from '../host/process.js';
import type { ProcessIdentity } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import { removeSessionFiles } from '../session/record-writer.js';
import type { SessionRecord } from '../session/record.js';

/** How often to look whether a process that was told to end has ended. */
const REAP_POLL_MS = 100;

/** How the manager looks at processes that are not its children, and signals them. */
export type Processes = Pick<typeof host, 'isAlive' | 'isAnothers' | 'signal'>;

/** Ends the processes that the record names; resolves when its pppd is gone. `pppdExitMs`: from TERM to KILL. */
export async function endProcesses(
  { worker, pppd }: SessionRecord,
  pppdExitMs: number,
  processes: Processes,
): Promise<void> {
  processes.signal(worker, 'SIGKILL');
  if (pppd !== null) await reap(pppd, pppdExitMs, processes);
}

/** TERM, then KILL, until the process is gone. It is no child of ours, so its end must be looked for. */
async function reap(pppd: ProcessIdentity, pppdExitMs: number, { isAlive, signal }: Processes): Promise<void> {
  if (!signal(pppd, 'SIGTERM')) return; // gone, or not to be ended by us
  const killAt = performance.now() + pppdExitMs;
  while (isAlive(pppd)) {
    if (performance.now() >= killAt) signal(pppd, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, REAP_POLL_MS));
  }
}

/** Removes socket and record. What lies there under a session's name and is no file was made by somebody else: it stays. */
export function removeFiles(runDirectory: string, id: string, log: Logger): void {
  try {
    removeSessionFiles(runDirectory, id);
  } catch (error) {
    log.warn({ session: id, err: error }, 'cannot remove what a session has left in the run directory');
  }
}
