/**
 * A session's traffic for those who capture it: control messages and PPP frames both ways, in batches of a turn of the
 * event loop. The relay waits for nobody: it copies a frame into a buffer of fixed size, and where a reader has left no
 * room in his the frame is not for him, and he is told how many were not. While nobody captures nothing is copied.
 */
import type { Socket } from 'node:net';
import { writeText } from './lines.js';

/** What is captured, and which way it goes; an event names them by their place here. */
export const CAPTURED = ['pppFromClient', 'pppToClient', 'controlFromClient', 'controlToClient'] as const;

export type Captured = (typeof CAPTURED)[number];

/** Is shown every frame and message; `bytes` are good only during the call. */
export type Tap = (captured: Captured, bytes: Uint8Array) => void;

/** The `capture` event: frames in the order in which they passed. */
export interface CaptureEvent {
  readonly event: 'capture';
  /** How many frames were lost to this reader before the first one here. */
  readonly lost: number;
  /** Of each frame: microseconds since the epoch, place in CAPTURED, octets. */
  readonly frames: readonly (readonly [time: number, captured: number, length: number])[];
  /** Their octets, one frame behind the other, base64. */
  readonly bytes: string;
}

/** Of one batch: what fits into a reader's line with room to spare (lines.ts), and costs a turn little. */
const BATCH_OCTETS = 256 * 1024;
const BATCH_FRAMES = 4096;
/** Each takes a batch of memory. */
const MAX_READERS = 4;

class Reader {
  readonly #socket: Socket;
  readonly #octets = Buffer.allocUnsafe(BATCH_OCTETS);
  #used = 0;
  #frames: [number, number, number][] = [];
  /** Lost before the batch at hand, and since it is full. */
  #lostBefore = 0;
  #lostBehind = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => this.send());
  }

  take(time: number, captured: number, bytes: Uint8Array): void {
    // Once one is lost the batch is closed: what follows is lost in one piece, and its place is known.
    const full = this.#used + bytes.length > BATCH_OCTETS || this.#frames.length >= BATCH_FRAMES;
    if (full || this.#lostBehind > 0) {
      this.#lostBehind += 1;
      return;
    }
    this.#octets.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#frames.push([time, captured, bytes.length]);
  }

  /** Sends the batch, unless the reader still has the last one to take. */
  send(): void {
    if (this.#socket.writableNeedDrain) return;
    this.sendNow();
  }

  sendNow(): void {
    if (this.#frames.length === 0 && this.#lostBefore + this.#lostBehind === 0) return;
    const head = { event: 'capture', lost: this.#lostBefore, frames: this.#frames } satisfies Omit<
      CaptureEvent,
      'bytes'
    >;
    const bytes = this.#octets.toString('base64', 0, this.#used);
    // Not by JSON.stringify, which would look for something to escape: nine tenths of what a batch costs.
    const text = `${JSON.stringify(head).slice(0, -1)},"bytes":"${bytes}"}`;
    this.#lostBefore = this.#lostBehind;
    this.#lostBehind = 0;
    this.#frames = [];
    this.#used = 0;
    writeText(this.#socket, text, 'latin1');
  }
}

export class Captures {
  readonly #readers = new Map<Socket, Reader>();
  #sendSoon: NodeJS.Immediate | null = null;
  /** The epoch on the monotonic clock, microseconds: taken anew with each first reader, since clocks are set. */
  #epoch = 0;
  /** Called when the first reader comes, with the tap, and when the last one leaves, with null. */
  onDemand: (tap: Tap | null) => void = () => undefined;

  /** null while nobody captures. */
  get tap(): Tap | null {
    return this.#readers.size === 0 ? null : this.#take;
  }

  /** Has `socket` sent everything from now on. Throws the sentence for the asker when there are too many. */
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

  /** Sends what is left, and no more after it. */
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
