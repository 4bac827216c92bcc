/** Segmentation offload in the shared memory: the interface to wasm/tun.ts, in octets and offsets. */
import { type Boxed, boxed, type SharedMemory } from '../../sys/shared-memory.js';
import { wasmModule } from '../../sys/wasm-module.js';

/** What wasm/tun.ts exports. */
interface TunExports {
  readonly BAD: WebAssembly.Global;
  readonly TOO_LONG: WebAssembly.Global;
  open(at: number, length: number, limit: number): number;
  cut(to: number): number;
  drop(): void;
  itemLength(): number;
  vectorsLength(): number;
  layOut(items: number, capacity: number, vectors: number, low: number, high: number): void;
  push(at: number, length: number): number;
  queued(): number;
  prepare(index: number): number;
  clear(): void;
}

const WORD = 2 ** 32;
/** Octets after every buffer that may be read and written. */
export const SLACK = 16;

export class Offload {
  /** What `open` returns for a packet that must be dropped. */
  readonly bad: number;
  readonly tooLong: number;
  readonly #exports: TunExports;
  readonly #vectors: Boxed;

  /** Allocates for `capacity` packets in a batch. Throws when the build did not include the module. */
  constructor(memory: SharedMemory, capacity: number) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- wasm/tun.ts is built together with this file
    this.#exports = memory.instantiate(wasmModule('tun')) as unknown as TunExports;
    const items = memory.take(capacity * this.#exports.itemLength());
    const vectors = memory.take(this.#exports.vectorsLength());
    const high = Math.floor(memory.address / WORD);
    this.#exports.layOut(items, capacity, vectors, memory.address % WORD, high);
    this.#vectors = boxed([memory.address + vectors]);
    this.bad = this.#exports.BAD.value;
    this.tooLong = this.#exports.TOO_LONG.value;
  }

  // From the kernel.

  /**
   * Begins with what was read to `at`: `length` octets, an offload header and a packet, which `cut` may change. Returns
   * the number of packets that `cut` makes of it; `bad` if its header is impossible, `tooLong` if one of them exceeds
   * `limit` octets.
   */
  open(at: number, length: number, limit: number): number {
    return this.#exports.open(at, length, limit);
  }

  /** Writes the next IP packet to `to`, complete with its checksums; returns its length, 0 after the last one. */
  cut(to: number): number {
    return this.#exports.cut(to);
  }

  /** Discards the rest of the packet. */
  drop(): void {
    this.#exports.drop();
  }

  // To the kernel.

  /**
   * Adds the IP packet of `length` octets at `at` to the batch; false when the batch is full. The packet is at least as
   * long as the shortest header of its version, has OFFLOAD_HEADER unused octets before it, and stays there until
   * `clear`.
   */
  push(at: number, length: number): boolean {
    return this.#exports.push(at, length) !== 0;
  }

  /** Number of packets in the batch. */
  get queued(): number {
    return this.#exports.queued();
  }

  /**
   * Prepares packet `index` of the batch, with its offload header, to be written from `vectors`. Returns the number of
   * vectors, one for each segment; 0 if the packet is joined to an earlier one or superseded by a later one.
   */
  prepare(index: number): number {
    return this.#exports.prepare(index);
  }

  /** The kernel address of the vectors (struct iovec). */
  get vectors(): number {
    return this.#vectors[0] ?? 0;
  }

  /** Empties the batch. */
  clear(): void {
    this.#exports.clear();
  }
}
