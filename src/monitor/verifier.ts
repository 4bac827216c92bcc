/** Proves a login against the secret, by src/mschap: one function for each method. All compare in constant time. */
import { timingSafeEqual } from 'node:crypto';
import { samePassword, verifyChapMd5 } from '../mschap/chap-md5.js';
import { verifyMsChapV1 } from '../mschap/ms-chap-v1.js';
import { verifyMsChapV2 } from '../mschap/ms-chap-v2.js';
import { lmHash, ntHash } from '../mschap/password-hash.js';
import type { StartKeys } from '../mschap/start-keys.js';
import type { LoginMethod } from './protocol.js';

/** As the client sent it. */
export interface Login {
  readonly method: LoginMethod;
  /** With its `DOMAIN\`. */
  readonly name: Uint8Array;
  /** Empty for PAP. */
  readonly challenge: Uint8Array;
  /** PAP's password. */
  readonly response: Uint8Array;
  /** CHAP's identifier. */
  readonly identifier: number;
}

/** What follows from a right login. */
export interface Proof {
  /** `S=` and 40 hexadecimal digits; null but for MS-CHAPv2. */
  readonly authenticatorResponse: string | null;
  /** null where MPPE gets no keys. */
  readonly keys: StartKeys | null;
}

/** What the account has of its password. */
export type Secret =
  | { readonly password: string }
  /** CHAP-MD5 cannot be judged by it, and MS-CHAP's keys of 40 and 56 bits are those of pppd (verifyMsChapV1). */
  | { readonly ntHash: Uint8Array };

/** null when the secret is another one, or does not suffice for the method. */
type Verifier = (login: Login, secret: Secret) => Proof | null;

const WITHOUT_KEYS: Proof = { authenticatorResponse: null, keys: null };

const hashOf = (secret: Secret): Uint8Array => ('ntHash' in secret ? secret.ntHash : ntHash(secret.password));

const VERIFIERS: Readonly<Record<LoginMethod, Verifier>> = {
  'ms-chap-v2': (login, secret) => verifyMsChapV2({ ...login, ntHash: hashOf(secret) }),
  'ms-chap': (login, secret) => {
    const lm = 'ntHash' in secret ? null : lmHash(secret.password);
    const keys = verifyMsChapV1({ ...login, ntHash: hashOf(secret), lmHash: lm });
    return keys === null ? null : { authenticatorResponse: null, keys };
  },
  'chap-md5': (login, secret) =>
    'password' in secret && verifyChapMd5({ ...login, secret: Buffer.from(secret.password) }) ? WITHOUT_KEYS : null,
  pap: ({ response }, secret) => {
    const isRight =
      'ntHash' in secret
        ? timingSafeEqual(ntHash(Buffer.from(response).toString()), secret.ntHash)
        : samePassword(Buffer.from(secret.password), response);
    return isRight ? WITHOUT_KEYS : null;
  },
};

/** Whether this login can be judged by what the account has: CHAP-MD5 needs the password itself. */
export const suffices = (secret: Secret, { method }: Login): boolean => method !== 'chap-md5' || 'password' in secret;

/** Never throws. */
export const verify: Verifier = (login, secret) => VERIFIERS[login.method](login, secret);
