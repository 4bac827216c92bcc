/** The codes in control messages, by name. The names are RFC 2637's terms, from which the log's words are derived. */
import type { MessageType } from './messages.js';

type Codes = Readonly<Record<string, number>>;

/** Result codes, by the message that carries them. */
export const RESULT = {
  /** §2.2 */
  StartControlConnectionReply: {
    established: 1,
    generalError: 2,
    alreadyExists: 3,
    notAuthorized: 4,
    versionNotSupported: 5,
  },
  /** §2.4 */
  StopControlConnectionReply: { closed: 1, generalError: 2 },
  /** §2.6 */
  EchoReply: { valid: 1, generalError: 2 },
  /** §2.8 */
  OutgoingCallReply: {
    connected: 1,
    generalError: 2,
    noCarrier: 3,
    busy: 4,
    noDialTone: 5,
    timedOut: 6,
    doNotAccept: 7,
  },
  /** §2.10 */
  IncomingCallReply: { connect: 1, generalError: 2, doNotAccept: 3 },
  /** §2.13 */
  CallDisconnectNotify: { lostCarrier: 1, generalError: 2, administrativeShutdown: 3, requested: 4 },
} as const satisfies { readonly [Type in MessageType]?: Codes };

/** General error codes (§2.16). One other than `none` occurs only with the result `generalError`. */
export const GENERAL_ERROR = {
  none: 0,
  notConnected: 1,
  badFormat: 2,
  badValue: 3,
  noResource: 4,
  badCallId: 5,
  pacError: 6,
} as const satisfies Codes;

/** Reasons of a Stop-Control-Connection-Request (§2.3). */
export const STOP_REASON = { none: 1, protocolNotSupported: 2, localShutdown: 3 } as const satisfies Codes;

const RESULT_OF_TYPE: { readonly [Type in MessageType]?: Codes } = RESULT;

/** A result code in words, such as 'no carrier'; 'unknown' if the RFC does not define it. */
export const describeResult = (type: MessageType, code: number): string => wordsOf(RESULT_OF_TYPE[type] ?? {}, code);

/** A general error code in words. */
export const describeError = (code: number): string => wordsOf(GENERAL_ERROR, code);

/** The reason of a Stop-Control-Connection-Request in words. */
export const describeStopReason = (code: number): string => wordsOf(STOP_REASON, code);

function wordsOf(codes: Codes, wanted: number): string {
  const found = Object.entries(codes).find(([, code]) => code === wanted);
  return found === undefined ? 'unknown' : found[0].replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
