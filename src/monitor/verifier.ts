/** Proves a login against the secret: the seam to src/mschap. */
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

/** MPPE's start keys, octets; `weak` is null where 40 and 56 bits take theirs from the others. */
export interface StartKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  readonly weak: Uint8Array | null;
}

/** What follows from a right login. */
export interface Proof {
  /** `S=` and 40 hexadecimal digits; null but for MS-CHAPv2. */
  readonly authenticatorResponse: string | null;
  readonly keys: StartKeys | null;
}

/** Compares in constant time, never throws; null when the secret is another one. */
export type Verifier = (login: Login, secret: string) => Proof | null;
