/**
 * Frames on their way to pppd: encoded at the tail, written from the head until the pty takes no more. A pty that is full
 * blocks nobody: what does not fit is the caller's to hold back or to count.
 */
import { type Hdlc, longestEncoding, SLACK } from './hdlc.js';
import { type RelayMemory, WRITE_QUEUE } from './memory.js';
import { lastError, write } from './system.js';

/** System calls of one `flush`. */
const WRITES = 8;

export class PtyQueue {
  readonly #memory: RelayMemory;
  readonly #hdlc: Hdlc;
  readonly #pty: number;
  /** Its octets lie from #head up to #tail. */
  #head: number;
  #tail: number;

  constructor(memory: RelayMemory, hdlc: Hdlc, pty: number) {
    this.#memory = memory;
    this.#hdlc = hdlc;
    this.#pty = pty;
    this.#head = memory.queueAt;
    this.#tail = memory.queueAt;
  }

  get isEmpty(): boolean {
    return this.#head === this.#tail;
  }

  /** Makes room for a batch of packets; false when more than half of the queue waits. */
  makeRoom(): boolean {
    if (this.#tail - this.#head > WRITE_QUEUE / 2) return false;
    if (this.#tail > this.#memory.queueAt + WRITE_QUEUE / 2) this.#moveToFront();
    return true;
  }

  /** Frames the `length` octets at `at`, escaped by `accm` (RFC 1662 §7.1); false when there is no room. */
  push(at: number, length: number, accm: number): boolean {
    if (!this.#hasRoom(longestEncoding(length) + SLACK)) return false;
    this.#tail = this.#hdlc.encode(at, length, this.#tail, accm);
    return true;
  }

  /**
   * Writes until the pty takes no more: what it takes at once says nothing of that, the kernel empties it meanwhile.
   * What nobody will read, because pppd is gone, is let go: what it has said last may still be read, which finds the end.
   */
  flush(): void {
    for (let writes = 0; writes < WRITES && !this.isEmpty; writes += 1) {
      const written = write(this.#pty, this.#memory.queueAddress(this.#head), this.#tail - this.#head);
      if (written > 0) {
        this.#head += written;
        continue;
      }
      if (written < 0 && lastError() !== 'wouldBlock') this.#head = this.#tail;
      break;
    }
    if (!this.isEmpty) return;
    this.#head = this.#memory.queueAt;
    this.#tail = this.#memory.queueAt;
  }

  #hasRoom(length: number): boolean {
    const { queueAt } = this.#memory;
    if (this.#tail + length <= queueAt + WRITE_QUEUE) return true;
    // Moving pays only when it frees much.
    if (this.#head - queueAt < WRITE_QUEUE / 2) return false;
    this.#moveToFront();
    return this.#tail + length <= queueAt + WRITE_QUEUE;
  }

  #moveToFront(): void {
    const { queueAt, octets } = this.#memory;
    octets.copyWithin(queueAt, this.#head, this.#tail);
    this.#tail -= this.#head - queueAt;
    this.#head = queueAt;
  }
}
