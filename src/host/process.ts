/**
 * Processes by identity. A process id is used again after its process has ended; with the start time beside it a
 * signal reaches the process that was meant, or nothing.
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as /proc/PID/stat field 22 writes it. */
  readonly startTime: string;
}

/** The identity of a living process, zombies left out; null when there is none with this id. */
export function identify(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The second field is the command in parentheses and may hold anything; what follows it starts at field 3.
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
 * Whether it lives and can be what a record says: whatever that is, it is never the first process of the system, this one, or
 * the one that started this one.
 */
export const isAnothers = (identity: ProcessIdentity): boolean =>
  ![1, process.pid, process.ppid].includes(identity.pid) && isAlive(identity);

/** Signals the process if it still is the one that was meant; tells whether it was. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAnothers(identity)) return false;
  try {
    process.kill(identity.pid, name);
    return true;
  } catch {
    return false; // gone between the look and the signal, or another user's: the caller sees it alive still
  }
}
