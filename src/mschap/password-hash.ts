/** The hashes of a password that MS-CHAP calculates with. Whoever has one can log in like the owner of the password. */
import { desEncrypt } from './des.js';
import { md4 } from './md4.js';

/** LAN Manager encrypts this block with each half of the password (RFC 2433 §A.3). */
const LM_BLOCK = Buffer.from('KGS!@#$%', 'latin1');
const LM_LONGEST = 14;

/** RFC 2759 §8.3: 16 octets, from the password in UTF-16. */
export const ntHash = (password: string): Uint8Array => md4(Buffer.from(password, 'utf16le'));

/** RFC 2759 §8.4. */
export const ntHashHash = (hash: Uint8Array): Uint8Array => md4(hash);

/**
 * RFC 2433 §A.2: 16 octets, from the password in upper case. Only MS-CHAPv1's keys of 40 and 56 bits need it. null when
 * the password is longer than LAN Manager's or not ASCII: Windows then has no such hash, or one of a code page unknown
 * here.
 */
export function lmHash(password: string): Uint8Array | null {
  if (password.length > LM_LONGEST || /[^ -~]/.test(password)) return null;
  const key = Buffer.alloc(LM_LONGEST);
  key.write(password.toUpperCase(), 'latin1');
  return Buffer.concat([desEncrypt(LM_BLOCK, key.subarray(0, 7)), desEncrypt(LM_BLOCK, key.subarray(7))]);
}
