/**
 * The header that every control message begins with (RFC 2637 §1.4), and everything that can be wrong with it: the
 * manager, the decoder and the framer all judge a client's bytes by `inspectHeader` alone. It judges as soon as the
 * octets are there, so that a client that is no PPTP client is not waited for.
 */
import { CONTROL_MESSAGE, HEADER_LENGTH, MAGIC_COOKIE, MAX_KNOWN_LENGTH, MAX_UNKNOWN_LENGTH } from './constants.js';
import { LAYOUTS, TYPES_BY_CODE } from './layout.js';
import { MESSAGES, type MessageType } from './messages.js';

const LENGTH = 0;
const PPTP_MESSAGE_TYPE = 2;
const MAGIC = 4;
const CONTROL_MESSAGE_TYPE = 8;
/** Octets up to and with the magic cookie. */
const FIXED_PART = 8;

/**
 * What can be wrong with bytes from a peer, and whether it ends the connection: after a fatal error nothing is known of
 * where the next message begins, and it is not searched for (§1.4). The others are skipped.
 */
const FATAL = {
  /** The magic cookie is not there. */
  badMagic: true,
  /** The PPTP message type is not 1. */
  notControlMessage: true,
  /** Shorter than a message of this type, or absurdly long. */
  badLength: true,
  /** Fewer octets than the message has; only where exactly one message was asked for. */
  truncated: true,
  /** A sound message, but no Start-Control-Connection-Request where only that may be. */
  notStart: true,
  /** A sound header with a control message type that this version of the protocol does not have. */
  unknownType: false,
} as const satisfies Readonly<Record<string, boolean>>;

export type ProtocolErrorReason = keyof typeof FATAL;

export interface ProtocolError {
  readonly reason: ProtocolErrorReason;
  /** What was seen and what was expected, for the log; holds numbers of the peer, never its strings. */
  readonly detail: string;
  /** The connection has to be closed. */
  readonly fatal: boolean;
}

type Header =
  /** Nothing wrong so far; with `needs` octets in all there is more to say. */
  | { readonly kind: 'incomplete'; readonly needs: number }
  /** `length` is the whole message's, in octets: that of its type, or longer. */
  | { readonly kind: 'known'; readonly type: MessageType; readonly length: number }
  | { readonly kind: 'unknown'; readonly length: number; readonly error: ProtocolError }
  | { readonly kind: 'broken'; readonly error: ProtocolError };

/** Judges the header of the message that begins `bytes`; looks at 12 octets at most. Never throws. */
export function inspectHeader(bytes: Uint8Array): Header {
  if (bytes.length < FIXED_PART) return { kind: 'incomplete', needs: FIXED_PART };
  const header = asBuffer(bytes);
  const magic = header.readUInt32BE(MAGIC);
  if (magic !== MAGIC_COOKIE) return broken('badMagic', `magic cookie ${hex(magic)}, not ${hex(MAGIC_COOKIE)}`);
  const messageType = header.readUInt16BE(PPTP_MESSAGE_TYPE);
  if (messageType !== CONTROL_MESSAGE) {
    return broken('notControlMessage', `PPTP message type ${messageType}, not ${CONTROL_MESSAGE} (control message)`);
  }
  if (bytes.length < HEADER_LENGTH) return { kind: 'incomplete', needs: HEADER_LENGTH };
  const length = header.readUInt16BE(LENGTH);
  const code = header.readUInt16BE(CONTROL_MESSAGE_TYPE);
  const type = TYPES_BY_CODE.get(code);
  if (type !== undefined) {
    const own = LAYOUTS[type].length;
    if (length >= own && length <= MAX_KNOWN_LENGTH) return { kind: 'known', type, length };
    return broken('badLength', `${type} of ${length} octets, not ${own} to ${MAX_KNOWN_LENGTH}`);
  }
  if (length < HEADER_LENGTH || length > MAX_UNKNOWN_LENGTH) {
    return broken(
      'badLength',
      `unknown control message type ${code} of ${length} octets, not ${HEADER_LENGTH} to ${MAX_UNKNOWN_LENGTH}`,
    );
  }
  return { kind: 'unknown', length, error: protocolError('unknownType', `unknown control message type ${code}`) };
}

type Start =
  /** Nothing wrong so far, but no whole Start-Control-Connection-Request. */
  | { readonly kind: 'incomplete' }
  /** A whole one; more may be behind it. */
  | { readonly kind: 'start' }
  | { readonly kind: 'refused'; readonly error: ProtocolError };

/**
 * Whether a connection begins as one must, with a whole Start-Control-Connection-Request. What is wrong with its header is
 * told as soon as that is there; its fields are not judged.
 */
export function inspectStart(bytes: Uint8Array): Start {
  const header = inspectHeader(bytes);
  if (header.kind === 'incomplete') return { kind: 'incomplete' };
  if (header.kind === 'broken') return { kind: 'refused', error: header.error };
  if (header.kind === 'known' && header.type === 'StartControlConnectionRequest') {
    return { kind: bytes.length < header.length ? 'incomplete' : 'start' };
  }
  const what = header.kind === 'known' ? header.type : header.error.detail;
  return { kind: 'refused', error: protocolError('notStart', `${what} before the start`) };
}

/** Writes the header of a message of this type. */
export function writeHeader(bytes: Buffer, type: MessageType): void {
  bytes.writeUInt16BE(LAYOUTS[type].length, LENGTH);
  bytes.writeUInt16BE(CONTROL_MESSAGE, PPTP_MESSAGE_TYPE);
  bytes.writeUInt32BE(MAGIC_COOKIE, MAGIC);
  bytes.writeUInt16BE(MESSAGES[type].code, CONTROL_MESSAGE_TYPE);
}

export function protocolError(reason: ProtocolErrorReason, detail: string): ProtocolError {
  return { reason, detail, fatal: FATAL[reason] };
}

/** The same memory, with a Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function broken(reason: ProtocolErrorReason, detail: string): Header {
  return { kind: 'broken', error: protocolError(reason, detail) };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
