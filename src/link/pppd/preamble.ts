/**
 * What comes out of a pty before pppd's first frame is pppd's own words: its error message. Frames begin with a flag,
 * 0x7E, which is also a tilde; one that a printable character follows is text. What pppd sends first is LCP, whose
 * address octet 0xFF follows the flag.
 */

const FLAG = 0x7e;
const isPrintable = (octet: number): boolean => octet >= 0x20 && octet < 0x7d;
const isBlank = (octet: number): boolean => octet === 0x0a || octet === 0x0d || octet === 0x09;

export class Preamble {
  /** The last chunk ended with a flag, or a tilde. */
  #flagged = false;

  /**
   * Takes the next chunk; returns its text, and in `frameAt` where in the chunk the first frame's octets begin (behind
   * the flag), or null while there is none.
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
