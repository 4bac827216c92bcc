/**
 * The stream of a control connection cut into messages, however TCP has split or joined them. One message's octets are
 * all that it keeps of a chunk once it was drained; a message of an unknown type is skipped without being kept.
 */
import { type Decoded, decode } from './codec.js';
import { MAX_KNOWN_LENGTH } from './constants.js';
import { inspectHeader } from './header.js';

/** A message, or what is wrong in its place; after an error that is `fatal` there are no more. */
export type FramerItem = Decoded;

/** Push a chunk, then iterate to drain it: `for (const item of framer)`, or `next()` until null. */
export class Framer {
  readonly #chunks: Uint8Array[] = [];
  readonly #message = Buffer.alloc(MAX_KNOWN_LENGTH);
  /** Octets of the message that have come. */
  #held = 0;
  /** Octets of a message of an unknown type that are still to come. */
  #toSkip = 0;
  /** A fatal error was met: nothing that came after it is looked at. */
  #failed = false;

  /** Takes the next bytes of the stream. They are read while draining, and must stay as they are until then: push,
   * then drain, or chunks pile up. */
  push(chunk: Uint8Array): void {
    if (!this.#failed && chunk.length > 0) this.#chunks.push(chunk);
  }

  /** The next message or error among the bytes that have come; null when it takes more of them. */
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

  /** Has `count` octets of the message held, if they have come. */
  #hold(count: number): boolean {
    while (this.#held < count) {
      const part = this.#take(count - this.#held);
      if (part === null) return false;
      this.#message.set(part, this.#held);
      this.#held += part.length;
    }
    return true;
  }

  /** Leaves out the rest of a message of an unknown type, if it has come. */
  #skip(): boolean {
    while (this.#toSkip > 0) {
      const part = this.#take(this.#toSkip);
      if (part === null) return false;
      this.#toSkip -= part.length;
    }
    return true;
  }

  /** Up to `count` octets of the first chunk. */
  #take(count: number): Uint8Array | null {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return null;
    if (chunk.length <= count) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    return chunk.subarray(0, count);
  }
}
