/**
 * Where a relay's PPP frames go to and come from: the side of the data path that is not GRE. Frames lie in the shared
 * memory; those for the client in the slots of PacketBuffers, with room for a GRE header before each.
 */
import type { RelayCounters } from './relay-counters.js';

/** The PPP side is gone: it closed its end, or the system refuses to read from it (an error name of errno(3)). */
export type PortFailure = { readonly kind: 'closed' } | { readonly kind: 'unreadable'; readonly code: string };

export interface Port {
  /** To watch: readable while it has frames for the client, writable when it takes more of the client's. */
  readonly fd: number;

  /** Makes room for a batch of packets from the client; false when too many are waiting. */
  makeRoom(): boolean;
  /** Takes the frame of `length` octets at `at` from the client; false when there is no room. */
  push(at: number, length: number, isControl: boolean): boolean;
  /** Passes on what was pushed, as far as it is taken at once. */
  flush(): void;
  /** Something that was pushed still waits: `fd` is to be watched for being writable. */
  readonly isBlocked: boolean;

  /** Fills slots with frames for the client, from one read at most. */
  receive(): 'some' | 'none' | PortFailure;
  /** `receive` has more frames without a read. */
  readonly hasUnread: boolean;
  /** Filled slots, from the first on. */
  readonly frameCount: number;
  /** Frees the filled slots. */
  takeFrames(): void;

  /** Writes what it has counted so far into its own fields of `counters`. */
  count(counters: RelayCounters): void;
  /** Idempotent. */
  close(): void;
}
