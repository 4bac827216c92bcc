/** Proves a login against the secret, by src/mschap: one function for each method. All compare in constant time. */
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

/** null when the secret is another one. */
type Verifier = (login: Login, secret: string) => Proof | null;

const WITHOUT_KEYS: Proof = { authenticatorResponse: null, keys: null };

const VERIFIERS: Readonly<Record<LoginMethod, Verifier>> = {
  'ms-chap-v2': (login, secret) => verifyMsChapV2({ ...login, ntHash: ntHash(secret) }),
  'ms-chap': (login, secret) => {
    const keys = verifyMsChapV1({ ...login, ntHash: ntHash(secret), lmHash: lmHash(secret) });
    return keys === null ? null : { authenticatorResponse: null, keys };
  },
  'chap-md5': (login, secret) => (verifyChapMd5({ ...login, secret: Buffer.from(secret) }) ? WITHOUT_KEYS : null),
  pap: ({ response }, secret) => (samePassword(Buffer.from(secret), response) ? WITHOUT_KEYS : null),
};

/** Never throws. */
export const verify: Verifier = (login, secret) => VERIFIERS[login.method](login, secret);
