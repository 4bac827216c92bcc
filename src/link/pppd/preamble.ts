/**
 * Separates pppd's printed text, which is its error message, from the frames that follow. A frame begins with the flag
 * 0x7E, which is also the tilde, so a flag followed by a printable character is text. pppd's first frame is LCP, with
 * the address octet 0xFF after the flag.
 */

const FLAG = 0x7e;
const isPrintable = (octet: number): boolean => octet >= 0x20 && octet < 0x7d;
const isBlank = (octet: number): boolean => octet === 0x0a || octet === 0x0d || octet === 0x09;

export class Preamble {
  /** The last octet was a flag or a tilde. */
  #flagged = false;

  /**
   * Returns the text in the next chunk, and in `frameAt` the offset at which the first frame begins (after its flag),
   * or null if there is none yet.
   */
  take(chunk: Uint8Array): { readonly text: string; readonly frameAt: number | null } {
    let text = '';
    for (const [at, octet] of chunk.entries()) {
      if (this.#flagged && octet !== FLAG) {
        this.#flagged = false;
        if (!isPrintable(octet) && !isBlank(octet)) return { text, frameAt: at };
        text += '~';
      }
      if (octet === FLAG) this.#flagged = true;
      else text += String.fromCodePoint(octet);
    }
    return { text, frameAt: null };
  }
}
