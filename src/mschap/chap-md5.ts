/** CHAP with MD5 (RFC 1994), and PAP's comparison. Neither gives MPPE keys. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface LoginMd5 {
  /** Of the CHAP packet, 0 to 255. */
  readonly identifier: number;
  readonly secret: Uint8Array;
  readonly challenge: Uint8Array;
  /** 16 octets. */
  readonly response: Uint8Array;
}

/** RFC 1994 §4.1: 16 octets. */
export const responseMd5 = ({ identifier, secret, challenge }: Omit<LoginMd5, 'response'>): Uint8Array =>
  createHash('md5').update(Uint8Array.of(identifier)).update(secret).update(challenge).digest();

export function verifyChapMd5({ response, ...login }: LoginMd5): boolean {
  const expected = responseMd5(login);
  return response.length === expected.length && timingSafeEqual(expected, response);
}

/** Compares passwords in a time that tells neither what they have in common nor how long the right one is. */
export function samePassword(expected: Uint8Array, given: Uint8Array): boolean {
  const key = randomBytes(32);
  const digest = (password: Uint8Array): Buffer => createHmac('sha256', key).update(password).digest();
  return timingSafeEqual(digest(expected), digest(given));
}
