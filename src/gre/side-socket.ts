/**
 * A raw GRE socket beside the one that carries a call: it gets the packets from the client's address that its filter
 * picks, one at a time. What the call's own socket gets is not affected.
 */
import { lastError } from '../sys/batch-io.js';
import { close } from '../sys/descriptor.js';
import { checked } from '../sys/libc.js';
import type { Instruction } from '../sys/packet-filter.js';
import { IPPROTO_GRE } from '../sys/raw-socket.js';
import {
  AF_INET,
  attachFilter,
  openSocket,
  receive,
  send,
  setIntOption,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from '../sys/socket.js';
import { connectGre, connectTo, type GreAddresses } from './gre-socket.js';
import { decodeHeader, emptyHeader, type Header, type HeaderFault } from './header.js';

const SO_RCVBUF = 8;
/** Maximum number of packets discarded at the start. */
const MAX_DRAINED = 256;
/** The length of a packet in its IP header, which counts what the filter has cut off, too (RFC 791). */
const TOTAL_LENGTH_AT = 2;

export interface SideSocketOptions extends GreAddresses {
  readonly filter: readonly Instruction[];
  /** Longest part of a packet that the filter keeps, octets. */
  readonly longest: number;
  /** Octets, which the kernel doubles; left out: the system's default. */
  readonly receiveBuffer?: number;
}

/** All is valid until the next `read`. */
export interface SidePacket {
  /** It begins with the IP header; its end may be cut off. */
  readonly octets: Uint8Array;
  readonly header: Readonly<Header>;
  /** Why it is not a packet of the call; null: it is one. */
  readonly fault: HeaderFault | null;
}

export class SideSocket {
  readonly fd: number;
  readonly #callId: number;
  readonly #packet: Uint8Array;
  readonly #header = emptyHeader();

  /** Throws SystemCallFailed. */
  constructor(options: SideSocketOptions) {
    const { callId, filter, longest, receiveBuffer } = options;
    this.#callId = callId;
    this.#packet = new Uint8Array(longest);
    const step = 'open a raw socket for GRE (IP protocol 47)';
    this.fd = checked(openSocket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_GRE), step);
    try {
      this.setFilter(filter);
      if (receiveBuffer !== undefined)
        checked(setIntOption(this.fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer), 'set SO_RCVBUF');
      connectGre(this.fd, options);
      // Packets that arrived before filter and connect may belong to another call.
      for (let count = 0; count < MAX_DRAINED && this.#receive() >= 0; count += 1);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Throws SystemCallFailed. */
  setFilter(filter: readonly Instruction[]): void {
    checked(attachFilter(this.fd, filter), 'filter GRE packets');
  }

  /** From now on it gets packets from that address only. Throws SystemCallFailed. */
  connect(peerAddress: string): void {
    connectTo(this.fd, peerAddress);
  }

  /** null: there is no more. */
  read(): SidePacket | null {
    const length = this.#receive();
    if (length < 0) return null;
    const octets = this.#packet.subarray(0, length);
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    const [headerAt, end] = [(view.getUint8(0) & 0x0f) * 4, view.getUint16(TOTAL_LENGTH_AT)];
    const fault = decodeHeader(view, headerAt, end, this.#callId, this.#header);
    return { octets, header: this.#header, fault };
  }

  /** false: the system has not sent it. */
  send(octets: Uint8Array): boolean {
    return send(this.fd, octets) >= 0;
  }

  close(): void {
    close(this.fd);
  }

  #receive(): number {
    const length = receive(this.fd, this.#packet);
    // A pending ICMP error is reported once, before the packets.
    return length < 0 && lastError() === 'icmpError' ? this.#receive() : length;
  }
}
