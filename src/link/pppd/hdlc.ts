/** HDLC framing (RFC 1662) in the shared memory: the interface to wasm/hdlc.ts, in octets and offsets. */
import type { FrameSlots } from '../../gre/packet-buffers.js';
import type { SharedMemory } from '../../sys/shared-memory.js';
import { wasmModule } from '../../sys/wasm-module.js';

/** What wasm/hdlc.ts exports. */
interface HdlcExports {
  readonly badFcs: WebAssembly.Global;
  readonly tooShort: WebAssembly.Global;
  readonly tooLong: WebAssembly.Global;
  readonly aborted: WebAssembly.Global;
  encode(source: number, length: number, target: number, accm: number): number;
  layOut(slots: number, stride: number, limit: number, lengths: number, capacity: number): void;
  frameCount(): number;
  takeFrames(): void;
  decode(source: number, count: number): number;
}

/** The maximum encoded length of `length` octets: flags, FCS and every octet escaped. */
export const longestEncoding = (length: number): number => 2 * (length + FCS_LENGTH) + 2;
export const FCS_LENGTH = 2;
/** Octets after source and target that the codec may read and write. */
export const SLACK = 16;
/** Escapes every control character (RFC 1662 §7.1). */
export const ACCM_ALL = 0xffff_ffff;

export class Hdlc {
  readonly #exports: HdlcExports;

  /** Throws when the build did not include the codec. */
  constructor(memory: SharedMemory) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- wasm/hdlc.ts is built together with this file
    this.#exports = memory.instantiate(wasmModule('hdlc')) as unknown as HdlcExports;
  }

  /** Writes one frame (see `longestEncoding`) to offset `target`; returns the offset after it. */
  encode(source: number, length: number, target: number, accm: number): number {
    return this.#exports.encode(source, length, target, accm);
  }

  /**
   * Sets the slots for decoded frames, each with SLACK octets after the longest frame. Call it before the first
   * `decode`.
   */
  layOut(slots: FrameSlots): void {
    this.#exports.layOut(slots.at, slots.stride, slots.limit, slots.lengthsAt, slots.capacity);
  }

  /** Decodes `count` octets at `source`; returns how many were used, fewer than `count` once every slot is full. */
  decode(source: number, count: number): number {
    return this.#exports.decode(source, count);
  }

  /** Number of complete frames in the slots, counted from the first. */
  get frameCount(): number {
    return this.#exports.frameCount();
  }

  /** Frees the slots. */
  takeFrames(): void {
    this.#exports.takeFrames();
  }

  /** Frames dropped since the start, by reason. */
  dropped(): { badFcs: number; tooShort: number; tooLong: number; aborted: number } {
    const { badFcs, tooShort, tooLong, aborted } = this.#exports;
    return {
      badFcs: badFcs.value,
      tooShort: tooShort.value,
      tooLong: tooLong.value,
      aborted: aborted.value,
    };
  }
}
