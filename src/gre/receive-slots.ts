/**
 * The places that packets are received into: each message of a batch has one, and a packet that is held for those before
 * it keeps its own while the message gets another. Nothing is copied, and there are as many as batch and reorder window need.
 */
import { type PacketBuffers, RECEIVE_BATCH, RECEIVE_SLOTS } from './packet-buffers.js';

export class ReceiveSlots {
  /** Of each slot, where its packet's payload lies, and how many octets it has. */
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

  /** Leaves message `index` its packet's slot, until `release`, and gives it a free one for the next batch. */
  hold(index: number): void {
    this.#freeCount -= 1;
    this.#assign(index, this.#free[this.#freeCount] ?? 0);
  }

  /** The packet in a held slot is done with. */
  release(slot: number): void {
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }

  #assign(index: number, slot: number): void {
    this.#batch[index] = slot;
    this.#buffers.receiveInto(index, slot);
  }
}
