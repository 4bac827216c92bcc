/** MS-CHAPv2 (RFC 2759): what a server checks in a response and answers to it, and what a client calculates. */
import { timingSafeEqual } from 'node:crypto';
import { challengeResponse } from './des.js';
import { ntHashHash } from './password-hash.js';
import { type StartKeys, sha1, startKeysV2 } from './start-keys.js';

/** Octets of the server's challenge. */
export const CHALLENGE_V2 = 16;
/** Octets of a response's value: the client's challenge, 8 reserved, the NT-Response, flags (RFC 2759 §4). */
export const RESPONSE_V2 = 49;
const NT_RESPONSE_AT = 24;
const NT_RESPONSE = 24;

/** RFC 2759 §8.7. */
const MAGIC_1 = 'Magic server to client signing constant';
const MAGIC_2 = 'Pad to make it do more than one iteration';
const BACKSLASH = 0x5c;

export interface LoginV2 {
  readonly ntHash: Uint8Array;
  /** As the client sent it. Only what follows the domain (`DOMAIN\user`) is hashed (RFC 2759 §8.2). */
  readonly name: Uint8Array;
  /** The server's, CHALLENGE_V2 octets. */
  readonly challenge: Uint8Array;
  readonly response: Uint8Array;
}

/** `authenticatorResponse` is the text `S=` and 40 hexadecimal digits, which proves to the client that the server knows the password. */
export interface AcceptedV2 {
  readonly authenticatorResponse: string;
  readonly keys: StartKeys;
}

/** null when the response is not that of the password, or malformed. */
export function verifyMsChapV2({ ntHash, name, challenge, response }: LoginV2): AcceptedV2 | null {
  if (response.length !== RESPONSE_V2 || challenge.length !== CHALLENGE_V2) return null;
  const clientChallenge = response.subarray(0, CHALLENGE_V2);
  const ntResponse = response.subarray(NT_RESPONSE_AT, NT_RESPONSE_AT + NT_RESPONSE);
  const hashed = challengeHash(clientChallenge, challenge, name);
  if (!timingSafeEqual(challengeResponse(hashed, ntHash), ntResponse)) return null;
  return {
    authenticatorResponse: authenticatorResponse(ntHash, ntResponse, hashed),
    keys: startKeysV2(ntHash, ntResponse),
  };
}

/** What a client sends: the value of its response, RESPONSE_V2 octets. */
export function responseV2({
  ntHash,
  name,
  challenge,
  clientChallenge,
}: Omit<LoginV2, 'response'> & { readonly clientChallenge: Uint8Array }): Uint8Array {
  const response = new Uint8Array(RESPONSE_V2);
  response.set(clientChallenge);
  response.set(challengeResponse(challengeHash(clientChallenge, challenge, name), ntHash), NT_RESPONSE_AT);
  return response;
}

/** RFC 2759 §8.2: 8 octets. */
export function challengeHash(clientChallenge: Uint8Array, challenge: Uint8Array, name: Uint8Array): Uint8Array {
  return sha1(clientChallenge, challenge, withoutDomain(name)).subarray(0, 8);
}

/** The name after the last backslash. */
export const withoutDomain = (name: Uint8Array): Uint8Array => name.subarray(name.lastIndexOf(BACKSLASH) + 1);

/** RFC 2759 §8.7. */
function authenticatorResponse(ntHash: Uint8Array, ntResponse: Uint8Array, hashed: Uint8Array): string {
  const digest = sha1(sha1(ntHashHash(ntHash), ntResponse, MAGIC_1), hashed, MAGIC_2);
  return `S=${Buffer.from(digest).toString('hex').toUpperCase()}`;
}
