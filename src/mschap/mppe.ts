/**
 * MPPE (RFC 3078) in the shared memory: encrypts and decrypts packets where they lie. The interface to wasm/mppe.ts, in
 * octets and offsets. Nothing is allocated per packet.
 */
import type { SharedMemory } from '../sys/shared-memory.js';
import { wasmModule } from '../sys/wasm-module.js';
import { STRONG_KEY, type StartKeys, WEAK_KEY } from './start-keys.js';

/** What wasm/mppe.ts exports. */
interface MppeExports {
  directionLength(): number;
  start(direction: number, key: number, keyLength: number, weakenedOctets: number, stateless: number): void;
  stop(direction: number): void;
  flushNext(direction: number): void;
  encrypt(direction: number, at: number, length: number): number;
  decrypt(direction: number, at: number, length: number): number;
}

/** Octets that encryption adds before the PPP frame: bits and coherency count (RFC 3078 §3.1). */
export const MPPE_HEADER = 2;

export type MppeBits = 40 | 56 | 128;

/** What was agreed by CCP. */
export interface MppeMode {
  readonly bits: MppeBits;
  /** A new key for every packet; otherwise for every 256th, and a lost packet costs all until the peer has flushed. */
  readonly stateless: boolean;
}

/** What `decrypt` returns for a packet that it cannot decrypt, which is to be dropped. */
export const UNDECRYPTED = {
  /** The packet was sent before one that has been decrypted, or its key cannot be found after a long loss. */
  late: -1,
  /** Packets before it were lost: the peer has to flush. Ask it to by a CCP Reset-Request. */
  outOfSync: -2,
  /** Too short, not encrypted, compressed, without FLUSHED where stateless; or there are no keys. */
  invalid: -3,
  /** As `invalid`, and there were so many that the link is to be ended, as ppp_mppe of Linux does. */
  fatal: -4,
} as const;

/** How many octets of the session key are constant. */
const WEAKENED_OCTETS: Readonly<Record<MppeBits, number>> = { 40: 3, 56: 1, 128: 0 };

/** Both directions of a server's link. Without keys it encrypts and decrypts nothing. */
export class Mppe {
  readonly #octets: Uint8Array;
  readonly #exports: MppeExports;
  readonly #key: number;
  readonly #sending: number;
  readonly #receiving: number;

  /** Takes about 1 KiB of the memory for good. Throws when the build did not include the module. */
  constructor(memory: SharedMemory) {
    this.#octets = memory.octets;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- wasm/mppe.ts is built together with this file
    this.#exports = memory.instantiate(wasmModule('mppe')) as unknown as MppeExports;
    this.#key = memory.take(STRONG_KEY);
    this.#sending = memory.take(this.#exports.directionLength());
    this.#receiving = memory.take(this.#exports.directionLength());
  }

  /** Restarts both directions with their first packet, because CCP has opened (again). Their modes may differ. */
  start(keys: StartKeys, sending: MppeMode, receiving = sending): void {
    this.#start(this.#sending, keys.send, keys.weak, sending);
    this.#start(this.#receiving, keys.receive, keys.weak, receiving);
  }

  /** Forgets the keys. */
  stop(): void {
    this.#exports.stop(this.#sending);
    this.#exports.stop(this.#receiving);
  }

  /**
   * Encrypts `length` octets at `at`, a PPP frame from its protocol field (0x0021 to 0x00fa; all others are sent as they
   * are). The packet begins MPPE_HEADER octets before `at`, where its header is written; to be put before it is the
   * protocol field 0x00fd. Returns the packet's length, or 0 without keys: there is nothing to send then.
   */
  encrypt(at: number, length: number): number {
    return this.#exports.encrypt(this.#sending, at, length);
  }

  /**
   * Decrypts a packet of `length` octets at `at`, from what follows its protocol field 0x00fd. Returns the length of the
   * PPP frame, whose protocol field is MPPE_HEADER octets after `at` and may be compressed; or one of UNDECRYPTED.
   */
  decrypt(at: number, length: number): number {
    return this.#exports.decrypt(this.#receiving, at, length);
  }

  /**
   * The peer has asked by a CCP Reset-Request: makes the next packet one that it can decrypt whatever it has lost. Linux
   * decrypts nothing before it gets the Reset-Ack, so send that first. Without effect where stateless, since there every
   * packet is of that kind.
   */
  flushNext(): void {
    this.#exports.flushNext(this.#sending);
  }

  #start(direction: number, key: Uint8Array, weak: Uint8Array | null, { bits, stateless }: MppeMode): void {
    const length = bits === 128 ? STRONG_KEY : WEAK_KEY;
    const startKey = (bits === 128 ? key : (weak ?? key)).subarray(0, length);
    if (startKey.length !== length)
      throw new RangeError(`MPPE needs a start key of ${length} octets, not ${key.length}`);
    this.#octets.set(startKey, this.#key);
    this.#exports.start(direction, this.#key, length, WEAKENED_OCTETS[bits], Number(stateless));
    this.#octets.fill(0, this.#key, this.#key + length);
  }
}
