/**
 * Whether long packets to the client get lost where shorter ones do not: an MTU black hole. Told from the acknowledgments
 * (RFC 2637 §4.2 has the client name the highest number it has received, so that this very packet has arrived) and
 * from long packets that nothing followed and that were not acknowledged for QUIET. Of packets from the client only gaps
 * are seen, and a gap has no size: that direction cannot be judged so. Pure; two stores a packet.
 */
import { distance } from './serial.js';

/** After so long an acknowledgment is not late but missing, ms: clients wait up to 500 for data to ride on. */
export const QUIET = 1500;
/** PPP octets that every path carries in one piece: IPv4's least (RFC 791), less the headers of IP and GRE. */
const ALWAYS_PASSES = 540;
/** So many long ones in a row missed, and so many shorter ones arrived meanwhile, are no accident. */
export const MISSES_TO_SUSPECT = 3;
export const ARRIVALS_TO_SUSPECT = 3;
/** Numbers whose length is remembered: a power of two. */
const RING = 1024;

export class SizeLoss {
  /** The longest that has surely arrived, and the shortest of the missed ones in a row; octets, 0: none. */
  arrives = 0;
  missing = 0;
  readonly #lengths = new Uint16Array(RING);
  #began = false;
  #last = 0;
  #sentAt = 0;
  #heard = -1;
  #isAnswered = true;
  #misses = 0;
  #arrivals = 0;

  get isSuspected(): boolean {
    return this.#misses >= MISSES_TO_SUSPECT && this.#arrivals >= ARRIVALS_TO_SUSPECT;
  }

  /** Packet `sequence` with `length` octets of PPP goes out now; `now` in ms. */
  send(sequence: number, length: number, now: number): void {
    if (!this.#isAnswered && now - this.#sentAt >= QUIET) this.#miss(this.#lengths[this.#last & (RING - 1)] ?? 0);
    this.#lengths[sequence & (RING - 1)] = length;
    this.#last = sequence;
    this.#sentAt = now;
    this.#began = true;
    this.#isAnswered = false;
  }

  /** The client has received `sequence`. */
  recvAcknowledgment(sequence: number): void {
    const behind = distance(sequence, this.#last);
    if (!this.#began || behind < 0 || behind >= RING || distance(this.#heard, sequence) <= 0) return;
    this.#heard = sequence;
    if (behind === 0) this.#isAnswered = true;
    const length = this.#lengths[sequence & (RING - 1)] ?? 0;
    this.arrives = Math.max(this.arrives, length);
    if (this.#misses === 0) return;
    if (length >= this.missing) this.#forget();
    else this.#arrivals += 1;
  }

  #miss(length: number): void {
    // Ordinary loss, which does not ask for the length.
    if (length <= this.arrives || length < ALWAYS_PASSES) {
      this.#forget();
      return;
    }
    this.missing = this.#misses === 0 ? length : Math.min(this.missing, length);
    this.#misses += 1;
  }

  #forget(): void {
    this.#misses = 0;
    this.#arrivals = 0;
    this.missing = 0;
  }
}
