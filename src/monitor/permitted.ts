/** Who may ask for what, and when. Whatever is not in the table is refused, and the connection closed. Pure. */
import type { RequestType } from './protocol.js';

/** What a connected process is, and for a worker how far its session has come. */
export type PeerState =
  /** A process of root that is not the manager. */
  | 'root'
  | 'manager'
  /** A manager that still runs as root. */
  | 'rootManager'
  | WorkerState
  /** A worker whose session's PPP is pppd's. */
  | 'pppd'
  /** A worker without a session: it has ended. */
  | 'over';

export type WorkerState =
  /** No interface, no login. */
  | 'leased'
  /** Interface, no login. */
  | 'device'
  /** Login, no interface. */
  | 'granted'
  /** Interface and login. */
  | 'ready';

const PERMITTED: Readonly<Record<PeerState, ReadonlySet<RequestType>>> = {
  root: new Set(['announce']),
  manager: new Set(['register', 'release', 'review', 'network']),
  rootManager: new Set(['announce', 'register', 'release', 'review', 'network']),
  leased: new Set(['serve', 'challenge', 'authenticate', 'openTun', 'openKernel', 'close']),
  device: new Set(['serve', 'challenge', 'authenticate', 'close']),
  granted: new Set(['serve', 'challenge', 'authenticate', 'openTun', 'openKernel', 'close']),
  ready: new Set(['serve', 'challenge', 'authenticate', 'configure', 'close']),
  pppd: new Set(),
  over: new Set(['serve']),
};

const WORKER_STATES = ['leased', 'device', 'granted', 'ready'] as const satisfies readonly WorkerState[];

export const isPermitted = (state: PeerState, type: RequestType): boolean => PERMITTED[state].has(type);

/** Whether a session's worker may ask for it at some time; the session itself judges when. */
export const isOfSession = (type: RequestType): boolean => WORKER_STATES.some((state) => PERMITTED[state].has(type));

export const workerState = (has: { readonly device: boolean; readonly login: boolean }): WorkerState => {
  if (has.device) return has.login ? 'ready' : 'device';
  return has.login ? 'granted' : 'leased';
};
