/**
 * MS-CHAP's failure message, `E=691 R=1 C=<challenge> V=3 M=<text>` (RFC 2433 §8, RFC 2759 §6). The challenge is left out: it
 * is not needed, and together with the response it would help to crack the password.
 */
import type { AuthenticationFailure } from './state.js';

/** RFC 2759 §6. */
const CAUSES: Readonly<Record<number, string>> = {
  646: 'login not allowed at this hour',
  647: 'account disabled',
  648: 'password expired',
  649: 'no permission to dial in',
  691: 'authentication failure: wrong user name or password',
  709: 'error changing the password',
};

/** null if `text` is not such a message. */
export function parseMsChapFailure(text: string): AuthenticationFailure | null {
  const code = /^\s*E=(\d{1,9})(?:\s|$)/.exec(text)?.[1];
  if (code === undefined) return null;
  return {
    code: Number(code),
    cause: CAUSES[Number(code)] ?? `MS-CHAP error ${code}`,
    message: /\sM=(.+)$/s.exec(text)?.[1] ?? null,
    retry: /\sR=1(?:\s|$)/.test(text),
  };
}
