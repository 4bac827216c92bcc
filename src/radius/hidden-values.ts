/** Values that RADIUS hides by MD5 with the shared secret: passwords (RFC 2865 §5.2) and MPPE keys (RFC 2548 §2.4). Pure. */
import { createHash } from 'node:crypto';

const BLOCK = 16;
/** RFC 2865 §5.2. */
export const MAX_PASSWORD = 128;
const SALT = 2;
/** The first bit of a salt is set (RFC 2548 §2.4.2). */
const SALT_MARK = 0x80;

interface Hiding {
  readonly secret: Uint8Array;
  /** The request's authenticator. */
  readonly authenticator: Uint8Array;
  readonly salt?: Uint8Array;
}

/** The octets, a multiple of 16, hidden or shown again: the chain of MD5 runs over what is hidden. */
function xorChain(
  value: Uint8Array,
  isHidden: boolean,
  { secret, authenticator, salt = new Uint8Array(0) }: Hiding,
): Uint8Array {
  const result = new Uint8Array(value.length);
  let previous = Buffer.concat([authenticator, salt]);
  for (let at = 0; at < value.length; at += BLOCK) {
    const mask = createHash('md5').update(secret).update(previous).digest();
    for (let each = at; each < at + BLOCK; each += 1) result[each] = (value[each] ?? 0) ^ (mask[each - at] ?? 0);
    previous = Buffer.from((isHidden ? value : result).subarray(at, at + BLOCK));
  }
  return result;
}

const padded = (value: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(Math.max(1, Math.ceil(value.length / BLOCK)) * BLOCK);
  whole.set(value);
  return whole;
};

/** User-Password, at most MAX_PASSWORD octets. */
export const hidePassword = (password: Uint8Array, hiding: Hiding): Uint8Array =>
  xorChain(padded(password), false, hiding);

/** MS-MPPE-Send-Key and MS-MPPE-Recv-Key: the salt, then the key behind its length. For tests. */
export function hideKey(key: Uint8Array, hiding: Hiding & { readonly salt: Uint8Array }): Uint8Array {
  const marked = Uint8Array.of((hiding.salt[0] ?? 0) | SALT_MARK, hiding.salt[1] ?? 0);
  const plain = padded(Uint8Array.of(key.length, ...key));
  return Buffer.concat([marked, xorChain(plain, false, { ...hiding, salt: marked })]);
}

/** The key in MS-MPPE-Send-Key or MS-MPPE-Recv-Key; null when it is none of `length` octets. */
export function showKey(value: Uint8Array, length: number, hiding: Hiding): Uint8Array | null {
  const hidden = value.subarray(SALT);
  if (hidden.length === 0 || hidden.length % BLOCK !== 0) return null;
  const plain = xorChain(hidden, true, { ...hiding, salt: value.subarray(0, SALT) });
  return plain[0] === length && length < plain.length ? plain.slice(1, 1 + length) : null;
}

/** MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1): hidden as a password; null when it has another length. */
export function showChapKeys(
  value: Uint8Array,
  hiding: Hiding,
): { readonly lm: Uint8Array; readonly nt: Uint8Array } | null {
  if (value.length !== 2 * BLOCK) return null;
  const plain = xorChain(value, true, hiding);
  return { lm: plain.slice(0, 8), nt: plain.slice(8, 24) };
}
