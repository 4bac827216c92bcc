/**
 * The fork channel, manager to worker: one message, sent together with the client's socket. The worker trusts its parent,
 * so it checks only type and version (zod would cost each worker 5 MB).
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
  /** Bytes that the manager has already read from the socket, in base64. */
  readonly firstBytes: string;
  readonly configuration: Configuration;
}

/** Whether `message` is a handoff of this version. */
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
