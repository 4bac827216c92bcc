/**
 * The control protocol of PPTP (RFC 2637 §2): the part that the rest of the program uses. Pure: bytes and values only.
 */
export { decode, encode, findBadValue, toleratedValues } from './codec.js';
export {
  describeError,
  describeResult,
  describeStopReason,
  GENERAL_ERROR,
  RESULT,
  STOP_REASON,
} from './codes.js';
export {
  MAGIC_COOKIE,
  MAX_KNOWN_LENGTH,
  MAX_UNKNOWN_LENGTH,
  PROTOCOL_VERSION,
  RFC_TIMERS,
  TCP_PORT,
} from './constants.js';
export { describe, LINE_LIMIT, printable } from './describe.js';
export { Framer, type FramerItem } from './framer.js';
export { inspectStart, type ProtocolErrorReason } from './header.js';
export { type ControlMessage, MESSAGE_TYPES, type MessageOf, type MessageType } from './messages.js';
