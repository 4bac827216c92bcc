/** Who may ask for what, and when. Whatever is not in the table is refused, and the connection closed. Pure. */
import type { RequestType } from './protocol.js';

/** What a connected process is, and for a worker how far its session has come. */
export type Standing =
  /** A process of root that is not the manager. */
  | 'root'
  | 'manager'
  /** A manager that still runs as root. */
  | 'rootManager'
  | WorkerStanding
  /** A worker whose session's PPP is pppd's. */
  | 'pppd'
  /** A worker without a session: it has ended. */
  | 'over';

export type WorkerStanding =
  /** No interface, no login. */
  | 'leased'
  /** Interface, no login. */
  | 'device'
  /** Login, no interface. */
  | 'granted'
  /** Interface and login. */
  | 'ready';

const PERMITTED: Readonly<Record<Standing, ReadonlySet<RequestType>>> = {
  root: new Set(['announce']),
  manager: new Set(['register', 'release', 'review']),
  rootManager: new Set(['announce', 'register', 'release', 'review']),
  leased: new Set(['challenge', 'authenticate', 'openTun', 'openKernel', 'close']),
  device: new Set(['challenge', 'authenticate', 'close']),
  granted: new Set(['challenge', 'authenticate', 'openTun', 'openKernel', 'close']),
  ready: new Set(['challenge', 'authenticate', 'configure', 'close']),
  pppd: new Set(),
  over: new Set(),
};

export const isPermitted = (standing: Standing, type: RequestType): boolean => PERMITTED[standing].has(type);

export const standingOf = (has: { readonly device: boolean; readonly login: boolean }): WorkerStanding => {
  if (has.device) return has.login ? 'ready' : 'device';
  return has.login ? 'granted' : 'leased';
};
