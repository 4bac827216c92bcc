/** The packets that were wrong: how many, and the first few as they came, so that a report of one can be explained. */

const MAX_EXAMPLES = 4;
/** Octets of an example from its beginning, and around the first octet that differs. */
const SHOWN = 64;

export class WrongPackets {
  count = 0;
  /** Each: what is wrong, then the packet's octets in hex. */
  readonly examples: string[] = [];
  readonly #octets: Buffer;

  constructor(octets: Uint8Array) {
    this.#octets = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  }

  /** Counts the packet of `length` octets at `at`; `differs`: the offset of the first octet that is not as it was sent. */
  add(reason: string, at: number, length: number, differs?: number): void {
    this.count += 1;
    if (this.examples.length === MAX_EXAMPLES) return;
    const end = at + length;
    const begin = `${length} octets: ${this.#hex(at, Math.min(end, at + SHOWN))}`;
    if (differs === undefined) this.examples.push(`${reason}; ${begin}`);
    else {
      const around = this.#hex(Math.max(at, differs - SHOWN / 2), Math.min(end, differs + SHOWN / 2));
      this.examples.push(`${reason} from octet ${differs - at} on; ${begin} … ${around}`);
    }
  }

  #hex(from: number, to: number): string {
    return this.#octets.toString('hex', from, Math.max(from, to));
  }
}
