/** Proves a login against the secret. */
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
  readonly keys: StartKeys | null;
}

/** Compares in constant time, never throws; null when the secret is another one. */
export type Verifier = (login: Login, secret: string) => Proof | null;

const NO_KEYS: Proof = { authenticatorResponse: null, keys: null };

const VERIFIERS: { readonly [Method in LoginMethod]: Verifier } = {
  'ms-chap-v2': (login, secret) => verifyMsChapV2({ ...login, ntHash: ntHash(secret) }),
  'ms-chap': (login, secret) => {
    const keys = verifyMsChapV1({ ...login, ntHash: ntHash(secret), lmHash: lmHash(secret) });
    return keys && { authenticatorResponse: null, keys };
  },
  'chap-md5': (login, secret) => (verifyChapMd5({ ...login, secret: Buffer.from(secret) }) ? NO_KEYS : null),
  pap: ({ response }, secret) => (samePassword(Buffer.from(secret), response) ? NO_KEYS : null),
};

export const verifyLogin: Verifier = (login, secret) => VERIFIERS[login.method](login, secret);
