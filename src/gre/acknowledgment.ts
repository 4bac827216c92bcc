/**
 * When what has come is acknowledged (RFC 2637 §4.2): with the next data packet, else alone. A client that keeps to its
 * window stands still until we do, so an acknowledgment goes at the end of every batch that has brought enough, and
 * never later than ACKNOWLEDGMENT_DELAY, whether the client is silent or not.
 */
import { advance, distance } from './serial.js';

/**
 * How long an acknowledgment may wait for data to ride on, ms. RFC 2637 leaves it open. A client whose window has shrunk to
 * one packet (§4.2.2) sends one packet in this time.
 */
export const ACKNOWLEDGMENT_DELAY = 10;
/** Unacknowledged packets at which a batch ends with an acknowledgment of its own. */
const ENOUGH = 8;
/** The same while acknowledgments find data to ride on. */
const ENOUGH_WHILE_RIDING = 32;

export class Acknowledgment {
  readonly #enough: number;
  readonly #enoughWhileRiding: number;
  #began = false;
  #acknowledged = 0;
  #highest = 0;
  #riding = false;

  /** `receiveWindow`: what we told the peer that it may send unacknowledged, packets. */
  constructor(receiveWindow: number) {
    const half = Math.max(1, receiveWindow >> 1);
    this.#enough = Math.min(ENOUGH, half);
    this.#enoughWhileRiding = Math.min(ENOUGH_WHILE_RIDING, half);
  }

  /** The highest number that has come, after a packet or a batch. */
  recvUpTo(highest: number): void {
    if (!this.#began) {
      this.#began = true;
      this.#acknowledged = advance(highest, -1);
    }
    this.#highest = highest;
  }

  /** Something has come that is not acknowledged. */
  get isDue(): boolean {
    return this.#highest !== this.#acknowledged;
  }

  /** So much has come that it must not wait for data. */
  get isUrgent(): boolean {
    // A peer whose numbers went back (ReceiveSequence's resync) is told so at once.
    const count = Math.abs(distance(this.#acknowledged, this.#highest));
    return count >= (this.#riding ? this.#enoughWhileRiding : this.#enough);
  }

  /** The number for the data packet that goes out now; null when there is nothing new to acknowledge. */
  ride(): number | null {
    if (this.#highest === this.#acknowledged) return null;
    this.#riding = true;
    this.#acknowledged = this.#highest;
    return this.#highest;
  }

  /** The number for an acknowledgment that goes out alone now, when one is due. */
  sendAlone(): number {
    this.#riding = false;
    this.#acknowledged = this.#highest;
    return this.#highest;
  }

  /** What was taken last did not go out: it is due again. */
  unsent(): void {
    this.#acknowledged = advance(this.#highest, -1);
  }
}
