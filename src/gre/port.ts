/**
 * The PPP side of the relay: where frames from the client go, and where frames for the client come from. Frames lie in
 * the shared memory; those for the client lie in the slots of PacketBuffers, with space for a GRE header before each.
 */
import type { RelayCounters } from './relay-counters.js';

/** The PPP side closed its end, or cannot be read (with an error name of errno(3)). */
export type PortFailure = { readonly kind: 'closed' } | { readonly kind: 'unreadable'; readonly code: string };

export interface Port {
  /**
   * The descriptor to poll: readable when there are frames for the client, writable when the port accepts more frames
   * from it.
   */
  readonly fd: number;

  /** Prepares the queue for a batch of packets from the client; false when too many packets are queued. */
  makeRoom(): boolean;
  /** Queues the client's frame of `length` octets at `at`; false when the queue is full. */
  push(at: number, length: number, isControl: boolean): boolean;
  /** Writes queued frames without blocking. */
  flush(): void;
  /** Frames are still queued: `fd` must be polled for being writable. */
  readonly isBlocked: boolean;

  /** Fills slots with frames for the client, using at most one read. */
  receive(): 'some' | 'none' | PortFailure;
  /** `receive` can return more frames without a read; `Relay.sendQueued` sends frames that the port has made itself. */
  readonly hasUnread: boolean;
  /** Number of filled slots, counted from the first. */
  readonly frameCount: number;
  /** Frees the filled slots. */
  takeFrames(): void;

  /** Copies the port's counts into its fields of `counters`. */
  count(counters: RelayCounters): void;
  /** Idempotent. */
  close(): void;
}
