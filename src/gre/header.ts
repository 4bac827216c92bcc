/**
 * Reads and writes the enhanced GRE header (RFC 2637 §4.1) in place, in the relay's memory, without an object per
 * packet.
 */

/** Length of the header with sequence and acknowledgment number, octets. */
export const MAX_HEADER = 16;
/** Flags, protocol type, payload length, call id. */
const FIXED_HEADER = 8;

const PROTOCOL_PPP = 0x880b;
/** K (key present) and version 1. The S and A bits may be set; every other bit must be 0. */
const FLAGS_ALWAYS = 0x2001;
const FLAG_SEQUENCE = 0x1000;
const FLAG_ACKNOWLEDGMENT = 0x0080;
const VERSION_MASK = 0x0007;
const VERSION = 1;

/** Why a packet is dropped, in the order of the checks. */
export type HeaderFault =
  | 'tooShort'
  | 'wrongVersion'
  | 'wrongProtocol'
  | 'wrongFlags'
  | 'wrongCallId'
  | 'truncated'
  | 'noSequence';

/** Filled by `decodeHeader`. A number that the packet does not contain is 0. */
export interface Header {
  hasSequence: boolean;
  sequence: number;
  hasAcknowledgment: boolean;
  acknowledgment: number;
  /** Offset of the payload in the view. */
  payloadAt: number;
  /** Octets. 0 means an acknowledgment, an unused sequence number, or both. */
  payloadLength: number;
}

export const emptyHeader = (): Header => ({
  hasSequence: false,
  sequence: 0,
  hasAcknowledgment: false,
  acknowledgment: 0,
  payloadAt: 0,
  payloadLength: 0,
});

/**
 * Reads the GRE packet at `at` to `end` of `view` into `header`. Returns null, or why the packet must be dropped;
 * `header` may then be partly filled. `callId` is the local call id. Octets after the payload are ignored: some links
 * pad.
 */
export function decodeHeader(
  view: DataView,
  at: number,
  end: number,
  callId: number,
  header: Header,
): HeaderFault | null {
  if (end - at < FIXED_HEADER) return 'tooShort';
  const flags = view.getUint16(at);
  if ((flags & VERSION_MASK) !== VERSION) return 'wrongVersion';
  if (view.getUint16(at + 2) !== PROTOCOL_PPP) return 'wrongProtocol';
  if ((flags & ~(FLAG_SEQUENCE | FLAG_ACKNOWLEDGMENT)) !== FLAGS_ALWAYS) return 'wrongFlags';
  if (view.getUint16(at + 6) !== callId) return 'wrongCallId';
  const payloadLength = view.getUint16(at + 4);
  let next = at + FIXED_HEADER;
  header.hasSequence = (flags & FLAG_SEQUENCE) !== 0;
  header.hasAcknowledgment = (flags & FLAG_ACKNOWLEDGMENT) !== 0;
  const sequenceAt = next;
  if (header.hasSequence) next += 4;
  const acknowledgmentAt = next;
  if (header.hasAcknowledgment) next += 4;
  if (next + payloadLength > end) return 'truncated';
  header.sequence = header.hasSequence ? view.getUint32(sequenceAt) : 0;
  header.acknowledgment = header.hasAcknowledgment ? view.getUint32(acknowledgmentAt) : 0;
  header.payloadAt = next;
  header.payloadLength = payloadLength;
  const isAcknowledgment = payloadLength === 0 && header.hasAcknowledgment;
  return header.hasSequence || isAcknowledgment ? null : 'noSequence';
}

/**
 * Writes the header of a data packet so that it ends at `payloadAt`; null: no acknowledgment number. Returns where the
 * header begins. Needs MAX_HEADER octets before the payload.
 */
export function encodeDataHeader(
  view: DataView,
  payloadAt: number,
  payloadLength: number,
  callId: number,
  sequence: number,
  acknowledgment: number | null,
): number {
  let at = payloadAt;
  let flags = FLAGS_ALWAYS | FLAG_SEQUENCE;
  if (acknowledgment !== null) {
    at -= 4;
    view.setUint32(at, acknowledgment);
    flags |= FLAG_ACKNOWLEDGMENT;
  }
  at -= 4;
  view.setUint32(at, sequence);
  return encodeFixed(view, at, flags, payloadLength, callId);
}

/** Writes an acknowledgment without payload so that it ends at `end`; returns where it begins. */
export function encodeAcknowledgment(view: DataView, end: number, callId: number, acknowledgment: number): number {
  view.setUint32(end - 4, acknowledgment);
  return encodeFixed(view, end - 4, FLAGS_ALWAYS | FLAG_ACKNOWLEDGMENT, 0, callId);
}

function encodeFixed(view: DataView, end: number, flags: number, payloadLength: number, callId: number): number {
  const at = end - FIXED_HEADER;
  view.setUint16(at, flags);
  view.setUint16(at + 2, PROTOCOL_PPP);
  view.setUint16(at + 4, payloadLength);
  view.setUint16(at + 6, callId);
  return at;
}
