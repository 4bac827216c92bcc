/**
 * Splits the stream of a control connection into messages, however TCP has segmented it. After draining, at most the
 * octets of one incomplete message are kept; a message of an unknown type is skipped without being stored.
 */
import { type Decoded, decode } from './codec.js';
import { MAX_KNOWN_LENGTH } from './constants.js';
import { inspectHeader } from './header.js';

/** A message, or an error in its place. Nothing follows a `fatal` error. */
export type FramerItem = Decoded;

/** Push a chunk, then drain it with `for (const item of framer)`, or with `next()` until it returns null. */
export class Framer {
  readonly #chunks: Uint8Array[] = [];
  readonly #message = Buffer.alloc(MAX_KNOWN_LENGTH);
  /** Octets of the current message received so far. */
  #held = 0;
  /** Octets still to skip of a message of an unknown type. */
  #toSkip = 0;
  /** A fatal error occurred; everything after it is ignored. */
  #failed = false;

  /**
   * Adds the next bytes of the stream. They are read while draining and must not change before that. Drain after each
   * push, or chunks accumulate.
   */
  push(chunk: Uint8Array): void {
    if (!this.#failed && chunk.length > 0) this.#chunks.push(chunk);
  }

  /** The next message or error; null when more bytes are needed. */
  next(): FramerItem | null {
    while (!this.#failed) {
      if (!this.#skip()) return null;
      const header = inspectHeader(this.#message.subarray(0, this.#held));
      switch (header.kind) {
        case 'incomplete':
          if (!this.#hold(header.needs)) return null;
          break;
        case 'known':
          if (!this.#hold(header.length)) return null;
          this.#held = 0;
          return decode(this.#message.subarray(0, header.length));
        case 'unknown':
          this.#toSkip = header.length - this.#held;
          this.#held = 0;
          return { ok: false, error: header.error };
        case 'broken':
          this.#failed = true;
          this.#chunks.length = 0;
          return { ok: false, error: header.error };
      }
    }
    return null;
  }

  *[Symbol.iterator](): Generator<FramerItem, void, undefined> {
    for (let item = this.next(); item !== null; item = this.next()) yield item;
  }

  /** Collects `count` octets of the message; false if they have not all arrived. */
  #hold(count: number): boolean {
    while (this.#held < count) {
      const part = this.#take(count - this.#held);
      if (part === null) return false;
      this.#message.set(part, this.#held);
      this.#held += part.length;
    }
    return true;
  }

  /** Skips the rest of a message of an unknown type; false if it has not all arrived. */
  #skip(): boolean {
    while (this.#toSkip > 0) {
      const part = this.#take(this.#toSkip);
      if (part === null) return false;
      this.#toSkip -= part.length;
    }
    return true;
  }

  /** Takes up to `count` octets of the first chunk; null if there is none. */
  #take(count: number): Uint8Array | null {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return null;
    if (chunk.length <= count) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    return chunk.subarray(0, count);
  }
}
