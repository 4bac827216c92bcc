/**
 * The sending side (RFC 2637 §4.2, §4.4): our sequence numbers, what the peer has acknowledged, the round-trip time
 * and adaptive time-out that follow from it, and the congestion window. It measures; whoever sends decides whether to
 * keep to the window.
 */
import { advance, distance } from './serial.js';

/** §4.4.1's gains. */
const ALPHA = 1 / 8;
const BETA = 1 / 4;
const CHI = 4;
/** §4.4.2's time-out gain. */
const DELTA = 2;
/** Bounds of the adaptive time-out, ms; the specification leaves them to the implementation. */
const LEAST_TIMEOUT = 200;
const LONGEST_TIMEOUT = 10_000;
/** The first estimate, before anything was measured (the specification takes the peer's processing delay), ms. */
const FIRST_ROUND_TRIP = 500;
const NONE = -1;

export class SendWindow {
  /** Acknowledgment numbers of packets that we have not sent; time-outs; packets sent over the window. */
  impossible = 0;
  timeouts = 0;
  exceeded = 0;

  readonly #largest: number;
  #window: number;
  #next = 0;
  #acknowledged = advance(0, -1);
  /** How many were acknowledged since the window last grew. */
  #credit = 0;
  /** The packet whose round trip is measured. */
  #timed = NONE;
  #timedAt = 0;
  /** Since when an acknowledgment is waited for; means something while packets are outstanding. */
  #waitingSince = 0;
  #measured = false;
  #roundTrip = FIRST_ROUND_TRIP;
  #deviation = 0;
  #timeout = FIRST_ROUND_TRIP;

  /** `peerWindow`: the peer's receive window, packets; the sender begins with half of it (§4.2.1). */
  constructor(peerWindow: number) {
    this.#largest = Math.max(1, peerWindow);
    this.#window = Math.ceil(this.#largest / 2);
  }

  /** The congestion window, packets. */
  get window(): number {
    return this.#window;
  }

  /** Packets sent and not acknowledged. */
  get outstanding(): number {
    return distance(this.#acknowledged, this.#next) - 1;
  }

  /** Packets that the window still allows; 0 or more. */
  get allowance(): number {
    return Math.max(0, this.#window - this.outstanding);
  }

  /** Smoothed round-trip time, ms, the peer's waiting before it acknowledges included; null before the first sample. */
  get roundTrip(): number | null {
    return this.#measured ? this.#roundTrip : null;
  }

  /** The adaptive time-out, ms. */
  get timeout(): number {
    return this.#timeout;
  }

  /** When the acknowledgment that is waited for is overdue, ms; null while none is. */
  get deadline(): number | null {
    return this.outstanding === 0 ? null : this.#waitingSince + this.#timeout;
  }

  /** The sequence number of the packet that goes out now; `now` in ms. */
  send(now: number): number {
    const sequence = this.#next;
    if (this.outstanding === 0) this.#waitingSince = now;
    this.#next = advance(sequence, 1);
    if (this.outstanding > this.#window) this.exceeded += 1;
    // One packet is timed at a time, so that a sent packet costs no clock and no memory.
    if (this.#timed === NONE) {
      this.#timed = sequence;
      this.#timedAt = now;
    }
    return sequence;
  }

  /** The peer has acknowledged everything up to `sequence` (§4.2.5). */
  recvAcknowledgment(sequence: number, now: number): void {
    const fresh = distance(this.#acknowledged, sequence);
    if (distance(sequence, this.#next) <= 0) {
      this.impossible += 1;
      return;
    }
    if (fresh <= 0) return;
    this.#acknowledged = sequence;
    this.#waitingSince = now;
    if (this.#timed !== NONE && distance(this.#timed, sequence) >= 0) {
      this.#sample(now - this.#timedAt);
      this.#timed = NONE;
    }
    this.#credit += fresh;
    if (this.#credit < this.#window) return;
    this.#credit = 0;
    this.#window = Math.min(this.#largest, this.#window + 1);
  }

  /** To be called now and then: closes the window (§4.2.2) when an acknowledgment is overdue. Returns whether it was. */
  expire(now: number): boolean {
    if (this.outstanding === 0 || now - this.#waitingSince < this.#timeout) return false;
    this.timeouts += 1;
    this.#window = Math.ceil(this.#window / 2);
    this.#credit = 0;
    this.#roundTrip = Math.min(LONGEST_TIMEOUT, this.#roundTrip * DELTA);
    this.#setTimeout();
    this.#timed = NONE;
    // What was out counts as lost: nothing of it is waited for again.
    this.#acknowledged = advance(this.#next, -1);
    return true;
  }

  #sample(sample: number): void {
    if (this.#measured) {
      const difference = sample - this.#roundTrip;
      this.#deviation += BETA * (Math.abs(difference) - this.#deviation);
      this.#roundTrip += ALPHA * difference;
    } else {
      this.#measured = true;
      this.#roundTrip = sample;
    }
    this.#setTimeout();
  }

  #setTimeout(): void {
    this.#timeout = Math.max(LEAST_TIMEOUT, Math.min(this.#roundTrip + CHI * this.#deviation, LONGEST_TIMEOUT));
  }
}
