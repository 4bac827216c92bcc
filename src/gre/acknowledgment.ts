/**
 * Decides when received packets are acknowledged (RFC 2637 §4.2): with the next data packet, or alone. A client that
 * keeps to its window stops until it is acknowledged. So a batch that brings enough packets ends with an
 * acknowledgment, and no acknowledgment waits longer than ACKNOWLEDGMENT_DELAY. If a client that is sent no data stops
 * for so long after a few packets, these may be all that its window allows: so many are enough from then on.
 */
import { advance, distance } from './serial.js';

/** How long an acknowledgment may wait for a data packet to carry it, ms; RFC 2637 does not specify it. */
export const ACKNOWLEDGMENT_DELAY = 10;
/** Unacknowledged packets after which a batch ends with a separate acknowledgment. */
const ENOUGH = 8;
/** The same while data packets carry the acknowledgments. */
const ENOUGH_WHILE_PIGGYBACKING = 32;
/** After so many acknowledgments for fewer packets, twice as many are tried: the client may just have had no more to send. */
const TRY_MORE_AFTER = 256;

export class Acknowledgment {
  readonly #most: number;
  readonly #enoughWhilePiggybacking: number;
  #enough: number;
  /** Acknowledgments sent since `enough` changed. */
  #sent = 0;
  #began = false;
  #acknowledged = 0;
  #highest = 0;
  #piggybacking = false;
  /** Nothing was acknowledged since the delay began. */
  #isDelayed = false;

  /** `receiveWindow`: how many packets the peer may send unacknowledged. */
  constructor(receiveWindow: number) {
    const half = Math.max(1, receiveWindow >> 1);
    this.#most = Math.min(ENOUGH, half);
    this.#enough = this.#most;
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
    return this.#count >= (this.#piggybacking ? this.#enoughWhilePiggybacking : this.#enough);
  }

  /** Unacknowledged packets. */
  get #count(): number {
    // The distance is negative after a resync to lower numbers (ReceiveSequence).
    return Math.abs(distance(this.#acknowledged, this.#highest));
  }

  #setEnough(count: number): void {
    this.#enough = Math.min(this.#most, count);
    this.#sent = 0;
  }

  /** ACKNOWLEDGMENT_DELAY begins for an acknowledgment that is due. */
  delay(): void {
    this.#isDelayed = true;
  }

  /** The delay is over, and an acknowledgment is due. */
  expire(): void {
    if (this.#isDelayed && !this.#piggybacking && this.#count < this.#enough) this.#setEnough(this.#count);
  }

  /**
   * The acknowledgment number for the data packet that is being sent; null when there is nothing new to acknowledge.
   */
  piggyback(): number | null {
    if (this.#enough !== this.#most) this.#setEnough(this.#most);
    if (this.#highest === this.#acknowledged) return null;
    this.#piggybacking = true;
    this.#isDelayed = false;
    this.#acknowledged = this.#highest;
    return this.#highest;
  }

  /** The acknowledgment number for a separate acknowledgment that is being sent. */
  sendAlone(): number {
    this.#piggybacking = false;
    this.#isDelayed = false;
    this.#sent += 1;
    if (this.#enough < this.#most && this.#sent > TRY_MORE_AFTER) this.#setEnough(this.#enough * 2);
    this.#acknowledged = this.#highest;
    return this.#highest;
  }

  /** The last acknowledgment could not be sent and is due again. */
  unsent(): void {
    this.#acknowledged = advance(this.#highest, -1);
  }
}
