/**
 * One memory for the kernel, WebAssembly and JavaScript, in which packets are received, encoded and sent without
 * copying. Its size is fixed, so that addresses passed to the kernel stay valid. Unused pages take no memory.
 */
import { endianness } from 'node:os';
import koffi from './koffi.js';
import { libc } from './libc.js';

if (process.platform !== 'linux' || endianness() !== 'LE' || koffi.sizeof('void *') !== 8) {
  throw new Error('pptpd-ts needs 64-bit little-endian Linux, for which its system call arguments are laid out');
}

/** Pages of 64 KiB; the modules are compiled for this number (asconfig.json). */
const PAGES = 20;
/** End of the modules' own data; each module has its area below (`memoryBase` in its asconfig.json). */
const MODULES_END = 64 * 1024;
const WORD = 2 ** 32;

const memmove: (to: Uint8Array, from: Uint8Array, length: number) => number = libc.func('memmove', 'uintptr_t', [
  'void *',
  'void *',
  'size_t',
]);

/**
 * Numbers above 2^31 for system calls. V8 allocates an object for each such number on each call, unless it comes from
 * an array that does not hold only numbers.
 */
export type Boxed = readonly (number | null)[];

export function boxed(numbers: readonly number[]): Boxed {
  const all: (number | null)[] = [null];
  all.pop();
  for (const number of numbers) all.push(number);
  return all;
}

const aligned = (at: number): number => (at + 63) & ~63;

export class SharedMemory {
  readonly wasm = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  readonly octets = new Uint8Array(this.wasm.buffer);
  readonly view = new DataView(this.wasm.buffer);
  readonly words = new Int32Array(this.wasm.buffer);
  /** The kernel address of offset 0; memmove returns its first argument. */
  readonly address = memmove(this.octets, this.octets, 0);
  readonly #low = this.address % WORD;
  readonly #high = Math.floor(this.address / WORD);
  #free = MODULES_END;

  /** Instantiates a module that imports this memory as env.memory. Throws when its data exceed the modules' area. */
  instantiate(module: WebAssembly.Module): Record<string, unknown> {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.wasm } });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every module of ours exports it
    const end = (exports['heapBase'] as () => number)();
    if (end > MODULES_END)
      throw new Error(`a WebAssembly module's data end at ${end}, beyond the ${MODULES_END} octets for modules`);
    return exports;
  }

  /** Allocates `length` octets permanently and returns their offset. Throws when the memory is full. */
  take(length: number): number {
    const at = aligned(this.#free);
    if (at + length > this.octets.length) throw new Error(`the shared memory has fewer than ${length} octets left`);
    this.#free = at + length;
    return at;
  }

  /** Writes the kernel address of `offset` at offset `to`. */
  setAddress(to: number, offset: number): void {
    const low = this.#low + offset;
    this.words[to >> 2] = low;
    this.words[(to >> 2) + 1] = low < WORD ? this.#high : this.#high + 1;
  }

  /** A view of `length` octets at `at`, without a copy. */
  part(at: number, length: number): Uint8Array {
    return this.octets.subarray(at, at + length);
  }
}
