/**
 * The 15 control messages of RFC 2637 §2, each declared once: its code, and its fields in wire order after the common
 * header. Encoder, decoder, lengths, log lines and TypeScript types are derived from these declarations.
 */
import {
  type NumberField,
  orZero,
  type ReservedField,
  reserved,
  type TextField,
  text,
  u16,
  u32,
  u8,
  within,
} from './fields.js';

type Fields = Readonly<Record<string, NumberField | TextField | ReservedField>>;

interface Declaration {
  /** Control Message Type (§1.4). */
  readonly code: number;
  readonly fields: Fields;
}

/** §2.7, §2.9: a phone number has at most as many digits as its field holds. */
const phoneNumberDigits = within(u16, 0, 64);

export const MESSAGES = {
  /** §2.1 */
  StartControlConnectionRequest: {
    code: 1,
    fields: {
      protocolVersion: u16,
      reserved1: reserved(2),
      framingCapabilities: u32,
      bearerCapabilities: u32,
      maximumChannels: u16,
      firmwareRevision: u16,
      hostName: text(64),
      vendorName: text(64),
    },
  },
  /** §2.2 */
  StartControlConnectionReply: {
    code: 2,
    fields: {
      protocolVersion: u16,
      resultCode: u8,
      errorCode: u8,
      framingCapabilities: u32,
      bearerCapabilities: u32,
      maximumChannels: u16,
      firmwareRevision: u16,
      hostName: text(64),
      vendorName: text(64),
    },
  },
  /** §2.3 */
  StopControlConnectionRequest: { code: 3, fields: { reason: u8, reserved1: reserved(1), reserved2: reserved(2) } },
  /** §2.4 */
  StopControlConnectionReply: { code: 4, fields: { resultCode: u8, errorCode: u8, reserved1: reserved(2) } },
  /** §2.5 */
  EchoRequest: { code: 5, fields: { identifier: u32 } },
  /** §2.6 */
  EchoReply: { code: 6, fields: { identifier: u32, resultCode: u8, errorCode: u8, reserved1: reserved(2) } },
  /** §2.7. Here and below, delays are in tenths of a second, windows in packets, speeds in bits per second. */
  OutgoingCallRequest: {
    code: 7,
    fields: {
      callId: u16,
      callSerialNumber: u16,
      minimumBps: u32,
      maximumBps: u32,
      bearerType: orZero(within(u32, 1, 3)),
      framingType: orZero(within(u32, 1, 3)),
      receiveWindowSize: u16,
      packetProcessingDelay: u16,
      phoneNumberLength: phoneNumberDigits,
      reserved1: reserved(2),
      phoneNumber: text(64),
      subaddress: text(64),
    },
  },
  /** §2.8 */
  OutgoingCallReply: {
    code: 8,
    fields: {
      callId: u16,
      peerCallId: u16,
      resultCode: u8,
      errorCode: u8,
      causeCode: u16,
      connectSpeed: u32,
      receiveWindowSize: u16,
      packetProcessingDelay: u16,
      physicalChannelId: u32,
    },
  },
  /** §2.9 */
  IncomingCallRequest: {
    code: 9,
    fields: {
      callId: u16,
      callSerialNumber: u16,
      bearerType: within(u32, 1, 2),
      physicalChannelId: u32,
      dialedNumberLength: phoneNumberDigits,
      dialingNumberLength: phoneNumberDigits,
      dialedNumber: text(64),
      dialingNumber: text(64),
      subaddress: text(64),
    },
  },
  /** §2.10 */
  IncomingCallReply: {
    code: 10,
    fields: {
      callId: u16,
      peerCallId: u16,
      resultCode: u8,
      errorCode: u8,
      receiveWindowSize: u16,
      packetTransmitDelay: u16,
      reserved1: reserved(2),
    },
  },
  /** §2.11 */
  IncomingCallConnected: {
    code: 11,
    fields: {
      peerCallId: u16,
      reserved1: reserved(2),
      connectSpeed: u32,
      receiveWindowSize: u16,
      packetTransmitDelay: u16,
      framingType: within(u32, 1, 2),
    },
  },
  /** §2.12; the call id is the sender's own (the PNS's). */
  CallClearRequest: { code: 12, fields: { callId: u16, reserved1: reserved(2) } },
  /** §2.13; the call id is the sender's own (the PAC's). */
  CallDisconnectNotify: {
    code: 13,
    fields: {
      callId: u16,
      resultCode: u8,
      errorCode: u8,
      causeCode: u16,
      reserved1: reserved(2),
      callStatistics: text(128),
    },
  },
  /** §2.14; the counters are cumulative for the call. */
  WanErrorNotify: {
    code: 14,
    fields: {
      peerCallId: u16,
      reserved1: reserved(2),
      crcErrors: u32,
      framingErrors: u32,
      hardwareOverruns: u32,
      bufferOverruns: u32,
      timeoutErrors: u32,
      alignmentErrors: u32,
    },
  },
  /** §2.15 */
  SetLinkInfo: { code: 15, fields: { peerCallId: u16, reserved1: reserved(2), sendAccm: u32, receiveAccm: u32 } },
} as const satisfies Readonly<Record<string, Declaration>>;

export type MessageType = keyof typeof MESSAGES;

type ValuesOf<F extends Fields> = {
  [Name in keyof F as F[Name] extends ReservedField ? never : Name]: F[Name] extends TextField ? string : number;
};

/** One kind of message: `{ type: 'EchoRequest', identifier: number }`. */
export type MessageOf<T extends MessageType> = {
  readonly [Type in T]: Readonly<{ type: Type } & ValuesOf<(typeof MESSAGES)[Type]['fields']>>;
}[T];

/** Any control message, distinguished by `type`. */
export type ControlMessage = MessageOf<MessageType>;

type KeyOfAny<T> = T extends unknown ? keyof T : never;

/** The names of all fields of all messages. */
export type FieldName = Exclude<KeyOfAny<ControlMessage>, 'type'>;

/** All message types, in the order of their codes. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a constant has no keys but those of its type
export const MESSAGE_TYPES = Object.keys(MESSAGES) as readonly MessageType[];
