/** MPPE's start keys from a login by MS-CHAP (RFC 3079 §2 and §3). RADIUS calls them MS-MPPE-Send-Key and -Recv-Key. */
import { createHash } from 'node:crypto';
import { ntHashHash } from './password-hash.js';

export interface StartKeys {
  /** 16 octets: for what the server sends. */
  readonly send: Uint8Array;
  /** 16 octets: for what the server receives. */
  readonly receive: Uint8Array;
  /**
   * 8 octets: for both directions with 40 or 56 bits, where MS-CHAPv1 takes another key than with 128. null: the first
   * 8 octets of `send` and `receive`.
   */
  readonly weak: Uint8Array | null;
}

/** Octets of a key of 128 bits, and of the weaker ones. */
export const STRONG_KEY = 16;
export const WEAK_KEY = 8;

/** RFC 3079 §3.4. */
const MAGIC = {
  master: 'This is the MPPE Master Key',
  clientToServer: 'On the client side, this is the send key; on the server side, it is the receive key.',
  serverToClient: 'On the client side, this is the receive key; on the server side, it is the send key.',
};
const PAD_1 = new Uint8Array(40);
const PAD_2 = new Uint8Array(40).fill(0xf2);

/** RFC 3079 §3: of the server. `ntResponse` is the client's 24 octets. */
export function startKeysV2(hash: Uint8Array, ntResponse: Uint8Array): StartKeys {
  const master = sha1(ntHashHash(hash), ntResponse, MAGIC.master).subarray(0, STRONG_KEY);
  const start = (magic: string): Uint8Array => sha1(master, PAD_1, magic, PAD_2).subarray(0, STRONG_KEY);
  return { send: start(MAGIC.serverToClient), receive: start(MAGIC.clientToServer), weak: null };
}

/** RFC 3079 §2: the same key in both directions; the weaker ones come from the LAN Manager hash. */
export function startKeysV1(hash: Uint8Array, lanManagerHash: Uint8Array | null, challenge: Uint8Array): StartKeys {
  return startKeysOfHashes(ntHashHash(hash), lanManagerHash, challenge);
}

/** The same from the hash of the hash, which is all that a RADIUS server tells (RFC 2548 §2.4.1). */
export function startKeysOfHashes(
  hashHash: Uint8Array,
  lanManagerHash: Uint8Array | null,
  challenge: Uint8Array,
): StartKeys {
  const key = sha1(hashHash, hashHash, challenge).subarray(0, STRONG_KEY);
  return { send: key, receive: key, weak: lanManagerHash?.subarray(0, WEAK_KEY) ?? null };
}

export function sha1(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
