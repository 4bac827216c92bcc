/**
 * Detects that the two ends of an encrypted link have different MPPE keys. MPPE itself does not check them (RFC 3078 §4): a
 * packet that is decrypted with a wrong key becomes a packet of a random protocol, and the receiver rejects one such protocol
 * after the other (RFC 1661 §5.7). With the right keys a peer rejects only one or two data protocols, such as IPv6.
 */
import type { Side } from './state.js';

/** If one side rejects this many different data protocols, its key is wrong. */
const PROTOCOLS_SUSPECT = 4;

/** RFC 1661 §2: protocol numbers are odd, and those from here on carry no data. MPPE encrypts only data (RFC 3078 §3). */
const FIRST_CONTROL_PROTOCOL = 0x8000;
const canBeSentInTheClear = (number: number): boolean => number >= FIRST_CONTROL_PROTOCOL && (number & 1) === 1;

export class MppeKeys {
  readonly #rejected: Readonly<Record<Side, Set<number>>> = { client: new Set(), server: new Set() };
  #reported = false;

  /** `by` rejected a protocol on a link that is encrypted to it. Returns true once, when its key must be wrong. */
  rejected(by: Side, number: number): boolean {
    if (this.#reported || canBeSentInTheClear(number)) return false;
    this.#rejected[by].add(number);
    this.#reported = this.#rejected[by].size >= PROTOCOLS_SUSPECT;
    return this.#reported;
  }
}
