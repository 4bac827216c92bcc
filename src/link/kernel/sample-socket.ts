/**
 * A raw GRE socket beside a call that the kernel carries: it gets the packets that packet-filters' `sampling` picks, and sends
 * acknowledgments without data (RFC 2637 §4.4). The kernel's own socket gets every packet all the same.
 */
import { connectGre } from '../../gre/gre-socket.js';
import { IPPROTO_GRE } from '../../sys/raw-socket.js';
import { decodeHeader, emptyHeader, encodeAcknowledgment, MAX_HEADER } from '../../gre/header.js';
import { lastError } from '../../sys/batch-io.js';
import { close } from '../../sys/descriptor.js';
import { checked } from '../../sys/libc.js';
import {
  AF_INET,
  attachFilter,
  openSocket,
  receive,
  send,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from '../../sys/socket.js';
import { type GuardState, SAMPLE_LENGTH, sampling } from './packet-filters.js';

/** Fixed part of the GRE header, and the acknowledgment number. */
const ACKNOWLEDGMENT_LENGTH = 12;
/** The longest IP packet: the header of a sample tells of octets that the filter has cut off. */
const MAX_PACKET = 65_535;
/** Maximum number of packets discarded at the start. */
const MAX_DRAINED = 256;

export interface SampleSocketOptions {
  readonly localAddress: string;
  readonly peerAddress: string;
  readonly localCallId: number;
  readonly peerCallId: number;
  /** Name of the VRF device to bind to. */
  readonly device: string | undefined;
}

export interface Sample {
  readonly sequence: number;
  /** The PPP frame, of which the end may be cut off; valid until the next `read`. */
  readonly frame: Uint8Array;
}

export class SampleSocket {
  readonly fd: number;
  readonly #options: SampleSocketOptions;
  readonly #packet = new Uint8Array(SAMPLE_LENGTH);
  readonly #header = emptyHeader();
  readonly #acknowledgment = new Uint8Array(MAX_HEADER);

  /** Gets no packets before `sample`. Throws SystemCallFailed. */
  constructor(options: SampleSocketOptions) {
    this.#options = options;
    const step = 'open a raw socket for GRE (IP protocol 47)';
    this.fd = checked(openSocket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_GRE), step);
    try {
      this.sample(null, 'encrypted');
      connectGre(this.fd, { ...options, callId: options.localCallId });
      // Packets that arrived before filter and connect may belong to another call.
      for (let count = 0; count < MAX_DRAINED && receive(this.fd, this.#packet) >= 0; count += 1);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** From now on every `every`-th packet that the guard lets pass is seen; null: none but those that renegotiate encryption. */
  sample(every: number | null, state: GuardState): void {
    const program = sampling(this.#options.localCallId, every, state);
    checked(attachFilter(this.fd, program), 'filter GRE by sequence number');
  }

  /** null: there is no more. */
  read(): Sample | null {
    for (;;) {
      const length = receive(this.fd, this.#packet);
      if (length < 0) {
        // An ICMP error is reported once, before the packets.
        if (lastError() === 'icmpError') continue;
        return null;
      }
      const packet = this.#packet.subarray(0, length);
      const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
      const fault = decodeHeader(
        view,
        (view.getUint8(0) & 0x0f) * 4,
        MAX_PACKET,
        this.#options.localCallId,
        this.#header,
      );
      if (fault !== null || !this.#header.hasSequence) continue;
      const { sequence, payloadAt, payloadLength } = this.#header;
      return { sequence, frame: packet.subarray(payloadAt, Math.min(payloadAt + payloadLength, length)) };
    }
  }

  /** Acknowledges everything up to `sequence`; false: the system has not sent it. */
  acknowledge(sequence: number): boolean {
    const octets = this.#acknowledgment;
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    encodeAcknowledgment(view, ACKNOWLEDGMENT_LENGTH, this.#options.peerCallId, sequence);
    return send(this.fd, octets.subarray(0, ACKNOWLEDGMENT_LENGTH)) >= 0;
  }

  close(): void {
    close(this.fd);
  }
}
