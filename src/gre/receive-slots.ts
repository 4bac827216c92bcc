/**
 * Assigns receive slots to the messages of a batch. A packet that is held for reordering keeps its slot, and its
 * message gets a free one, so that no packet is copied. There are enough slots for a batch and a full reorder window.
 */
import { type PacketBuffers, RECEIVE_BATCH, RECEIVE_SLOTS } from './packet-buffers.js';

export class ReceiveSlots {
  /** For each slot: offset and length of its packet's payload, octets. */
  readonly payloadAt = new Int32Array(RECEIVE_SLOTS);
  readonly payloadLength = new Int32Array(RECEIVE_SLOTS);
  readonly #buffers: PacketBuffers;
  readonly #batch = new Int32Array(RECEIVE_BATCH);
  readonly #free = new Int32Array(RECEIVE_SLOTS);
  #freeCount = 0;

  constructor(buffers: PacketBuffers) {
    this.#buffers = buffers;
    for (let slot = RECEIVE_SLOTS - 1; slot >= RECEIVE_BATCH; slot -= 1) this.release(slot);
    for (let index = 0; index < RECEIVE_BATCH; index += 1) this.#assign(index, index);
  }

  /** The slot that message `index` of a batch is received into. */
  of(index: number): number {
    return this.#batch[index] ?? 0;
  }

  /** Keeps the slot of message `index` until `release`, and assigns it a free slot for the next batch. */
  hold(index: number): void {
    this.#freeCount -= 1;
    this.#assign(index, this.#free[this.#freeCount] ?? 0);
  }

  /** Frees a held slot. */
  release(slot: number): void {
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }

  #assign(index: number, slot: number): void {
    this.#batch[index] = slot;
    this.#buffers.receiveInto(index, slot);
  }
}
