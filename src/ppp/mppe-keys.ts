/**
 * Whether both ends of an encrypted link have the same MPPE keys. MPPE itself does not check (RFC 3078 §4): a packet that
 * is decrypted with a wrong key becomes a packet of a random protocol, and its receiver rejects one such protocol after
 * the other (RFC 1661 §5.7). With the right keys a peer may reject one or two data protocols, IPv6 say.
 */
import type { Side } from './state.js';

/** So many different protocols for data, rejected by one side, are no protocols. */
const PROTOCOLS_SUSPECT = 4;

/** RFC 1661 §2: protocol numbers are odd, and those from here on carry no data. MPPE encrypts data alone (RFC 3078 §3). */
const FIRST_CONTROL_PROTOCOL = 0x8000;
const canBeSentInTheClear = (number: number): boolean => number >= FIRST_CONTROL_PROTOCOL && (number & 1) === 1;

export class MppeKeys {
  readonly #rejected: Readonly<Record<Side, Set<number>>> = { client: new Set(), server: new Set() };
  #told = false;

  /** `by` has rejected a protocol on a link that is encrypted to it; true once, when its key must be another. */
  rejected(by: Side, number: number): boolean {
    if (this.#told || canBeSentInTheClear(number)) return false;
    this.#rejected[by].add(number);
    this.#told = this.#rejected[by].size >= PROTOCOLS_SUSPECT;
    return this.#told;
  }
}
