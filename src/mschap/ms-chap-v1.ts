/** MS-CHAPv1 (RFC 2433), with the NT response only: a LAN Manager response is as good as no password. */
import { timingSafeEqual } from 'node:crypto';
import { challengeResponse } from './des.js';
import { type StartKeys, startKeysV1 } from './start-keys.js';

/** Octets of the server's challenge. */
export const CHALLENGE_V1 = 8;
/** Octets of a response's value: LAN Manager response, NT response, flags (RFC 2433 §3). */
export const RESPONSE_V1 = 49;
const NT_RESPONSE_AT = 24;
const FLAGS_AT = 48;
/** The client wants the NT response checked. */
const USE_NT_RESPONSE = 1;

export interface LoginV1 {
  readonly ntHash: Uint8Array;
  /** null where it is not known; keys of 40 and 56 bits are then those of pppd, from the NT hash. */
  readonly lmHash: Uint8Array | null;
  /** CHALLENGE_V1 octets. */
  readonly challenge: Uint8Array;
  readonly response: Uint8Array;
}

/** MPPE's keys; null when the response is not that of the password, malformed, or LAN Manager's. */
export function verifyMsChapV1({ ntHash, lmHash, challenge, response }: LoginV1): StartKeys | null {
  if (response.length !== RESPONSE_V1 || challenge.length !== CHALLENGE_V1) return null;
  if (response[FLAGS_AT] !== USE_NT_RESPONSE) return null;
  const ntResponse = response.subarray(NT_RESPONSE_AT, FLAGS_AT);
  if (!timingSafeEqual(challengeResponse(challenge, ntHash), ntResponse)) return null;
  return startKeysV1(ntHash, lmHash, challenge);
}

/** What a client sends: the value of its response, RESPONSE_V1 octets, without a LAN Manager response. */
export function responseV1(ntHash: Uint8Array, challenge: Uint8Array): Uint8Array {
  const response = new Uint8Array(RESPONSE_V1);
  response.set(challengeResponse(challenge, ntHash), NT_RESPONSE_AT);
  response[FLAGS_AT] = USE_NT_RESPONSE;
  return response;
}
