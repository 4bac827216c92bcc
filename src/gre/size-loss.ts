/**
 * Detects an MTU black hole: long packets to the client are lost while shorter ones arrive.
 *
 * An acknowledgment names the highest number that the client has received (RFC 2637 §4.2), so that packet has arrived.
 * A packet is missed when nothing followed it and it was not acknowledged within QUIET. The opposite direction cannot
 * be judged, since a gap in received numbers has no length. Pure; two stores per packet.
 */
import { distance } from './serial.js';

/** After this time an acknowledgment counts as missing, ms; clients delay acknowledgments by up to 500 ms. */
export const QUIET = 1500;
/** PPP octets that every path carries: IPv4's minimum MTU (RFC 791) less the IP and GRE headers. */
const ALWAYS_PASSES = 540;
/** How many long packets in a row must be missed, and how many shorter ones must arrive meanwhile. */
export const MISSES_TO_SUSPECT = 3;
export const ARRIVALS_TO_SUSPECT = 3;
/** How many packet lengths are remembered: a power of two. */
const RING = 1024;

export class SizeLoss {
  /** The longest packet known to have arrived, and the shortest of the current misses; octets, 0: none. */
  arrives = 0;
  missing = 0;
  readonly #lengths = new Uint16Array(RING);
  #began = false;
  #last = 0;
  #sentAt = 0;
  #lastAcknowledged = -1;
  #isAnswered = true;
  #misses = 0;
  #arrivals = 0;

  get isSuspected(): boolean {
    return this.#misses >= MISSES_TO_SUSPECT && this.#arrivals >= ARRIVALS_TO_SUSPECT;
  }

  /** Packet `sequence` with `length` octets of PPP is being sent; `now` in ms. */
  send(sequence: number, length: number, now: number): void {
    if (!this.#isAnswered && now - this.#sentAt >= QUIET) this.#miss(this.#lengths[this.#last & (RING - 1)] ?? 0);
    this.#lengths[sequence & (RING - 1)] = length;
    this.#last = sequence;
    this.#sentAt = now;
    this.#began = true;
    this.#isAnswered = false;
  }

  /** The client has acknowledged `sequence`. */
  recvAcknowledgment(sequence: number): void {
    const behind = distance(sequence, this.#last);
    if (!this.#began || behind < 0 || behind >= RING || distance(this.#lastAcknowledged, sequence) <= 0) return;
    this.#lastAcknowledged = sequence;
    if (behind === 0) this.#isAnswered = true;
    const length = this.#lengths[sequence & (RING - 1)] ?? 0;
    this.arrives = Math.max(this.arrives, length);
    if (this.#misses === 0) return;
    if (length >= this.missing) this.#forget();
    else this.#arrivals += 1;
  }

  #miss(length: number): void {
    // Ordinary loss, independent of the length.
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
