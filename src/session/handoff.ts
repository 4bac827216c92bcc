/**
 * The fork channel, manager to worker: one message, which travels with the client's socket. The worker trusts its
 * parent, so that only kind and version are checked on arrival (zod would cost each worker 5 MB).
 */
import type { Configuration } from '../config/schema.js';
import type { Lease, Peer } from './lease.js';

export const HANDOFF_VERSION = 1;

export interface Handoff {
  readonly type: 'handoff';
  readonly v: typeof HANDOFF_VERSION;
  readonly session: string;
  readonly lease: Lease;
  readonly peer: Peer;
  readonly localAddress: string;
  /** What the manager has read from the socket already, base64; the worker will not see these bytes again. */
  readonly firstBytes: string;
  readonly configuration: Configuration;
}

/** True for a handoff that this version understands. */
export function isHandoff(message: unknown): message is Handoff {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    message.type === 'handoff' &&
    'v' in message &&
    message.v === HANDOFF_VERSION
  );
}
