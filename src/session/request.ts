/**
 * What can be asked of a session over its socket. One greeting from the worker on connect; then a request a line, and
 * its answer; after `subscribe` also an event a line. Checked by hand, not by zod: the worker loads none.
 *
 * The core, which no version changes: a line is a JSON object; the greeting's four fields; the request
 * `{ "id": 1, "op": "disconnect", "reason": "kicked" }`, also with `serverShutdown`; that the socket's closing is the session's
 * end; and in its record (record.ts) `session`, `lease`, `worker` and `pppd`. By these a manager of another version keeps
 * what the session holds from being lent again, and ends it; it asks it nothing else.
 */
import { LOG_LEVELS, type LogLevel } from '../log/level.js';
import type { CloseReason } from './close-reason.js';
import { isSessionId } from './paths.js';

/** Raised when a message changes so that an older reader would misunderstand it. Additions do not raise it. */
export const SOCKET_VERSION = 1;

export interface Greeting {
  readonly greeting: 'pptpd-ts';
  readonly v: number;
  readonly session: string;
  readonly version: string;
}

/** Why whoever asks may want a session to end. */
const DISCONNECT_REASONS = [
  'kicked',
  'serverShutdown',
  'madeRoom',
  'userLimit',
  'replaced',
  'blocked',
] as const satisfies readonly CloseReason[];
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number];

/** Longest detail of a disconnect, characters. */
export const MAX_DETAIL = 200;

/** The operations, each with the field of the request that it needs. */
interface Operations {
  /** The session's state. */
  state: Record<never, never>;
  /** Events from now on: `state` whenever a part of it other than the counters changes. */
  subscribe: Record<never, never>;
  /**
   * End the session; answered at once, the socket's closing says that it is done. `madeRoom`: an error with a call.
   * `detail`: for log and accounting, one line.
   */
  disconnect: { readonly reason: DisconnectReason; readonly detail?: string };
  /**
   * Session `by` has called from this one's client address under its call id: end without a word when the client of this one
   * gives no sign of life, else warn. Answered at once.
   */
  probe: { readonly by: string };
  /** Open the log file anew (it was rotated). */
  reopenLog: Record<never, never>;
  /** How much this session's log says from now on; null: what the configuration says. Answered by `{ level }`. */
  logLevel: { readonly level: LogLevel | null };
  /** Events from now on: `capture`, whenever control messages or PPP frames have passed. */
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
  capture: () => null,
};

/** The request in a message, or what is wrong with it. */
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
