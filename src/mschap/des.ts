/** Single DES as MS-CHAP uses it: keys of 7 octets, one block, and three blocks for a challenge (RFC 2433 §A.5, RFC 2759 §8.5). */
import { createCipheriv } from 'node:crypto';

const KEY = 7;
const BLOCK = 8;

/** Encrypts a block of 8 octets with the 56 bits of `key`. */
export function desEncrypt(block: Uint8Array, key: Uint8Array): Uint8Array {
  const expanded = withParityBits(key);
  // OpenSSL 3 has no single DES by default; triple DES with one key three times is the same.
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([expanded, expanded, expanded]), null);
  return cipher.setAutoPadding(false).update(block);
}

/** The 24 octets that answer an 8-octet challenge: it is encrypted with each third of the 16-octet hash and zeros. */
export function challengeResponse(challenge: Uint8Array, hash: Uint8Array): Uint8Array {
  const keys = new Uint8Array(3 * KEY);
  keys.set(hash);
  const response = new Uint8Array(3 * BLOCK);
  for (let third = 0; third < 3; third += 1) {
    response.set(desEncrypt(challenge, keys.subarray(third * KEY, (third + 1) * KEY)), third * BLOCK);
  }
  return response;
}

/** Spreads 56 bits over 8 octets, whose lowest bits are for parity. DES ignores them. */
function withParityBits(key: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: BLOCK }, (_, index) => {
    const high = key[index - 1] ?? 0;
    const low = key[index] ?? 0;
    return ((high << (8 - index)) | (low >> index)) & 0xfe;
  });
}
