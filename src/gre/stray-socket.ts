/**
 * Stray GRE packets: from the client's address, but with another version, protocol or call id. The call's own socket
 * drops them in the kernel. This socket queues the headers of the first few, which are read only to explain why no PPP
 * frame arrived.
 */
import { SystemCallFailed } from '../sys/libc.js';
import type { GreAddresses } from './gre-socket.js';
import { FAULT_COUNTERS, type RelayCounters } from './relay-counters.js';
import { SideSocket } from './side-socket.js';
import { STRAY_LENGTH, strayFilter } from './socket-filter.js';

/** Holds about twenty packets, since the kernel doubles the value. */
const RECEIVE_BUFFER = 8 * 1024;

export class StraySocket {
  #socket: SideSocket | null;

  /** Does not throw: if the socket cannot be opened, nothing is counted and only explanations are less precise. */
  constructor(options: GreAddresses) {
    this.#socket = open(options);
  }

  /** Adds those that have come since the last call, by what is wrong with them. */
  countInto(counters: Partial<RelayCounters>): void {
    for (let packet; (packet = this.#socket?.read() ?? null) !== null; ) {
      const { fault } = packet;
      if (fault !== null) counters[FAULT_COUNTERS[fault]] = (counters[FAULT_COUNTERS[fault]] ?? 0) + 1;
    }
  }

  /** Idempotent. */
  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }
}

function open(addresses: GreAddresses): SideSocket | null {
  const filter = strayFilter(addresses.callId);
  try {
    return new SideSocket({ ...addresses, filter, longest: STRAY_LENGTH, receiveBuffer: RECEIVE_BUFFER });
  } catch (error) {
    if (error instanceof SystemCallFailed) return null;
    throw error;
  }
}
