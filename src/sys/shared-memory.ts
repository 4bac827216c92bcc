/**
 * One memory for the kernel, for WebAssembly and for us: packets are received into it, coded in it and sent from it, and
 * are never copied. Its size is fixed, so that addresses given to the kernel stay valid. Pages that nobody has used do
 * not exist: an idle session has few of them.
 */
import { endianness } from 'node:os';
import koffi from 'koffi';
import { libc } from './libc.js';

if (process.platform !== 'linux' || endianness() !== 'LE' || koffi.sizeof('void *') !== 8) {
  throw new Error('system call arguments are laid out for 64-bit little-endian Linux, and this is not one');
}

/** Pages of 64 KiB; what the modules are compiled for (asconfig.json). */
const PAGES = 20;
/** What the modules use themselves lies below; each has an area of its own (`memoryBase` in its asconfig.json). */
const MODULES_END = 64 * 1024;
const WORD = 2 ** 32;

const memmove: (to: Uint8Array, from: Uint8Array, length: number) => number = libc.func('memmove', 'uintptr_t', [
  'void *',
  'void *',
  'size_t',
]);

/**
 * Numbers beyond 2^31, as system calls take them: V8 makes an object of each one for each call, unless it has it from an
 * array that holds not only numbers.
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
  /** The kernel's address of offset 0; memmove returns its first argument. */
  readonly address = memmove(this.octets, this.octets, 0);
  readonly #low = this.address % WORD;
  readonly #high = Math.floor(this.address / WORD);
  #free = MODULES_END;

  /** An instance of a module that imports this memory as env.memory. Throws when its data lie outside of the modules' area. */
  instantiate(module: WebAssembly.Module): Record<string, unknown> {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.wasm } });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every module of ours exports it
    const end = (exports['heapBase'] as () => number)();
    if (end > MODULES_END)
      throw new Error(`a module's data end at ${end}, behind the ${MODULES_END} octets for modules`);
    return exports;
  }

  /** Offset of `length` octets that nobody else has; they stay taken. Throws when the memory is full. */
  take(length: number): number {
    const at = aligned(this.#free);
    if (at + length > this.octets.length) throw new Error(`the shared memory has no ${length} octets left`);
    this.#free = at + length;
    return at;
  }

  /** Writes the kernel's address of `offset` at offset `to`. */
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
