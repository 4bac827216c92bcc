/** Who may ask for what, and when. Whatever is not in the table is refused, and the connection closed. Pure. */
import type { RequestType } from './protocol.js';

/**
 * Another process of root's; the manager; one that has stayed root; and a worker, by the state of its session: `device` it has its interface,
 * `granted` its client has logged in, `ready` both, `over` it has ended.
 */
export type Standing = 'root' | 'manager' | 'rootManager' | WorkerStanding | 'over';
export type WorkerStanding = 'leased' | 'device' | 'granted' | 'ready';

const PERMITTED: Readonly<Record<Standing, ReadonlySet<RequestType>>> = {
  root: new Set(['announce']),
  manager: new Set(['register', 'release']),
  rootManager: new Set(['announce', 'register', 'release']),
  leased: new Set(['authenticate', 'openTun', 'close']),
  device: new Set(['authenticate', 'close']),
  granted: new Set(['authenticate', 'openTun', 'close']),
  ready: new Set(['authenticate', 'configure', 'close']),
  over: new Set(),
};

export const isPermitted = (standing: Standing, type: RequestType): boolean => PERMITTED[standing].has(type);

export const standingOf = (has: { readonly device: boolean; readonly login: boolean }): WorkerStanding => {
  if (has.device) return has.login ? 'ready' : 'device';
  return has.login ? 'granted' : 'leased';
};
