/**
 * Challenges for logins. The monitor draws them, so that a worker that was taken over cannot replay a login that it has
 * seen: each is good for one login of one session, by one method, for a while. Pure, but for the randomness.
 */
import { randomBytes } from 'node:crypto';
import type { ChapMethod, LoginMethod } from './protocol.js';

/** Longer than a client is waited for: 30 s for its first response, 60 s after a wrong password. */
const LIFE_MS = 120_000;
/** Octets (RFC 2759 §3, RFC 2433 §4; RFC 1994 §4.1 leaves it open). */
const LENGTHS: Readonly<Record<ChapMethod, number>> = { 'ms-chap-v2': 16, 'ms-chap': 8, 'chap-md5': 16 };

export interface Challenge {
  readonly method: ChapMethod;
  /** Hexadecimal. */
  readonly octets: string;
  /** On the clock of `monotonicMs`, which a restarted monitor shares. */
  readonly expires: number;
}

export const drawChallenge = (method: ChapMethod, now: number): Challenge => ({
  method,
  octets: randomBytes(LENGTHS[method]).toString('hex'),
  expires: now + LIFE_MS,
});

/** Whether a login responds to `drawn`, or needs no challenge. */
export function isChallenged(
  login: { readonly method: LoginMethod; readonly challenge: string },
  drawn: Challenge | null,
  now: number,
): boolean {
  if (login.method === 'pap') return true;
  return drawn !== null && drawn.method === login.method && drawn.octets === login.challenge && now < drawn.expires;
}
