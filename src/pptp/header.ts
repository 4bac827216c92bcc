/**
 * The header of every control message (RFC 2637 §1.4) and its possible errors. Manager, decoder and framer all check a
 * client's bytes with `inspectHeader`. It checks each field as soon as it has arrived, so that the server does not wait
 * for a client that does not speak PPTP.
 */
import { CONTROL_MESSAGE, HEADER_LENGTH, MAGIC_COOKIE, MAX_KNOWN_LENGTH, MAX_UNKNOWN_LENGTH } from './constants.js';
import { LAYOUTS, TYPES_BY_CODE } from './layout.js';
import { MESSAGES, type MessageType } from './messages.js';

const LENGTH = 0;
const PPTP_MESSAGE_TYPE = 2;
const MAGIC = 4;
const CONTROL_MESSAGE_TYPE = 8;
/** Octets up to the end of the magic cookie. */
const FIXED_PART = 8;

/**
 * Errors in received bytes, and whether they are fatal. After a fatal error the start of the next message is unknown,
 * so the connection is closed (§1.4). After other errors the message is skipped.
 */
const FATAL = {
  /** The magic cookie is wrong. */
  badMagic: true,
  /** The PPTP message type is not 1. */
  notControlMessage: true,
  /** Shorter than a message of this type, or too long. */
  badLength: true,
  /** Shorter than its length field says; only where exactly one message is expected. */
  truncated: true,
  /** A valid message, but not the Start-Control-Connection-Request that must come first. */
  notStart: true,
  /** A valid header with a control message type that the RFC does not define. */
  unknownType: false,
} as const satisfies Readonly<Record<string, boolean>>;

export type ProtocolErrorReason = keyof typeof FATAL;

export interface ProtocolError {
  readonly reason: ProtocolErrorReason;
  /** What was received and what was expected, for the log. It contains numbers from the peer, never strings. */
  readonly detail: string;
  /** The connection must be closed. */
  readonly fatal: boolean;
}

type Header =
  /** No error so far; needs `needs` octets in total to continue. */
  | { readonly kind: 'incomplete'; readonly needs: number }
  /** `length` is that of the whole message, octets; it may be longer than its type requires. */
  | { readonly kind: 'known'; readonly type: MessageType; readonly length: number }
  | { readonly kind: 'unknown'; readonly length: number; readonly error: ProtocolError }
  | { readonly kind: 'broken'; readonly error: ProtocolError };

/** Checks the header at the start of `bytes`; reads at most 12 octets. Never throws. */
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
  /** No error so far, but no complete Start-Control-Connection-Request. */
  | { readonly kind: 'incomplete' }
  /** A complete request; more bytes may follow. */
  | { readonly kind: 'start' }
  | { readonly kind: 'refused'; readonly error: ProtocolError };

/**
 * Checks that a connection begins with a complete Start-Control-Connection-Request. Header errors are reported as soon
 * as the header has arrived; the message's fields are not checked.
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
