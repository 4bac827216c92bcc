/**
 * Decides when received packets are acknowledged (RFC 2637 §4.2): with the next data packet, or alone. A client that
 * keeps to its window stops until it is acknowledged. So a batch that brings enough packets ends with an
 * acknowledgment, and no acknowledgment waits longer than ACKNOWLEDGMENT_DELAY.
 */
import { advance, distance } from './serial.js';

/**
 * How long an acknowledgment may wait for a data packet to carry it, ms; RFC 2637 does not specify it. A client whose
 * window has shrunk to one packet (§4.2.2) sends one packet per delay.
 */
export const ACKNOWLEDGMENT_DELAY = 10;
/** Unacknowledged packets after which a batch ends with a separate acknowledgment. */
const ENOUGH = 8;
/** The same while data packets carry the acknowledgments. */
const ENOUGH_WHILE_PIGGYBACKING = 32;

export class Acknowledgment {
  readonly #enough: number;
  readonly #enoughWhilePiggybacking: number;
  #began = false;
  #acknowledged = 0;
  #highest = 0;
  #piggybacking = false;

  /** `receiveWindow`: how many packets the peer may send unacknowledged. */
  constructor(receiveWindow: number) {
    const half = Math.max(1, receiveWindow >> 1);
    this.#enough = Math.min(ENOUGH, half);
    this.#enoughWhilePiggybacking = Math.min(ENOUGH_WHILE_PIGGYBACKING, half);
  }

  /** Records the highest sequence number received so far. */
  recvUpTo(highest: number): void {
    if (!this.#began) {
      this.#began = true;
      this.#acknowledged = advance(highest, -1);
    }
    this.#highest = highest;
  }

  /** A received packet is not yet acknowledged. */
  get isDue(): boolean {
    return this.#highest !== this.#acknowledged;
  }

  /** Enough packets are unacknowledged that the acknowledgment must not wait for a data packet. */
  get isUrgent(): boolean {
    // The count is negative after a resync to lower numbers (ReceiveSequence).
    const count = Math.abs(distance(this.#acknowledged, this.#highest));
    return count >= (this.#piggybacking ? this.#enoughWhilePiggybacking : this.#enough);
  }

  /**
   * The acknowledgment number for the data packet that is being sent; null when there is nothing new to acknowledge.
   */
  piggyback(): number | null {
    if (this.#highest === this.#acknowledged) return null;
    this.#piggybacking = true;
    this.#acknowledged = this.#highest;
    return this.#highest;
  }

  /** The acknowledgment number for a separate acknowledgment that is being sent. */
  sendAlone(): number {
    this.#piggybacking = false;
    this.#acknowledged = this.#highest;
    return this.#highest;
  }

  /** The last acknowledgment could not be sent and is due again. */
  unsent(): void {
    this.#acknowledged = advance(this.#highest, -1);
  }
}
