/** What a process that has connected is, by what the kernel says of it. Pure. */
import type { ProcessIdentity } from '../host/process.js';

/** `root`: not the manager. `rootManager`: a manager that still runs as root. */
export type Role<Worker> =
  | { readonly name: 'root' | 'manager' | 'rootManager' }
  | { readonly name: 'worker'; readonly worker: Worker };

export interface KnownProcesses<Worker> {
  readonly manager: ProcessIdentity | null;
  /** By process id; those without a session may ask for nothing. */
  readonly workers: ReadonlyMap<
    number,
    Worker & { readonly identity: ProcessIdentity; readonly session: object | null }
  >;
}

/**
 * The kernel tells the process id (SO_PEERCRED), which another process has again some time after the first has died. So the start
 * time must be the same, too. `identity`: null for a process that has ended. null: a stranger.
 */
export function roleOf<Worker>(
  identity: ProcessIdentity | null,
  uid: number,
  { manager, workers }: KnownProcesses<Worker>,
): Role<Worker> | null {
  if (identity === null) return null;
  if (isSame(manager, identity)) return { name: uid === 0 ? 'rootManager' : 'manager' };
  const worker = workers.get(identity.pid);
  if (worker?.session != null && isSame(worker.identity, identity)) return { name: 'worker', worker };
  return uid === 0 ? { name: 'root' } : null;
}

export const isSame = (one: ProcessIdentity | null | undefined, other: ProcessIdentity): boolean =>
  one?.pid === other.pid && one.startTime === other.startTime;
