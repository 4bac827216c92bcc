/**
 * Stray GRE packets: from the client's address, but with another version, protocol or call id. The call's own socket
 * drops them in the kernel. This socket queues the headers of the first few, which are read only to explain why no PPP
 * frame arrived.
 */
import { lastError } from '../sys/batch-io.js';
import { close } from '../sys/descriptor.js';
import { checked } from '../sys/libc.js';
import { IPPROTO_GRE } from '../sys/raw-socket.js';
import {
  AF_INET,
  attachFilter,
  openSocket,
  receive,
  setIntOption,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from '../sys/socket.js';
import { connectGre, type GreAddresses } from './gre-socket.js';
import { decodeHeader, emptyHeader } from './header.js';
import { FAULT_COUNTERS, type RelayCounters } from './relay-counters.js';
import { strayFilter } from './socket-filter.js';

const SO_RCVBUF = 8;
/** Holds about twenty packets, since the kernel doubles the value. */
const RECEIVE_BUFFER = 8 * 1024;
/** Longest part of a packet that the filter keeps, octets. */
const LONGEST = 128;
/** Maximum number of packets discarded at the start. */
const MAX_DRAINED = 256;

export class StraySocket {
  readonly #packet = new Uint8Array(LONGEST);
  readonly #header = emptyHeader();
  readonly #callId: number;
  #fd: number;

  /** Does not throw: if the socket cannot be opened, nothing is counted and only explanations are less precise. */
  constructor(options: GreAddresses) {
    this.#callId = options.callId;
    this.#fd = openSocket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_GRE);
    if (this.#fd < 0) return;
    try {
      this.#prepare(options);
    } catch {
      this.close();
    }
  }

  /** Adds those that have come since the last call, by what is wrong with them. */
  countInto(counters: Partial<RelayCounters>): void {
    for (let packet: Uint8Array | null; (packet = this.#read()) !== null; ) {
      const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
      const fault = decodeHeader(view, (view.getUint8(0) & 0x0f) * 4, packet.length, this.#callId, this.#header);
      if (fault !== null) counters[FAULT_COUNTERS[fault]] = (counters[FAULT_COUNTERS[fault]] ?? 0) + 1;
    }
  }

  /** The headers of the next packet, starting with the IP header, valid until the next call; null when there is none. */
  #read(): Uint8Array | null {
    if (this.#fd < 0) return null;
    const length = receive(this.#fd, this.#packet);
    if (length > 0) return this.#packet.subarray(0, length);
    // A pending ICMP error is reported once, before the packets.
    return length < 0 && lastError() === 'icmpError' ? this.#read() : null;
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  #prepare(options: GreAddresses): void {
    checked(attachFilter(this.#fd, strayFilter(options.callId)), 'filter stray GRE packets');
    checked(setIntOption(this.#fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER), 'set SO_RCVBUF');
    connectGre(this.#fd, options);
    // Packets that arrived before filter and connect may belong to another call.
    for (let count = 0; count < MAX_DRAINED && this.#read() !== null; count += 1);
  }
}
