/**
 * Requests to a session over its socket. The worker sends a greeting on connect, then one line per answer, and after
 * `subscribe` also one line per event. Requests are checked by hand, because the worker does not load zod.
 *
 * No version changes the core: a line is a JSON object; the four fields of the greeting; the request
 * `{ "id": 1, "op": "disconnect", "reason": "kicked" }`, also with `serverShutdown`; the socket closes when the session ends;
 * `session`, `lease`, `worker` and `pppd` in the record (record.ts). With the core alone a manager of another version
 * reserves the session's lease and ends the session.
 */
import { LOG_LEVELS, type LogLevel } from '../log/level.js';
import { MAX_TIMER_SECONDS } from '../sys/clock.js';
import type { CloseReason } from './close-reason.js';
import { isSessionId } from './paths.js';

/** Increased when a message changes so that an older reader would misunderstand it, not for additions. */
export const SOCKET_VERSION = 1;

export interface Greeting {
  readonly greeting: 'pptpd-ts';
  readonly v: number;
  readonly session: string;
  readonly version: string;
}

/** Reasons that a `disconnect` request may give. */
const DISCONNECT_REASONS = [
  'kicked',
  'radiusDisconnect',
  'serverShutdown',
  'madeRoom',
  'userLimit',
  'replaced',
  'blocked',
  'accountEnded',
] as const satisfies readonly CloseReason[];
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number];

/** Longest `detail` of a disconnect, in characters. */
export const MAX_DETAIL = 200;

/** The operations, each with the field of the request that it needs. */
interface Operations {
  /** The session's state. */
  state: Record<never, never>;
  /** Events from now on: `state` whenever a part of it other than the counters changes. */
  subscribe: Record<never, never>;
  /**
   * End the session. The answer comes at once; the socket closes when the session has ended. `madeRoom` fails if there is a
   * call. `detail`: one line for log and accounting.
   */
  disconnect: { readonly reason: DisconnectReason; readonly detail?: string };
  /**
   * Session `by` has called from this one's client address under its call id. If the client of this session gives no sign
   * of life, the session ends without a message to it; otherwise the session shows a warning. Answered at once.
   */
  probe: { readonly by: string };
  /** Reopen the log file after rotation. */
  reopenLog: Record<never, never>;
  /** Set the log level of this session; null: the configured level. The result is `{ level }`. */
  logLevel: { readonly level: LogLevel | null };
  /** Set the limits of the call, seconds: null: what `policy` says; left out: as before. RADIUS does so (RFC 5176). */
  limits: { readonly sessionTime?: number | null; readonly idleTime?: number | null };
  /** Events from now on: `capture`, with the control messages and PPP frames that have passed. */
  capture: Record<never, never>;
}

export type Operation = keyof Operations;
export type Request<O extends Operation = Operation> = {
  [K in O]: { readonly id: number; readonly op: K } & Operations[K];
}[O];

const checks: { readonly [O in Operation]: (fields: Record<string, unknown>) => string | null } = {
  state: () => null,
  subscribe: () => null,
  disconnect: ({ reason, detail }) => {
    if (!DISCONNECT_REASONS.some((each) => each === reason))
      return `reason must be one of ${DISCONNECT_REASONS.join(', ')}`;
    return detail === undefined || (typeof detail === 'string' && detail.length <= MAX_DETAIL)
      ? null
      : `detail must be a string of at most ${MAX_DETAIL} characters`;
  },
  probe: ({ by }) => (typeof by === 'string' && isSessionId(by) ? null : 'by must be a session'),
  reopenLog: () => null,
  logLevel: ({ level }) =>
    level === null || LOG_LEVELS.some((known) => known === level)
      ? null
      : `level must be null or one of ${LOG_LEVELS.join(', ')}`,
  limits: ({ sessionTime, idleTime }) =>
    [sessionTime, idleTime].every(isLimit)
      ? null
      : `sessionTime and idleTime must be null or numbers from 0 to ${MAX_TIMER_SECONDS}`,
  capture: () => null,
};

const isLimit = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'number' && value >= 0 && value <= MAX_TIMER_SECONDS);

/** The request in a message, or an error for the answer. */
export function parseRequest(message: unknown): { request: Request } | { id: number; error: string } {
  const fields: Record<string, unknown> = typeof message === 'object' && message !== null ? { ...message } : {};
  const id = typeof fields['id'] === 'number' ? fields['id'] : 0;
  const op = fields['op'];
  if (typeof op !== 'string' || !Object.hasOwn(checks, op)) {
    return { id, error: `unknown operation; known are ${Object.keys(checks).join(', ')}` };
  }
  const error = checks[op as Operation](fields);
  return error === null ? { request: { ...fields, id, op } as unknown as Request } : { id, error };
}
