/**
 * A raw GRE socket beside a call that the kernel carries: it gets the packets that packet-filters' `sampling` picks, and sends
 * acknowledgments without data (RFC 2637 §4.4). The kernel's own socket gets every packet all the same.
 */
import { encodeAcknowledgment, MAX_HEADER } from '../../gre/header.js';
import { SideSocket } from '../../gre/side-socket.js';
import type { Sampling } from './acknowledging.js';
import { type GuardState, SAMPLE_LENGTH, sampling } from './packet-filters.js';

/** Fixed part of the GRE header, and the acknowledgment number. */
const ACKNOWLEDGMENT_LENGTH = 12;

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
  readonly #socket: SideSocket;
  readonly #options: SampleSocketOptions;
  readonly #acknowledgment = new Uint8Array(MAX_HEADER);
  #isDeaf = false;

  /** Gets no packets before `listen`. Throws SystemCallFailed. */
  constructor(options: SampleSocketOptions) {
    this.#options = options;
    const { localCallId: callId } = options;
    const filter = sampling(callId, null, 'encrypted');
    this.#socket = new SideSocket({ ...options, callId, filter, longest: SAMPLE_LENGTH });
  }

  get fd(): number {
    return this.#socket.fd;
  }

  /** What is seen from now on, of what passes the guard: while resting only CCP that renegotiates. Throws SystemCallFailed. */
  listen(what: Sampling, guard: GuardState): void {
    const every = what.kind === 'sampling' ? what.every : null;
    this.#socket.setFilter(sampling(this.#options.localCallId, every, guard));
    const isDeaf = what.kind === 'deaf';
    if (isDeaf === this.#isDeaf) return;
    this.#isDeaf = isDeaf;
    // The kernel copies each packet from a socket's peer, even those that its filter then drops.
    this.#socket.connect(isDeaf ? this.#options.localAddress : this.#options.peerAddress);
  }

  /** null: there is no more. */
  read(): Sample | null {
    for (let packet; (packet = this.#socket.read()) !== null; ) {
      const { octets, header, fault } = packet;
      if (fault !== null || !header.hasSequence) continue;
      const { sequence, payloadAt, payloadLength } = header;
      return { sequence, frame: octets.subarray(payloadAt, Math.min(payloadAt + payloadLength, octets.length)) };
    }
    return null;
  }

  /** Acknowledges everything up to `sequence`; false: the system has not sent it. */
  acknowledge(sequence: number): boolean {
    const octets = this.#acknowledgment;
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    encodeAcknowledgment(view, ACKNOWLEDGMENT_LENGTH, this.#options.peerCallId, sequence);
    return this.#socket.send(octets.subarray(0, ACKNOWLEDGMENT_LENGTH));
  }

  close(): void {
    this.#socket.close();
  }
}
