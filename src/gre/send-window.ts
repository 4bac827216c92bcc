/**
 * The sending side (RFC 2637 §4.2, §4.4): sequence numbers, the peer's acknowledgments, round-trip time, adaptive
 * time-out and congestion window. This class only measures; the caller decides whether to obey the window.
 */
import { advance, distance } from './serial.js';

/** §4.4.1's gains. */
const ALPHA = 1 / 8;
const BETA = 1 / 4;
const CHI = 4;
/** §4.4.2's time-out gain. */
const DELTA = 2;
/** Limits of the adaptive time-out, ms; RFC 2637 does not specify them. */
const MIN_TIMEOUT = 200;
const MAX_TIMEOUT = 10_000;
/** The initial round-trip estimate, ms; RFC 2637 uses the peer's processing delay instead. */
const FIRST_ROUND_TRIP = 500;
const NONE = -1;

export class SendWindow {
  /** Acknowledgments for packets that were never sent; time-outs; packets sent beyond the window. */
  impossible = 0;
  timeouts = 0;
  exceeded = 0;

  readonly #largest: number;
  #window: number;
  #next = 0;
  #acknowledged = advance(0, -1);
  /** Packets acknowledged since the window last grew. */
  #credit = 0;
  /** Sequence number of the packet whose round trip is being measured. */
  #timed = NONE;
  #timedAt = 0;
  /** Start of the wait for an acknowledgment, ms; valid only while packets are outstanding. */
  #waitingSince = 0;
  #measured = false;
  #roundTrip = FIRST_ROUND_TRIP;
  #deviation = 0;
  #timeout = FIRST_ROUND_TRIP;

  /** `peerWindow`: the peer's receive window, packets. The initial congestion window is half of it (§4.2.1). */
  constructor(peerWindow: number) {
    this.#largest = Math.max(1, peerWindow);
    this.#window = Math.ceil(this.#largest / 2);
  }

  /** The congestion window, packets. */
  get window(): number {
    return this.#window;
  }

  /** Packets sent but not yet acknowledged. */
  get outstanding(): number {
    return distance(this.#acknowledged, this.#next) - 1;
  }

  /** How many more packets the window allows. */
  get allowance(): number {
    return Math.max(0, this.#window - this.outstanding);
  }

  /** Smoothed round-trip time, ms, including the peer's delay before it acknowledges; null before the first sample. */
  get roundTrip(): number | null {
    return this.#measured ? this.#roundTrip : null;
  }

  /** The adaptive time-out, ms. */
  get timeout(): number {
    return this.#timeout;
  }

  /** When the next acknowledgment becomes overdue, ms; null while no packet is outstanding. */
  get deadline(): number | null {
    return this.outstanding === 0 ? null : this.#waitingSince + this.#timeout;
  }

  /** Returns the sequence number for the packet that is being sent; `now` in ms. */
  send(now: number): number {
    const sequence = this.#next;
    if (this.outstanding === 0) this.#waitingSince = now;
    this.#next = advance(sequence, 1);
    if (this.outstanding > this.#window) this.exceeded += 1;
    // Only one packet is timed at a time, so that sending needs no memory per packet.
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

  /** Reduces the window (§4.2.2) when an acknowledgment is overdue; returns whether it was. Call it regularly. */
  expire(now: number): boolean {
    if (this.outstanding === 0 || now - this.#waitingSince < this.#timeout) return false;
    this.timeouts += 1;
    this.#window = Math.ceil(this.#window / 2);
    this.#credit = 0;
    this.#roundTrip = Math.min(MAX_TIMEOUT, this.#roundTrip * DELTA);
    this.#setTimeout();
    this.#timed = NONE;
    // Outstanding packets count as lost and are not waited for again.
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
    this.#timeout = Math.max(MIN_TIMEOUT, Math.min(this.#roundTrip + CHI * this.#deviation, MAX_TIMEOUT));
  }
}
