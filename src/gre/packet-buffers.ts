/**
 * Layout of the shared memory for received and sent GRE packets, and of the kernel structures that describe them:
 * mmsghdr and iovec (socket.h, uio.h) of 64-bit little-endian Linux.
 */
import { type Boxed, boxed, type SharedMemory } from '../sys/shared-memory.js';
import { MAX_HEADER } from './header.js';
import { WINDOW } from './sequence.js';

/** Packets per recvmmsg call, frames per sendmmsg call. */
export const RECEIVE_BATCH = 32;
export const SEND_BATCH = 64;
const SEND_MESSAGES = SEND_BATCH + 1;
/** The last message is reserved for acknowledgments that are sent alone. */
export const ACKNOWLEDGMENT_MESSAGE = SEND_MESSAGES - 1;
/** The longest PPP frame in either direction, octets: an MRU of 1500 plus headers, with a margin. */
export const MAX_FRAME = 2000;

/** An IPv4 header with the maximum length of options, octets. */
const MAX_IP_HEADER = 60;
/** Not a power of two, so that the headers of a batch do not share the same cache lines. */
const RECEIVE_STRIDE = 2112;
const RECEIVE_LENGTH = MAX_IP_HEADER + MAX_HEADER + MAX_FRAME;
const SEND_STRIDE = 2112;
const SEND_HEADROOM = 64;
/** One slot for each packet of a batch and of the reorder window. */
export const RECEIVE_SLOTS = RECEIVE_BATCH + WINDOW;

/** Slots for decoded frames in the shared memory. */
export interface FrameSlots {
  /** Offset of the first slot's frame, and the distance between slots. A GRE header fits before each frame. */
  readonly at: number;
  readonly stride: number;
  /** The longest frame in octets, and the number of slots. */
  readonly limit: number;
  readonly capacity: number;
  /** Offset of `capacity` 32-bit lengths. */
  readonly lengthsAt: number;
}

const MESSAGE = 64;
const MESSAGE_VECTORS_AT = 16;
const MESSAGE_VECTOR_COUNT_AT = 24;
const MESSAGE_FLAGS_AT = 48;
const MESSAGE_LENGTH_AT = 56;
const VECTOR = 16;
/** The packet was longer than its buffer. */
const MSG_TRUNC = 0x20;

export class PacketBuffers {
  readonly memory: SharedMemory;
  /** End offset of an acknowledgment that is sent alone. */
  readonly acknowledgmentEnd: number;
  /** Where the port writes frames for the client, and their lengths as 32-bit numbers. */
  readonly frames: FrameSlots;

  readonly #words: Int32Array;
  readonly #lengthsAt: number;
  readonly #receiveMessagesAt: number;
  readonly #receiveVectorsAt: number;
  readonly #receiveSlotsAt: number;
  readonly #sendVectorsAt: number;
  readonly #sendSlotsAt: number;
  /** The kernel address of each message to send. */
  readonly #sendMessages: Boxed;
  readonly #receiveMessages: Boxed;

  /** Allocates from `memory`. Throws when the memory is too small. */
  constructor(memory: SharedMemory) {
    this.memory = memory;
    this.#words = memory.words;
    this.acknowledgmentEnd = memory.take(MAX_HEADER) + MAX_HEADER;
    this.#lengthsAt = memory.take(SEND_BATCH * 4);
    this.#receiveMessagesAt = memory.take(RECEIVE_BATCH * MESSAGE);
    this.#receiveVectorsAt = memory.take(RECEIVE_BATCH * VECTOR);
    const sendMessagesAt = memory.take(SEND_MESSAGES * MESSAGE);
    this.#sendVectorsAt = memory.take(SEND_MESSAGES * VECTOR);
    this.#sendSlotsAt = memory.take(SEND_BATCH * SEND_STRIDE);
    this.#receiveSlotsAt = memory.take(RECEIVE_SLOTS * RECEIVE_STRIDE);
    this.frames = {
      at: this.#sendSlotsAt + SEND_HEADROOM,
      stride: SEND_STRIDE,
      limit: MAX_FRAME,
      capacity: SEND_BATCH,
      lengthsAt: this.#lengthsAt,
    };
    this.#receiveMessages = boxed([memory.address + this.#receiveMessagesAt]);
    this.#sendMessages = boxed(
      Array.from({ length: SEND_MESSAGES }, (_, index) => memory.address + sendMessagesAt + index * MESSAGE),
    );
    this.#linkMessages(this.#receiveMessagesAt, this.#receiveVectorsAt, RECEIVE_BATCH);
    this.#linkMessages(sendMessagesAt, this.#sendVectorsAt, SEND_MESSAGES);
  }

  /** The kernel address of the received messages. */
  get receiveMessages(): number {
    return this.#receiveMessages[0] ?? 0;
  }

  /** The kernel address of the messages to send, starting with `index`. */
  sendMessages(index: number): number {
    return this.#sendMessages[index] ?? 0;
  }

  receiveSlotAt(slot: number): number {
    return this.#receiveSlotsAt + slot * RECEIVE_STRIDE;
  }

  /** Sets the slot for message `index` of the next batch. */
  receiveInto(index: number, slot: number): void {
    this.#setVector(this.#receiveVectorsAt + index * VECTOR, this.receiveSlotAt(slot), RECEIVE_LENGTH);
  }

  /** Length of received message `index`, octets; -1 when it was longer than a slot. */
  receivedLength(index: number): number {
    const message = this.#receiveMessagesAt + index * MESSAGE;
    const flags = this.#words[(message + MESSAGE_FLAGS_AT) >> 2] ?? 0;
    return flags & MSG_TRUNC ? -1 : (this.#words[(message + MESSAGE_LENGTH_AT) >> 2] ?? 0);
  }

  /** Offset of decoded frame `index`; MAX_HEADER octets before it are free. */
  frameAt(index: number): number {
    return this.#sendSlotsAt + index * SEND_STRIDE + SEND_HEADROOM;
  }

  frameLength(index: number): number {
    return this.#words[(this.#lengthsAt >> 2) + index] ?? 0;
  }

  /** Sets message `index` to send to the `length` octets at `at`. */
  sendFrom(index: number, at: number, length: number): void {
    this.#setVector(this.#sendVectorsAt + index * VECTOR, at, length);
  }

  #setVector(vector: number, at: number, length: number): void {
    this.memory.setAddress(vector, at);
    this.#words[(vector + 8) >> 2] = length;
  }

  #linkMessages(messages: number, vectors: number, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const message = messages + index * MESSAGE;
      this.memory.setAddress(message + MESSAGE_VECTORS_AT, vectors + index * VECTOR);
      this.#words[(message + MESSAGE_VECTOR_COUNT_AT) >> 2] = 1;
    }
  }
}
