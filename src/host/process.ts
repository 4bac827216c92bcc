/**
 * Identifies processes. A process id is reused after its process has ended; together with the start time, a signal
 * reaches the intended process or none.
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

/** Identifies a living process; null if there is none with this id, or only a zombie. */
export function identify(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The second field is the command in parentheses, which may contain anything; field 3 follows the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return startTime === undefined || state === 'Z' || state === 'X' ? null : { pid, startTime };
}

let own: ProcessIdentity | null = null;

/** This process's identity, looked up once. Throws where /proc is not mounted. */
export function identifyOurselves(): ProcessIdentity {
  own ??= identify(process.pid);
  if (own === null) throw new Error('/proc is not mounted: the process cannot identify itself');
  return own;
}

export const isAlive = (identity: ProcessIdentity): boolean => identify(identity.pid)?.startTime === identity.startTime;

/**
 * Whether a recorded process is alive and may be signalled: never process 1, this process or its parent, whatever the
 * record says.
 */
export const isAnothers = (identity: ProcessIdentity): boolean =>
  ![1, process.pid, process.ppid].includes(identity.pid) && isAlive(identity);

/** Sends a signal if the process is still the recorded one; returns whether it was sent. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAnothers(identity)) return false;
  try {
    process.kill(identity.pid, name);
    return true;
  } catch {
    return false; // it ended in between, or belongs to another user; the caller then sees that it is still alive
  }
}
