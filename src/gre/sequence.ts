/**
 * The receiving side (RFC 2637 §4.3): delivers packets in sequence, holds those that follow a missing one, and drops
 * late and duplicate ones. It handles slot numbers, not packets, and allocates nothing per packet.
 *
 * A single packet outside the window is dropped. The window moves only when enough held packets show that a burst was
 * lost, or when a run of consecutive packets arrives while none arrives inside the window (a long outage). It moves
 * backwards only after silence, since a replayed burst must not reset MPPE's keys.
 *
 * Because a run may be forged, the previous window is remembered, and one packet that belongs to it restores it. It is
 * forgotten when no packet has belonged to it for SILENCE_TO_FORGET.
 */
import { ReorderWait } from './reorder-wait.js';
import { advance, distance } from './serial.js';

/** How far ahead of the missing packet a packet may be to be held; the same value as in pptpd. */
export const WINDOW = 300;
/** How many held packets show that the stream has moved past the window. */
export const HELD_TO_SLIDE = 8;
/** How many consecutive packets outside the window move the window to them. */
export const RUN_TO_RESYNC = 5;
/** How long no packet must have been accepted before a run may move the window backwards, ms. */
export const SILENCE_TO_GO_BACK = 2000;
/**
 * How long no packet must belong to the replaced window before it is forgotten, ms. Real clients are not silent that
 * long: they answer pppd's LCP echoes, every 30 s with the supplied options file.
 */
export const SILENCE_TO_FORGET = 120_000;

/** How many numbers before the next one are remembered as received or not, to tell a duplicate from a late packet. */
const HISTORY = 200;
/** A power of two above WINDOW + HISTORY, so that the low bits of a sequence number are its index. */
const RING = 512;
const IN_RING = RING - 1;
const NONE = -1;

/** Whether a packet that is `ahead` of the missing one is inside the window. */
const isWithin = (ahead: number): boolean => ahead >= 0 && ahead < WINDOW;

/**
 * `accepted`: in order and released. `held`: kept until its turn. For the others the caller drops the packet: `late`
 * (given up before), `duplicate`, `outside` (outside the window).
 */
export type Verdict = 'accepted' | 'held' | 'late' | 'duplicate' | 'outside';

export class ReceiveSequence {
  /** Slots to deliver, in order: the first `releasedCount` entries. The caller reads them after every call. */
  readonly released = new Int32Array(WINDOW + 1);
  releasedCount = 0;
  /** Numbers given up; how often the window was moved by a run. */
  lost = 0;
  resyncs = 0;

  readonly #wait = new ReorderWait();
  readonly #slots = new Int32Array(RING).fill(NONE);
  readonly #heldAt = new Float64Array(RING);
  /** By number: received (1) or not (0), for numbers in the window or the history. */
  readonly #received = new Uint8Array(RING);
  #started = false;
  #next = 0;
  #highest = 0;
  #held = 0;
  #runNext = 0;
  #run = 0;
  #acceptedAt = 0;
  /** The current window is the stream's own, not a run's. */
  #isStreamWindow = true;
  #streamAcceptedAt = 0;
  /** The next number of the other window: the stream's own window while a run's is in force, and vice versa. */
  #otherNext = 0;
  #hasOther = false;

  /** The next number to deliver. */
  get next(): number {
    return this.#next;
  }

  /** The highest number accepted or held, which is the one to acknowledge (§4.1, §4.3). */
  get highest(): number {
    return this.#highest;
  }

  get held(): number {
    return this.#held;
  }

  /** Records packet `sequence` in `slot`; `now` in ms. See `Verdict` and `released`. */
  receive(sequence: number, slot: number, now: number): Verdict {
    if (!this.#started) this.#begin(sequence);
    const ahead = distance(this.#next, sequence);
    if (ahead === 0) {
      this.#accept(sequence, now);
      this.#release(slot);
      this.#next = advance(sequence, 1);
      if (this.#held > 0) this.#releaseFilled(now);
      return 'accepted';
    }
    if (ahead > 0 && ahead < WINDOW) return this.#hold(sequence, slot, now);
    return this.#receiveOutside(sequence, ahead, slot, now);
  }

  /**
   * Gives up the missing numbers that held packets have waited for long enough (ReorderWait), and releases those
   * packets.
   */
  expire(now: number): void {
    while (this.#held > 0) {
      const last = this.#lastExpired(now);
      if (last === null) return;
      this.#giveUpTo(advance(last, 1));
    }
  }

  /** When `expire` must next be called, ms; null while no packet is held. Scans the whole window. */
  deadline(): number | null {
    let oldest = Number.POSITIVE_INFINITY;
    for (let at = 0; at < RING; at += 1) {
      if (this.#slots[at] !== NONE) oldest = Math.min(oldest, this.#heldAt[at] ?? oldest);
    }
    return oldest === Number.POSITIVE_INFINITY ? null : oldest + this.#wait.time;
  }

  #begin(sequence: number): void {
    this.#started = true;
    this.#next = sequence;
    this.#highest = advance(sequence, -1);
  }

  #accept(sequence: number, now: number): void {
    this.#received[sequence & IN_RING] = 1;
    this.#run = 0;
    this.#acceptedAt = now;
    if (!this.#isStreamWindow && now - this.#streamAcceptedAt >= SILENCE_TO_FORGET) this.#forgetOtherWindow();
    if (this.#isStreamWindow) this.#streamAcceptedAt = now;
    if (distance(this.#highest, sequence) > 0) this.#highest = sequence;
  }

  #hold(sequence: number, slot: number, now: number): Verdict {
    const at = sequence & IN_RING;
    if (this.#slots[at] !== NONE) return 'duplicate';
    this.#slots[at] = slot;
    this.#heldAt[at] = now;
    this.#held += 1;
    this.#accept(sequence, now);
    return 'held';
  }

  #receiveOutside(sequence: number, ahead: number, slot: number, now: number): Verdict {
    if (this.#hasOther && isWithin(distance(this.#otherNext, sequence))) {
      this.#moveTo(this.#otherNext, !this.#isStreamWindow);
      return this.receive(sequence, slot, now);
    }
    const beyond = ahead > 0;
    if (beyond && this.#held >= HELD_TO_SLIDE && distance(this.#highest, sequence) < WINDOW) {
      this.#giveUpTo(advance(sequence, 1 - WINDOW));
      return this.receive(sequence, slot, now);
    }
    this.#run = this.#run > 0 && sequence === this.#runNext ? this.#run + 1 : 1;
    this.#runNext = advance(sequence, 1);
    if (this.#run >= RUN_TO_RESYNC && (beyond || now - this.#acceptedAt >= SILENCE_TO_GO_BACK)) {
      this.#moveTo(sequence, false);
      return this.receive(sequence, slot, now);
    }
    if (beyond || ahead < -HISTORY) return 'outside';
    if (this.#received[sequence & IN_RING] === 1) return 'duplicate';
    this.#wait.cameLate();
    return 'late';
  }

  /** Makes the window that begins with `sequence` the current one. The stream's own window stays remembered. */
  #moveTo(sequence: number, isOwn: boolean): void {
    if (this.#held > 0) this.#giveUpTo(advance(this.#highest, 1));
    if (this.#isStreamWindow !== isOwn) {
      this.#otherNext = this.#next;
      this.#hasOther = true;
      this.#isStreamWindow = isOwn;
    }
    this.#received.fill(0);
    this.#begin(sequence);
    this.resyncs += 1;
  }

  #forgetOtherWindow(): void {
    this.#isStreamWindow = true;
    this.#hasOther = false;
  }

  /** The highest held number that has waited long enough. */
  #lastExpired(now: number): number | null {
    const wait = this.#wait.time;
    const span = distance(this.#next, this.#highest);
    for (let ahead = span; ahead > 0; ahead -= 1) {
      const sequence = advance(this.#next, ahead);
      const at = sequence & IN_RING;
      if (this.#slots[at] !== NONE && now - (this.#heldAt[at] ?? now) >= wait) return sequence;
    }
    return null;
  }

  /**
   * Moves on to `sequence`: releases held packets before it, counts missing ones as lost, then releases the held
   * packets that follow.
   */
  #giveUpTo(sequence: number): void {
    let inGap = false;
    while (distance(this.#next, sequence) > 0) {
      if (this.#releaseNext()) {
        inGap = false;
        continue;
      }
      if (!inGap) this.#wait.gaveUp();
      inGap = true;
      this.lost += 1;
      this.#received[this.#next & IN_RING] = 0;
      this.#next = advance(this.#next, 1);
    }
    this.#releaseRun();
  }

  /** The missing packet has arrived: releases the packets that were held behind it. */
  #releaseFilled(now: number): void {
    while (this.#held > 0) {
      const heldAt = this.#heldAt[this.#next & IN_RING] ?? now;
      if (!this.#releaseNext()) return;
      this.#wait.filled(now - heldAt);
    }
  }

  #releaseRun(): void {
    while (this.#held > 0 && this.#releaseNext());
  }

  #releaseNext(): boolean {
    const at = this.#next & IN_RING;
    const slot = this.#slots[at] ?? NONE;
    if (slot === NONE) return false;
    this.#slots[at] = NONE;
    this.#held -= 1;
    this.#release(slot);
    this.#next = advance(this.#next, 1);
    return true;
  }

  #release(slot: number): void {
    this.released[this.releasedCount] = slot;
    this.releasedCount += 1;
  }
}
