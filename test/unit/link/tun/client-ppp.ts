/** The client's PPP: IP packets to data frames, encrypted in a memory of its own. */
import { MPPE_HEADER, Mppe } from '../../../../src/mschap/mppe.js';
import type { StartKeys } from '../../../../src/mschap/start-keys.js';
import { SharedMemory } from '../../../../src/sys/shared-memory.js';

export type Mode = 'none' | 'stateless' | 'stateful';

const LONGEST = 2000;
/** The server's. */
export const KEYS: StartKeys = {
  send: new Uint8Array(16).fill(1),
  receive: new Uint8Array(16).fill(2),
  weak: null,
};

export class ClientPpp {
  readonly #memory = new SharedMemory();
  readonly #mppe = new Mppe(this.#memory);
  readonly #at = this.#memory.take(MPPE_HEADER + LONGEST) + MPPE_HEADER;
  #mode: Mode = 'none';

  start(mode: Mode): void {
    this.#mode = mode;
    const keys = { send: KEYS.receive, receive: KEYS.send, weak: null };
    this.#mppe.start(keys, { bits: 128, stateless: mode === 'stateless' });
  }

  /** The server has asked for a reset. */
  reset(): void {
    this.#mppe.flushNext();
  }

  frame(packet: Buffer): Buffer {
    const plain = Buffer.concat([Uint8Array.of(0, (packet[0] ?? 0) >> 4 === 4 ? 0x21 : 0x57), packet]);
    if (this.#mode === 'none') return plain;
    this.#memory.octets.set(plain, this.#at);
    const length = this.#mppe.encrypt(this.#at, plain.length);
    const from = this.#at - MPPE_HEADER;
    return Buffer.concat([Uint8Array.of(0xff, 3, 0, 0xfd), this.#memory.octets.subarray(from, from + length)]);
  }
}
