/**
 * What lies where in the codec's memory, and the kernel's structures in it: mmsghdr and iovec (socket.h, uio.h) of
 * 64-bit little-endian Linux. Packets are received into it, framed in it and sent from it; they are never copied to
 * JavaScript. Pages that are not used are not there: an idle session touches few of them.
 */
import { LONGEST_HEADER } from './header.js';
import { type Hdlc, SLACK } from './hdlc.js';
import { WINDOW } from './sequence.js';
import { addressOf } from './system.js';

/** Packets of one recvmmsg, frames of one sendmmsg. */
export const RECEIVE_BATCH = 32;
export const SEND_BATCH = 64;
const SEND_MESSAGES = SEND_BATCH + 1;
/** The message behind the batch's is for acknowledgments that go alone. */
export const ACKNOWLEDGMENT_MESSAGE = SEND_MESSAGES - 1;
/** The longest PPP frame either way, octets: an MRU of 1500 and what headers may be before it, with room to spare. */
export const LONGEST_FRAME = 2000;
/** A pty's read returns at most 4095 octets. */
export const READ_LENGTH = 4096;
/** Frames waiting for the pty, octets; a full queue drops. A pty itself takes some 64 KiB. */
export const WRITE_QUEUE = 128 * 1024;
/** Small arguments of single system calls. */
const SCRATCH = 256;

/** An IPv4 header with all its options. */
const LONGEST_IP_HEADER = 60;
/** No power of two: headers of one batch should not all fall into the same cache lines. */
const RECEIVE_STRIDE = 2112;
const RECEIVE_LENGTH = LONGEST_IP_HEADER + LONGEST_HEADER + LONGEST_FRAME;
const SEND_STRIDE = 2112;
const SEND_HEADROOM = 64;
/** Batch and reorder window. */
export const RECEIVE_SLOTS = RECEIVE_BATCH + WINDOW;

const MESSAGE = 64;
const MESSAGE_VECTORS_AT = 16;
const MESSAGE_VECTOR_COUNT_AT = 24;
const MESSAGE_FLAGS_AT = 48;
const MESSAGE_LENGTH_AT = 56;
const VECTOR = 16;
/** The kernel had more than fitted. */
const MSG_TRUNC = 0x20;
const WORD = 2 ** 32;

/**
 * Numbers beyond 2^31, as system calls take them: V8 makes an object of each one for each call, unless it has it from an
 * array that holds not only numbers.
 */
type Boxed = readonly (number | null)[];

function boxed(numbers: readonly number[]): Boxed {
  const all: (number | null)[] = [null];
  all.pop();
  for (const number of numbers) all.push(number);
  return all;
}

const aligned = (at: number): number => (at + 63) & ~63;

export class RelayMemory {
  /** Whose memory it is. */
  readonly hdlc: Hdlc;
  readonly octets: Uint8Array;
  readonly view: DataView;
  /** Where offset 0 lies for the kernel. */
  readonly address: number;
  readonly scratchAt: number;
  readonly readAt: number;
  readonly queueAt: number;
  /** Where the acknowledgment that goes alone ends. */
  readonly acknowledgmentEnd: number;

  readonly #words: Int32Array;
  readonly #lengthsAt: number;
  readonly #receiveMessagesAt: number;
  readonly #receiveVectorsAt: number;
  readonly #sendVectorsAt: number;
  /** The kernel's addresses of receive messages, read buffer and queue, and of the messages to send from each on. */
  readonly #places: Boxed;
  readonly #sendMessages: Boxed;
  /** The address in words of 32 bits. */
  readonly #low: number;
  readonly #high: number;
  readonly #receiveSlotsAt: number;
  readonly #sendSlotsAt: number;

  /** Lays everything out above what `hdlc` uses itself, and tells it where frames go. Throws when it does not fit. */
  constructor(hdlc: Hdlc) {
    this.hdlc = hdlc;
    this.octets = new Uint8Array(hdlc.memory);
    this.view = new DataView(hdlc.memory);
    this.#words = new Int32Array(hdlc.memory);
    this.address = addressOf(hdlc.memory);
    this.#low = this.address % WORD;
    this.#high = Math.floor(this.address / WORD);

    let free = hdlc.freeAt;
    const take = (length: number): number => {
      const at = aligned(free);
      free = at + length;
      return at;
    };
    this.scratchAt = take(SCRATCH);
    this.acknowledgmentEnd = take(LONGEST_HEADER) + LONGEST_HEADER;
    this.#lengthsAt = take(SEND_BATCH * 4);
    this.#receiveMessagesAt = take(RECEIVE_BATCH * MESSAGE);
    this.#receiveVectorsAt = take(RECEIVE_BATCH * VECTOR);
    const sendMessagesAt = take(SEND_MESSAGES * MESSAGE);
    this.#sendVectorsAt = take(SEND_MESSAGES * VECTOR);
    this.readAt = take(READ_LENGTH + SLACK);
    this.queueAt = take(WRITE_QUEUE + SLACK);
    this.#sendSlotsAt = take(SEND_BATCH * SEND_STRIDE);
    this.#receiveSlotsAt = take(RECEIVE_SLOTS * RECEIVE_STRIDE);
    if (free > hdlc.memory.byteLength) throw new Error(`the relay's memory needs ${free} octets`);

    hdlc.layOut({
      at: this.#sendSlotsAt + SEND_HEADROOM,
      stride: SEND_STRIDE,
      limit: LONGEST_FRAME,
      capacity: SEND_BATCH,
      lengthsAt: this.#lengthsAt,
    });
    this.#places = boxed([this.#receiveMessagesAt, this.readAt, this.queueAt].map((at) => this.address + at));
    this.#sendMessages = boxed(
      Array.from({ length: SEND_MESSAGES }, (_, index) => this.address + sendMessagesAt + index * MESSAGE),
    );
    this.#linkMessages(this.#receiveMessagesAt, this.#receiveVectorsAt, RECEIVE_BATCH);
    this.#linkMessages(sendMessagesAt, this.#sendVectorsAt, SEND_MESSAGES);
  }

  /** The kernel's address of the received messages. */
  get receiveMessages(): number {
    return this.#places[0] ?? 0;
  }

  /** The kernel's address of what is read from the pty, `readAt`. */
  get readAddress(): number {
    return this.#places[1] ?? 0;
  }

  /** The kernel's address of the queue's octet at `at`; most often it is the first one. */
  queueAddress(at: number): number {
    return at === this.queueAt ? (this.#places[2] ?? 0) : this.address + at;
  }

  /** The kernel's address of the messages to send from `index` on. */
  sendMessages(index: number): number {
    return this.#sendMessages[index] ?? 0;
  }

  /** Offset of a receive slot. */
  receiveSlotAt(slot: number): number {
    return this.#receiveSlotsAt + slot * RECEIVE_STRIDE;
  }

  /** Lets message `index` of the next batch be received into `slot`. */
  receiveInto(index: number, slot: number): void {
    this.#setVector(this.#receiveVectorsAt + index * VECTOR, this.receiveSlotAt(slot), RECEIVE_LENGTH);
  }

  /** Octets of received message `index`; -1 when it was longer than a slot. */
  receivedLength(index: number): number {
    const message = this.#receiveMessagesAt + index * MESSAGE;
    const flags = this.#words[(message + MESSAGE_FLAGS_AT) >> 2] ?? 0;
    return flags & MSG_TRUNC ? -1 : (this.#words[(message + MESSAGE_LENGTH_AT) >> 2] ?? 0);
  }

  /** Offset of decoded frame `index`; LONGEST_HEADER octets before it are free. */
  frameAt(index: number): number {
    return this.#sendSlotsAt + index * SEND_STRIDE + SEND_HEADROOM;
  }

  frameLength(index: number): number {
    return this.#words[(this.#lengthsAt >> 2) + index] ?? 0;
  }

  /** Lets message `index` to send be the `length` octets at `at`. */
  sendFrom(index: number, at: number, length: number): void {
    this.#setVector(this.#sendVectorsAt + index * VECTOR, at, length);
  }

  /** The view of a frame, for those who look into it; valid until the batch is over. */
  frame(at: number, length: number): Uint8Array {
    return this.octets.subarray(at, at + length);
  }

  /** Writes a 64-bit address of this memory at offset `to`. */
  setAddress(to: number, offset: number): void {
    const low = this.#low + offset;
    this.#words[to >> 2] = low;
    this.#words[(to >> 2) + 1] = low < WORD ? this.#high : this.#high + 1;
  }

  #setVector(vector: number, at: number, length: number): void {
    this.setAddress(vector, at);
    this.#words[(vector + 8) >> 2] = length;
  }

  #linkMessages(messages: number, vectors: number, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const message = messages + index * MESSAGE;
      this.setAddress(message + MESSAGE_VECTORS_AT, vectors + index * VECTOR);
      this.#words[(message + MESSAGE_VECTOR_COUNT_AT) >> 2] = 1;
    }
  }
}
