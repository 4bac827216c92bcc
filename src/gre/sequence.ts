/**
 * The receiving side's order (RFC 2637 §4.3): packets come out in sequence, held while one before them is missing, and
 * what comes late or twice is dropped. It moves buffer slots, not packets, and allocates nothing per packet.
 *
 * What may move the window is the stream, never a single packet. A packet outside of the window is dropped, unless
 * others stand for it: either the window itself is filling up (a burst was lost: it slides on), or a run of
 * consecutive packets has come with nothing in the window between them (a long outage; backwards only after silence,
 * since a replayed burst must not take MPPE's keys back).
 *
 * A run may be forged, and so the window that it takes away is remembered: a packet that belongs there has it back at once,
 * however many runs come. Only when nothing has belonged there for SILENCE_TO_SETTLE is the run's window the stream's own.
 */
import { ReorderWait } from './reorder-wait.js';
import { advance, distance } from './serial.js';

/** How far ahead of the one that is missing a packet may be to be held: pptpd's figure. */
export const WINDOW = 300;
/** So many held packets stand for a stream that has moved past the window. */
export const HELD_TO_SLIDE = 8;
/** So many consecutive packets outside of the window move it to them. */
export const RUN_TO_RESYNC = 5;
/** For so long nothing must have been accepted before a run may take the window back, ms. */
export const SILENCE_TO_GO_BACK = 2000;
/**
 * For so long nothing must have come for the window that a run has taken away until it is forgotten, ms. Clients are not
 * silent for so long: they answer pppd's LCP echoes, every 30 s with our starter options.
 */
export const SILENCE_TO_SETTLE = 120_000;

/** Numbers behind the next one of which is remembered whether they came: tells a duplicate from a late packet. */
const HISTORY = 200;
/** A power of two over WINDOW + HISTORY, so that a sequence number names its place by its low bits. */
const RING = 512;
const IN_RING = RING - 1;
const NONE = -1;

/** Whether a packet so far ahead of the one that is missing is of the window. */
const isWithin = (ahead: number): boolean => ahead >= 0 && ahead < WINDOW;

/**
 * `accepted`: in order, now among the released ones. `held`: kept until its turn. The others leave the packet with the
 * caller, to drop: `late` (its turn has passed), `duplicate`, `outside` (outside of the window, and nothing stands for it).
 */
export type Verdict = 'accepted' | 'held' | 'late' | 'duplicate' | 'outside';

export class ReceiveSequence {
  /** Slots that came free to deliver, in order: the first `releasedCount`. The caller takes them after every call. */
  readonly released = new Int32Array(WINDOW + 1);
  releasedCount = 0;
  /** Numbers given up, times the window was moved by a run. */
  lost = 0;
  resyncs = 0;

  readonly #wait = new ReorderWait();
  readonly #slots = new Int32Array(RING).fill(NONE);
  readonly #heldAt = new Float64Array(RING);
  /** By number: came (1) or not (0), for those in the window or the history. */
  readonly #came = new Uint8Array(RING);
  #started = false;
  #next = 0;
  #highest = 0;
  #held = 0;
  #runNext = 0;
  #run = 0;
  #acceptedAt = 0;
  /** The window in force is the stream's own, not a run's. */
  #isOwn = true;
  #ownAcceptedAt = 0;
  /** The number that is waited for in the other window: the stream's own while a run's is in force, and the reverse. */
  #other = 0;
  #hasOther = false;

  /** The number that is waited for. */
  get next(): number {
    return this.#next;
  }

  /** The highest number accepted or held: what to acknowledge (§4.1, §4.3). */
  get highest(): number {
    return this.#highest;
  }

  /** How many packets are held. */
  get held(): number {
    return this.#held;
  }

  /** Takes packet `sequence` that lies in `slot`; `now` in ms. See `Verdict` and `released`. */
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

  /** Gives up the numbers that packets have been held for long enough (ReorderWait), and releases those packets. */
  expire(now: number): void {
    while (this.#held > 0) {
      const last = this.#lastExpired(now);
      if (last === null) return;
      this.#giveUpTo(advance(last, 1));
    }
  }

  /** When `expire` has something to do again, ms; null while nothing is held. Looks through the window. */
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
    this.#came[sequence & IN_RING] = 1;
    this.#run = 0;
    this.#acceptedAt = now;
    if (!this.#isOwn && now - this.#ownAcceptedAt >= SILENCE_TO_SETTLE) this.#settle();
    if (this.#isOwn) this.#ownAcceptedAt = now;
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
    if (this.#hasOther && isWithin(distance(this.#other, sequence))) {
      this.#moveTo(this.#other, !this.#isOwn);
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
    if (this.#came[sequence & IN_RING] === 1) return 'duplicate';
    this.#wait.cameLate();
    return 'late';
  }

  /** Puts the window that begins with `sequence` in force; of the two that are known the stream's own is never forgotten. */
  #moveTo(sequence: number, isOwn: boolean): void {
    if (this.#held > 0) this.#giveUpTo(advance(this.#highest, 1));
    if (this.#isOwn !== isOwn) {
      this.#other = this.#next;
      this.#hasOther = true;
      this.#isOwn = isOwn;
    }
    this.#came.fill(0);
    this.#begin(sequence);
    this.resyncs += 1;
  }

  #settle(): void {
    this.#isOwn = true;
    this.#hasOther = false;
  }

  /** The highest number in the window that has waited long enough. */
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

  /** Moves on to `sequence`: what is held before it is released, what is missing is lost; then what is held from it on. */
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
      this.#came[this.#next & IN_RING] = 0;
      this.#next = advance(this.#next, 1);
    }
    this.#releaseRun();
  }

  /** A packet that was waited for has come: releases those that were held for it. */
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

  /** Releases the packet with the number that is waited for, if it is held. */
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
