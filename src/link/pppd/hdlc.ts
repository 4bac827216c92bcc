/** HDLC framing of RFC 1662 in the shared memory: wasm/hdlc.ts in octets, offsets and numbers. */
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

/** Flags, FCS and every octet escaped: what `length` octets may become. */
export const longestEncoding = (length: number): number => 2 * (length + FCS_LENGTH) + 2;
export const FCS_LENGTH = 2;
/** Octets behind source and target that the codec may read and write. */
export const SLACK = 16;
/** Every control character is escaped (RFC 1662 §7.1). */
export const ACCM_ALL = 0xffff_ffff;

export class Hdlc {
  readonly #exports: HdlcExports;

  /** Throws when the build has left the codec out. */
  constructor(memory: SharedMemory) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- wasm/hdlc.ts is built together with this file
    this.#exports = memory.instantiate(wasmModule('hdlc')) as unknown as HdlcExports;
  }

  /** Writes one frame (see `longestEncoding`) to offset `target`; returns the offset behind it. */
  encode(source: number, length: number, target: number, accm: number): number {
    return this.#exports.encode(source, length, target, accm);
  }

  /** Says where decoded frames go, SLACK octets behind the longest included; before the first `decode`. */
  layOut(slots: FrameSlots): void {
    this.#exports.layOut(slots.at, slots.stride, slots.limit, slots.lengthsAt, slots.capacity);
  }

  /** Reads on from `source`; returns how many octets were used: fewer than `count` once every slot is full. */
  decode(source: number, count: number): number {
    return this.#exports.decode(source, count);
  }

  /** Whole frames in the slots, from the first on. */
  get frameCount(): number {
    return this.#exports.frameCount();
  }

  /** The slots' frames are done with. */
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
