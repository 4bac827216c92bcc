/**
 * The relay's port to pppd: HDLC frames on a pty (RFC 1662). Frames for pppd are encoded at the tail of a queue and written
 * from its head until the pty takes no more; a full pty blocks nobody.
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
/** Frames that wait for the pty, octets; a full queue drops. A pty itself takes some 64 KiB. */
const QUEUE_LENGTH = 128 * 1024;
/** System calls of one `flush`. */
const WRITES = 8;

export class PtyPort implements Port {
  readonly #memory: SharedMemory;
  readonly #hdlc: Hdlc;
  readonly #readAt: number;
  readonly #queueAt: number;
  /** The kernel's addresses of both. */
  readonly #addresses: Boxed;
  #pty = -1;
  #onWords: (chunk: string) => void = () => undefined;
  #closed = false;

  /** The queue's octets lie from #head up to #tail. */
  #head: number;
  #tail: number;
  #accm = ACCM_ALL;

  #preamble: Preamble | null = new Preamble();
  /** Read and not yet decoded: slots were full. */
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
   * Begins to serve a pty's master, which stays the caller's and may be closed before the port is. `onWords` is told what
   * pppd prints before its first frame. Throws SystemCallFailed.
   */
  open(master: number, onWords: (chunk: string) => void): void {
    // A descriptor of our own: the number of a closed one may be another file's by the next read.
    this.#pty = checked(duplicate(master), 'duplicate the pty');
    setNonBlocking(this.#pty);
    this.#onWords = onWords;
  }

  get fd(): number {
    return this.#pty;
  }

  /**
   * Which control characters are escaped in data frames for pppd: bit n for octet n (RFC 1662 §7.1). All of them until
   * told. Control frames are escaped fully, since pppd may not yet have done what it has agreed to.
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

  /** Writes until the pty takes no more: the kernel empties it meanwhile, so one short write does not mean that. */
  flush(): void {
    for (let writes = 0; writes < WRITES && this.isBlocked; writes += 1) {
      const written = write(this.#pty, this.#addressOf(this.#head), this.#tail - this.#head);
      if (written > 0) {
        this.#head += written;
        continue;
      }
      // pppd is gone: nobody will read it. What pppd wrote last may still be read, which finds the end.
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
    // Moving pays only when it frees much.
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
