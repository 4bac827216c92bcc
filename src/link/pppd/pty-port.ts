/**
 * The relay's port to pppd: HDLC frames on a pty (RFC 1662). Frames for pppd are encoded at the tail of a queue and
 * written from its head until the pty is full. Writes never block.
 */
import type { PacketBuffers } from '../../gre/packet-buffers.js';
import type { Port, PortFailure } from '../../gre/port.js';
import type { RelayCounters } from '../../gre/relay-counters.js';
import { lastError, read, write } from '../../sys/batch-io.js';
import { close, duplicate, setNonBlocking } from '../../sys/descriptor.js';
import { checked, lastErrorName } from '../../sys/libc.js';
import { type Boxed, boxed, type SharedMemory } from '../../sys/shared-memory.js';
import { ACCM_ALL, Hdlc, longestEncoding, SLACK } from './hdlc.js';
import { Preamble } from './preamble.js';

/** A pty's read returns at most 4095 octets. */
const READ_LENGTH = 4096;
/** Size of the queue for the pty, octets; when it is full, frames are dropped. The pty itself holds about 64 KiB. */
const QUEUE_LENGTH = 128 * 1024;
/** Maximum number of system calls per `flush`. */
const WRITES = 8;

export class PtyPort implements Port {
  readonly #memory: SharedMemory;
  readonly #hdlc: Hdlc;
  readonly #readAt: number;
  readonly #queueAt: number;
  /** The kernel addresses of both. */
  readonly #addresses: Boxed;
  #pty = -1;
  #onWords: (chunk: string) => void = () => undefined;
  #closed = false;

  /** The queued octets are those from #head to #tail. */
  #head: number;
  #tail: number;
  #accm = ACCM_ALL;

  #preamble: Preamble | null = new Preamble();
  /** Read but not yet decoded, because the slots were full. */
  #unreadAt = 0;
  #unread = 0;

  constructor(memory: SharedMemory, buffers: PacketBuffers) {
    this.#memory = memory;
    this.#hdlc = new Hdlc(memory);
    this.#hdlc.layOut(buffers.frames);
    this.#readAt = memory.take(READ_LENGTH + SLACK);
    this.#queueAt = memory.take(QUEUE_LENGTH + SLACK);
    this.#addresses = boxed([memory.address + this.#readAt, memory.address + this.#queueAt]);
    this.#head = this.#queueAt;
    this.#tail = this.#queueAt;
  }

  /**
   * Attaches the port to a pty's master. The caller keeps `master` and may close it first. `onWords` receives what pppd
   * prints before its first frame. Throws SystemCallFailed.
   */
  open(master: number, onWords: (chunk: string) => void): void {
    // Duplicated, because after a close the same number may refer to another file.
    this.#pty = checked(duplicate(master), 'duplicate the pty');
    setNonBlocking(this.#pty);
    this.#onWords = onWords;
  }

  get fd(): number {
    return this.#pty;
  }

  /**
   * Sets which control characters are escaped in data frames for pppd: bit n for octet n (RFC 1662 §7.1); initially
   * all. Control frames are always fully escaped, since pppd may not yet have applied what it negotiated.
   */
  setSendAccm(accm: number): void {
    this.#accm = accm;
  }

  // From the client to pppd.

  get isBlocked(): boolean {
    return this.#head !== this.#tail;
  }

  makeRoom(): boolean {
    if (this.#tail - this.#head > QUEUE_LENGTH / 2) return false;
    if (this.#tail > this.#queueAt + QUEUE_LENGTH / 2) this.#moveToFront();
    return true;
  }

  push(at: number, length: number, isControl: boolean): boolean {
    if (!this.#hasRoom(longestEncoding(length) + SLACK)) return false;
    this.#tail = this.#hdlc.encode(at, length, this.#tail, isControl ? ACCM_ALL : this.#accm);
    return true;
  }

  /**
   * Writes until the pty is full. The kernel empties the pty meanwhile, so a short write does not mean that it is full.
   */
  flush(): void {
    for (let writes = 0; writes < WRITES && this.isBlocked; writes += 1) {
      const written = write(this.#pty, this.#addressOf(this.#head), this.#tail - this.#head);
      if (written > 0) {
        this.#head += written;
        continue;
      }
      // pppd is gone: discard the queue. Its last output may still be read; the end is detected there.
      if (written < 0 && lastError() !== 'wouldBlock') this.#head = this.#tail;
      break;
    }
    if (this.isBlocked) return;
    this.#head = this.#queueAt;
    this.#tail = this.#queueAt;
  }

  #addressOf(at: number): number {
    return at === this.#queueAt ? (this.#addresses[1] ?? 0) : this.#memory.address + at;
  }

  #hasRoom(length: number): boolean {
    if (this.#tail + length <= this.#queueAt + QUEUE_LENGTH) return true;
    // Moving is worthwhile only when it frees much.
    if (this.#head - this.#queueAt < QUEUE_LENGTH / 2) return false;
    this.#moveToFront();
    return this.#tail + length <= this.#queueAt + QUEUE_LENGTH;
  }

  #moveToFront(): void {
    this.#memory.octets.copyWithin(this.#queueAt, this.#head, this.#tail);
    this.#tail -= this.#head - this.#queueAt;
    this.#head = this.#queueAt;
  }

  // From pppd to the client.

  receive(): 'some' | 'none' | PortFailure {
    if (this.#unread === 0) {
      const count = read(this.#pty, this.#addresses[0] ?? 0, READ_LENGTH);
      if (count === 0) return { kind: 'closed' };
      if (count < 0) return this.#readFailed();
      this.#unreadAt = this.#readAt;
      this.#unread = count;
      if (this.#preamble !== null) this.#readWords(this.#preamble);
    }
    const used = this.#hdlc.decode(this.#unreadAt, this.#unread);
    this.#unreadAt += used;
    this.#unread -= used;
    return 'some';
  }

  get hasUnread(): boolean {
    return this.#unread > 0;
  }

  get frameCount(): number {
    return this.#hdlc.frameCount;
  }

  takeFrames(): void {
    this.#hdlc.takeFrames();
  }

  #readFailed(): 'none' | PortFailure {
    const error = lastError();
    if (error === 'wouldBlock') return 'none';
    return error === 'hungUp' ? { kind: 'closed' } : { kind: 'unreadable', code: lastErrorName() };
  }

  #readWords(preamble: Preamble): void {
    const { text, frameAt } = preamble.take(this.#memory.part(this.#unreadAt, this.#unread));
    if (frameAt !== null) this.#preamble = null;
    const used = frameAt ?? this.#unread;
    this.#unreadAt += used;
    this.#unread -= used;
    if (text !== '') this.#onWords(text);
  }

  count(counters: RelayCounters): void {
    const { badFcs, tooShort, tooLong, aborted } = this.#hdlc.dropped();
    counters.ptyBadFcs = badFcs;
    counters.ptyTooShort = tooShort;
    counters.ptyTooLong = tooLong;
    counters.ptyAborted = aborted;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pty >= 0) close(this.#pty);
  }
}
