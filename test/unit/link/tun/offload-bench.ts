/** wasm/tun.ts with buffers of Node's around it. */
import { Offload, SLACK } from '../../../../src/link/tun/offload.js';
import { SharedMemory } from '../../../../src/sys/shared-memory.js';
import { MAX_READ } from '../../../../src/sys/tun-device.js';

/** Packets in a batch. */
export const CAPACITY = 400;
const MAX_PACKET = 2000;
const SLOT = 2064;
const HEADROOM = 16;
const VECTOR = 16;

export class OffloadBench {
  readonly #memory = new SharedMemory();
  readonly offload = new Offload(this.#memory, CAPACITY);
  readonly #readAt = this.#memory.take(MAX_READ + SLACK);
  readonly #slotAt = this.#memory.take(SLOT);
  readonly #queueAt = this.#memory.take(CAPACITY * SLOT);

  /** The packets that a read of the TUN device is cut into; a negative number if it must be dropped. */
  cut(read: Uint8Array, limit = MAX_PACKET): Buffer[] | number {
    const { octets } = this.#memory;
    octets.set(read, this.#readAt);
    const count = this.offload.open(this.#readAt, read.length, limit);
    if (count < 0) return count;
    const packets: Buffer[] = [];
    for (let length: number; (length = this.offload.cut(this.#slotAt)) > 0; ) {
      packets.push(Buffer.from(octets.subarray(this.#slotAt, this.#slotAt + length)));
    }
    if (packets.length !== count) throw new Error(`${count} packets were said, and ${packets.length} came`);
    return packets;
  }

  /** What is written to the TUN device for the packets: each with its offload header, and its number of segments. */
  join(packets: readonly Uint8Array[]): { readonly segments: number; readonly written: Buffer }[] {
    const { octets, view, address } = this.#memory;
    this.offload.clear();
    for (const [index, packet] of packets.entries()) {
      const at = this.#queueAt + index * SLOT + HEADROOM;
      octets.set(packet, at);
      if (!this.offload.push(at, packet.length)) throw new Error('the batch is full');
    }
    const all = [];
    for (let index = 0; index < this.offload.queued; index += 1) {
      const segments = this.offload.prepare(index);
      if (segments === 0) continue;
      const parts = Array.from({ length: segments }, (_, vector) => {
        const at = this.offload.vectors - address + vector * VECTOR;
        const from = Number(view.getBigUint64(at, true)) - address;
        return octets.subarray(from, from + Number(view.getBigUint64(at + 8, true)));
      });
      all.push({ segments, written: Buffer.concat(parts) });
    }
    return all;
  }
}
