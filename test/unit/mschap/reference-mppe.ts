/**
 * MPPE once more, written for reading and not for speed, to check the other against: packets by arrays, SHA-1 by OpenSSL, and
 * the end of a link as three systems have it.
 */
import { createHash } from 'node:crypto';
import type { MppeBits } from '../../../src/mschap/mppe.js';

export const FLUSHED = 0x8000;
export const ENCRYPTED = 0x1000;
export const COUNT = 0x0fff;
const isFlag = (count: number): boolean => (count & 0xff) === 0xff;

export class Rc4 {
  readonly #table = Array.from({ length: 256 }, (_, index) => index);
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    let j = 0;
    for (let i = 0; i < 256; i += 1) {
      j = (j + this.#at(i) + (key[i % key.length] ?? 0)) % 256;
      this.#swap(i, j);
    }
  }

  crypt(octets: Uint8Array): Uint8Array {
    return octets.map((octet) => {
      this.#i = (this.#i + 1) % 256;
      this.#j = (this.#j + this.#at(this.#i)) % 256;
      this.#swap(this.#i, this.#j);
      return octet ^ this.#at((this.#at(this.#i) + this.#at(this.#j)) % 256);
    });
  }

  #at(index: number): number {
    return this.#table[index] ?? 0;
  }

  #swap(i: number, j: number): void {
    const octet = this.#at(i);
    this.#table[i] = this.#at(j);
    this.#table[j] = octet;
  }
}

/** RFC 3078 §7.3, and RFC 3079 §3.1 to §3.3 for the first key. */
class SessionKey {
  readonly #start: Uint8Array;
  readonly #constant: readonly number[];
  #key: Uint8Array;

  constructor(start: Uint8Array, bits: MppeBits) {
    this.#start = start.slice(0, bits === 128 ? 16 : 8);
    this.#constant = { 40: [0xd1, 0x26, 0x9e], 56: [0xd1], 128: [] }[bits];
    this.#key = this.#start;
    this.#key = this.#hash();
    this.#key.set(this.#constant);
  }

  change(): void {
    const interim = this.#hash();
    this.#key = new Rc4(interim).crypt(interim);
    this.#key.set(this.#constant);
  }

  tables(): Rc4 {
    return new Rc4(this.#key);
  }

  #hash(): Uint8Array {
    const hash = createHash('sha1').update(this.#start).update(new Uint8Array(40));
    const digest = hash.update(this.#key).update(new Uint8Array(40).fill(0xf2)).digest();
    return Uint8Array.from(digest.subarray(0, this.#start.length));
  }
}

/** What differs between systems, where stateful. */
export type System = 'RFC 3078' | 'FreeBSD' | 'Linux';

export interface Options {
  readonly start: Uint8Array;
  readonly bits: MppeBits;
  readonly stateless: boolean;
  readonly system: System;
}

export class Sender {
  readonly #options: Options;
  readonly #key: SessionKey;
  #tables: Rc4;
  #count = 0;
  #flush = false;

  constructor(options: Options) {
    this.#options = options;
    this.#key = new SessionKey(options.start, options.bits);
    this.#tables = this.#key.tables();
  }

  /** As if so many packets had been sent, stateless. */
  skip(count: number): void {
    for (let packet = 0; packet < count; packet += 1) this.encrypt(new Uint8Array());
  }

  recvResetRequest(): void {
    this.#flush = true;
  }

  encrypt(frame: Uint8Array): Uint8Array {
    const { stateless, system } = this.#options;
    const count = this.#count;
    this.#count = (count + 1) & COUNT;
    const isNew = stateless || isFlag(count);
    if (isNew || (this.#flush && system === 'Linux')) this.#key.change();
    if (isNew || this.#flush) this.#tables = this.#key.tables();
    // FreeBSD does not mark the packet for which it changes the key.
    const flushed = stateless || this.#flush || (isNew && system !== 'FreeBSD');
    this.#flush = false;
    const header = count | ENCRYPTED | (flushed ? FLUSHED : 0);
    return Uint8Array.from([header >> 8, header & 0xff, ...this.#tables.crypt(frame)]);
  }
}

/** The receivers of pppd and of BSD: what is decrypted, or null when a Reset-Request is to be sent. */
export class Receiver {
  readonly #options: Options;
  readonly #key: SessionKey;
  #tables: Rc4;
  #expected = 0;
  #discarding = false;

  constructor(options: Options) {
    this.#options = options;
    this.#key = new SessionKey(options.start, options.bits);
    this.#tables = this.#key.tables();
  }

  decrypt(packet: Uint8Array): Uint8Array | null {
    const header = ((packet[0] ?? 0) << 8) | (packet[1] ?? 0);
    const count = header & COUNT;
    const flushed = (header & FLUSHED) !== 0;
    const { stateless, system } = this.#options;
    if (stateless) {
      for (;;) {
        this.#key.change();
        const reached = this.#expected === count;
        this.#expected = (this.#expected + 1) & COUNT;
        if (reached) break;
      }
      this.#tables = this.#key.tables();
      return this.#tables.crypt(packet.subarray(2));
    }
    // Linux believes a packet with FLUSHED only after a loss, BSD always.
    if (count !== this.#expected) {
      if (!flushed || (system === 'Linux' && !this.#discarding)) {
        this.#discarding = true;
        return null;
      }
      for (; this.#expected !== count; this.#expected = (this.#expected + 1) & COUNT) {
        if (isFlag(this.#expected)) this.#key.change();
      }
    } else if (this.#discarding && !flushed) return null;
    this.#discarding = false;
    this.#expected = (count + 1) & COUNT;
    if (isFlag(count) || (flushed && system === 'Linux')) this.#key.change();
    if (isFlag(count) || flushed) this.#tables = this.#key.tables();
    return this.#tables.crypt(packet.subarray(2));
  }
}
