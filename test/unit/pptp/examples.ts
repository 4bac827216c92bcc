/**
 * One example of each control message with its octets, written by hand from the diagrams of RFC 2637 §2, one diagram
 * row per line. Every field has a different value, so that swapped fields are detected.
 */
import * as fc from 'fast-check';
import { MESSAGES } from '../../../src/pptp/messages.js';
import { type ControlMessage, MESSAGE_TYPES, type MessageOf, type MessageType } from '../../../src/pptp/index.js';

export interface Example<T extends MessageType> {
  readonly message: MessageOf<T>;
  readonly bytes: Buffer;
}

const hex = (...rows: readonly string[]): Buffer => Buffer.from(rows.join('').replaceAll(' ', ''), 'hex');
const padded = (value: string, size: number): string =>
  Buffer.from(value)
    .toString('hex')
    .padEnd(2 * size, '0');

export const EXAMPLES: { readonly [T in MessageType]: Example<T> } = {
  StartControlConnectionRequest: {
    message: {
      type: 'StartControlConnectionRequest',
      protocolVersion: 0x0100,
      framingCapabilities: 1,
      bearerCapabilities: 2,
      maximumChannels: 0x0304,
      firmwareRevision: 0x0506,
      hostName: 'client.example',
      vendorName: 'Example Vendor',
    },
    bytes: hex(
      '009c 0001',
      '1a2b3c4d',
      '0001 0000',
      '0100 0000',
      '00000001',
      '00000002',
      '0304 0506',
      padded('client.example', 64),
      padded('Example Vendor', 64),
    ),
  },
  StartControlConnectionReply: {
    message: {
      type: 'StartControlConnectionReply',
      protocolVersion: 0x0100,
      resultCode: 2,
      errorCode: 4,
      framingCapabilities: 3,
      bearerCapabilities: 1,
      maximumChannels: 0x0708,
      firmwareRevision: 0x090a,
      hostName: 'server.example',
      vendorName: 'pptpd-ts',
    },
    bytes: hex(
      '009c 0001',
      '1a2b3c4d',
      '0002 0000',
      '0100 02 04',
      '00000003',
      '00000001',
      '0708 090a',
      padded('server.example', 64),
      padded('pptpd-ts', 64),
    ),
  },
  StopControlConnectionRequest: {
    message: { type: 'StopControlConnectionRequest', reason: 3 },
    bytes: hex('0010 0001', '1a2b3c4d', '0003 0000', '03 00 0000'),
  },
  StopControlConnectionReply: {
    message: { type: 'StopControlConnectionReply', resultCode: 2, errorCode: 1 },
    bytes: hex('0010 0001', '1a2b3c4d', '0004 0000', '02 01 0000'),
  },
  EchoRequest: {
    message: { type: 'EchoRequest', identifier: 0x01020304 },
    bytes: hex('0010 0001', '1a2b3c4d', '0005 0000', '01020304'),
  },
  EchoReply: {
    message: { type: 'EchoReply', identifier: 0xfefdfcfb, resultCode: 1, errorCode: 0 },
    bytes: hex('0014 0001', '1a2b3c4d', '0006 0000', 'fefdfcfb', '01 00 0000'),
  },
  OutgoingCallRequest: {
    message: {
      type: 'OutgoingCallRequest',
      callId: 0x1234,
      callSerialNumber: 0x5678,
      minimumBps: 300,
      maximumBps: 100_000_000,
      bearerType: 3,
      framingType: 2,
      receiveWindowSize: 64,
      packetProcessingDelay: 5,
      phoneNumberLength: 7,
      phoneNumber: '5550123',
      subaddress: 'sub',
    },
    bytes: hex(
      '00a8 0001',
      '1a2b3c4d',
      '0007 0000',
      '1234 5678',
      '0000012c',
      '05f5e100',
      '00000003',
      '00000002',
      '0040 0005',
      '0007 0000',
      padded('5550123', 64),
      padded('sub', 64),
    ),
  },
  OutgoingCallReply: {
    message: {
      type: 'OutgoingCallReply',
      callId: 0xabcd,
      peerCallId: 0x1234,
      resultCode: 1,
      errorCode: 6,
      causeCode: 0x0022,
      connectSpeed: 100_000_000,
      receiveWindowSize: 50,
      packetProcessingDelay: 10,
      physicalChannelId: 0x00010002,
    },
    bytes: hex('0020 0001', '1a2b3c4d', '0008 0000', 'abcd 1234', '01 06 0022', '05f5e100', '0032 000a', '00010002'),
  },
  IncomingCallRequest: {
    message: {
      type: 'IncomingCallRequest',
      callId: 0x1111,
      callSerialNumber: 0x2222,
      bearerType: 2,
      physicalChannelId: 0x33333333,
      dialedNumberLength: 7,
      dialingNumberLength: 8,
      dialedNumber: '5550100',
      dialingNumber: '55501999',
      subaddress: 'line 4',
    },
    bytes: hex(
      '00dc 0001',
      '1a2b3c4d',
      '0009 0000',
      '1111 2222',
      '00000002',
      '33333333',
      '0007 0008',
      padded('5550100', 64),
      padded('55501999', 64),
      padded('line 4', 64),
    ),
  },
  IncomingCallReply: {
    message: {
      type: 'IncomingCallReply',
      callId: 0x4444,
      peerCallId: 0x1111,
      resultCode: 3,
      errorCode: 5,
      receiveWindowSize: 16,
      packetTransmitDelay: 9,
    },
    bytes: hex('0018 0001', '1a2b3c4d', '000a 0000', '4444 1111', '03 05 0010', '0009 0000'),
  },
  IncomingCallConnected: {
    message: {
      type: 'IncomingCallConnected',
      peerCallId: 0x4444,
      connectSpeed: 64_000,
      receiveWindowSize: 32,
      packetTransmitDelay: 11,
      framingType: 1,
    },
    bytes: hex('001c 0001', '1a2b3c4d', '000b 0000', '4444 0000', '0000fa00', '0020 000b', '00000001'),
  },
  CallClearRequest: {
    message: { type: 'CallClearRequest', callId: 0x1234 },
    bytes: hex('0010 0001', '1a2b3c4d', '000c 0000', '1234 0000'),
  },
  CallDisconnectNotify: {
    message: {
      type: 'CallDisconnectNotify',
      callId: 0xabcd,
      resultCode: 4,
      errorCode: 2,
      causeCode: 16,
      callStatistics: 'rx 1 packets, tx 2 packets',
    },
    bytes: hex(
      '0094 0001',
      '1a2b3c4d',
      '000d 0000',
      'abcd 04 02',
      '0010 0000',
      padded('rx 1 packets, tx 2 packets', 128),
    ),
  },
  WanErrorNotify: {
    message: {
      type: 'WanErrorNotify',
      peerCallId: 0x1234,
      crcErrors: 1,
      framingErrors: 2,
      hardwareOverruns: 3,
      bufferOverruns: 4,
      timeoutErrors: 5,
      alignmentErrors: 6,
    },
    bytes: hex(
      '0028 0001',
      '1a2b3c4d',
      '000e 0000',
      '1234 0000',
      '00000001',
      '00000002',
      '00000003',
      '00000004',
      '00000005',
      '00000006',
    ),
  },
  SetLinkInfo: {
    message: { type: 'SetLinkInfo', peerCallId: 0xabcd, sendAccm: 0xffffffff, receiveAccm: 0x000a0000 },
    bytes: hex('0018 0001', '1a2b3c4d', '000f 0000', 'abcd 0000', 'ffffffff', '000a0000'),
  },
};

/** All examples, in the order of their codes. */
export const ALL_EXAMPLES: readonly Example<MessageType>[] = MESSAGE_TYPES.map((type) => EXAMPLES[type]);

/** Any valid message: every number that a field holds, every Latin-1 string without NUL. */
export const anyMessage: fc.Arbitrary<ControlMessage> = fc
  .constantFrom(...MESSAGE_TYPES)
  .chain((type) => {
    const values: Record<string, fc.Arbitrary<unknown>> = { type: fc.constant(type) };
    for (const [name, field] of Object.entries(MESSAGES[type].fields)) {
      if (field.kind === 'number') values[name] = fc.nat(256 ** field.size - 1);
      if (field.kind === 'text') values[name] = latin1(field.size);
    }
    return fc.record(values, { noNullPrototype: true });
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- built from the declaration that the type comes from
  .map((values) => values as unknown as ControlMessage);

function latin1(size: number): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: size }).map((codes) => String.fromCharCode(...codes));
}

/** A message with `surplus` octets appended, which its length includes. */
export function lengthened(bytes: Buffer, surplus: number): Buffer {
  return Buffer.concat([withU16(bytes, 0, bytes.length + surplus), Buffer.alloc(surplus, 0xee)]);
}

/** A copy of `bytes` with a 16-bit number written at `at`. */
export function withU16(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt16BE(value, at);
  return changed;
}
