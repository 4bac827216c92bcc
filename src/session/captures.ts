/**
 * A session's traffic for `pptpd-ts capture`: control messages and PPP frames in both directions, one batch per turn of the
 * event loop. Each reader has a buffer of fixed size. The relay never waits: a slow reader loses frames, and the number is
 * reported to it. Without readers nothing is copied.
 */
import type { Socket } from 'node:net';
import { writeText } from './lines.js';

/** What is captured, with its direction. An event contains the index into this list. */
export const CAPTURED = ['pppFromClient', 'pppToClient', 'controlFromClient', 'controlToClient'] as const;

export type Captured = (typeof CAPTURED)[number];

/** Called with every frame and message. `bytes` is valid only during the call. */
export type Tap = (captured: Captured, bytes: Uint8Array) => void;

/** The `capture` event: frames in the order in which they passed. */
export interface CaptureEvent {
  readonly event: 'capture';
  /** How many frames were lost to this reader before the first one here. */
  readonly lost: number;
  /** For each frame: microseconds since the epoch, index into CAPTURED, length in octets. */
  readonly frames: readonly (readonly [time: number, captured: number, length: number])[];
  /** The octets of all frames, concatenated, in base64. */
  readonly bytes: string;
}

/** Limits of one batch: it fits into a line (MAX_ANSWER_BYTES in lines.ts), and takes little time to send. */
const BATCH_OCTETS = 256 * 1024;
const BATCH_FRAMES = 4096;
/** Each reader takes the memory of one batch. */
const MAX_READERS = 4;

class Reader {
  readonly #socket: Socket;
  readonly #octets = Buffer.allocUnsafe(BATCH_OCTETS);
  #used = 0;
  #frames: [number, number, number][] = [];
  /** Frames lost before the current batch, and since it is full. */
  #lostBefore = 0;
  #lostAfter = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => this.send());
  }

  take(time: number, captured: number, bytes: Uint8Array): void {
    // After the first loss the batch takes nothing more, so that the place of the gap is known.
    const full = this.#used + bytes.length > BATCH_OCTETS || this.#frames.length >= BATCH_FRAMES;
    if (full || this.#lostAfter > 0) {
      this.#lostAfter += 1;
      return;
    }
    this.#octets.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#frames.push([time, captured, bytes.length]);
  }

  /** Sends the batch, unless the reader has not yet read the last one. */
  send(): void {
    if (this.#socket.writableNeedDrain) return;
    this.sendNow();
  }

  sendNow(): void {
    if (this.#frames.length === 0 && this.#lostBefore + this.#lostAfter === 0) return;
    const head = { event: 'capture', lost: this.#lostBefore, frames: this.#frames } satisfies Omit<
      CaptureEvent,
      'bytes'
    >;
    const bytes = this.#octets.toString('base64', 0, this.#used);
    // JSON.stringify would search the base64 for characters to escape, which takes nine tenths of the time.
    const text = `${JSON.stringify(head).slice(0, -1)},"bytes":"${bytes}"}`;
    this.#lostBefore = this.#lostAfter;
    this.#lostAfter = 0;
    this.#frames = [];
    this.#used = 0;
    writeText(this.#socket, text, 'latin1');
  }
}

export class Captures {
  readonly #readers = new Map<Socket, Reader>();
  #sendSoon: NodeJS.Immediate | null = null;
  /** Microseconds to add to the monotonic clock. Measured again for each first reader, because clocks are set. */
  #epoch = 0;
  /** Called with the tap when the first reader is added, and with null when the last one is removed. */
  onDemand: (tap: Tap | null) => void = () => undefined;

  /** null without readers. */
  get tap(): Tap | null {
    return this.#readers.size === 0 ? null : this.#take;
  }

  /** Sends everything to `socket` from now on. Throws if there are too many readers; the message is for the client. */
  add(socket: Socket): void {
    if (this.#readers.has(socket)) return;
    if (this.#readers.size >= MAX_READERS)
      throw new Error(`${MAX_READERS} captures of this session are running already`);
    this.#readers.set(socket, new Reader(socket));
    if (this.#readers.size > 1) return;
    this.#epoch = Date.now() * 1000 - performance.now() * 1000;
    this.onDemand(this.#take);
  }

  remove(socket: Socket): void {
    if (this.#readers.delete(socket) && this.#readers.size === 0) this.onDemand(null);
  }

  /** Sends what is buffered, and removes all readers. */
  close(): void {
    if (this.#sendSoon !== null) clearImmediate(this.#sendSoon);
    for (const [socket, reader] of this.#readers) {
      reader.sendNow();
      this.remove(socket);
    }
  }

  readonly #take: Tap = (captured, bytes) => {
    const time = Math.round(this.#epoch + performance.now() * 1000);
    const kind = CAPTURED.indexOf(captured);
    for (const reader of this.#readers.values()) reader.take(time, kind, bytes);
    this.#sendSoon ??= setImmediate(() => {
      this.#sendSoon = null;
      for (const reader of this.#readers.values()) reader.send();
    });
  };
}
