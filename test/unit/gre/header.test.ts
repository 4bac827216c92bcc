import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  decodeHeader,
  emptyHeader,
  encodeAcknowledgment,
  encodeDataHeader,
  type HeaderFault,
  MAX_HEADER,
} from '../../../src/gre/header.js';

const CALL_ID = 0x1234;

const packet = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const decoded = (bytes: Uint8Array) => {
  const header = emptyHeader();
  const fault = decodeHeader(view(bytes), 0, bytes.length, CALL_ID, header);
  return { fault, header };
};

// flags and version, protocol, payload length, call id, then sequence, acknowledgment and payload
const SOUND: readonly (readonly [name: string, hex: string, header: ReturnType<typeof emptyHeader>])[] = [
  [
    'data',
    '3001 880b 0002 1234 00000007 aabb',
    { hasSequence: true, sequence: 7, hasAcknowledgment: false, acknowledgment: 0, payloadAt: 12, payloadLength: 2 },
  ],
  [
    'data with acknowledgment',
    '3081 880b 0001 1234 fffffffe ffffffff aa',
    {
      hasSequence: true,
      sequence: 0xffff_fffe,
      hasAcknowledgment: true,
      acknowledgment: 0xffff_ffff,
      payloadAt: 16,
      payloadLength: 1,
    },
  ],
  [
    'acknowledgment alone',
    '2081 880b 0000 1234 00000009',
    { hasSequence: false, sequence: 0, hasAcknowledgment: true, acknowledgment: 9, payloadAt: 12, payloadLength: 0 },
  ],
  [
    'a number without payload',
    '3001 880b 0000 1234 00000007',
    { hasSequence: true, sequence: 7, hasAcknowledgment: false, acknowledgment: 0, payloadAt: 12, payloadLength: 0 },
  ],
  [
    'padding after the payload',
    '3001 880b 0001 1234 00000000 aa 000000',
    { hasSequence: true, sequence: 0, hasAcknowledgment: false, acknowledgment: 0, payloadAt: 12, payloadLength: 1 },
  ],
];

const FAULTS: readonly (readonly [name: string, fault: HeaderFault, hex: string])[] = [
  ['nothing', 'tooShort', ''],
  ['seven octets', 'tooShort', '3001 880b 0000 12'],
  ['version 0 (RFC 2784)', 'wrongVersion', '2000 880b 0000 1234'],
  ['version 2', 'wrongVersion', '3002 880b 0001 1234 00000000 aa'],
  ['IPv4 in GRE', 'wrongProtocol', '3001 0800 0001 1234 00000000 aa'],
  ['checksum flag', 'wrongFlags', 'b001 880b 0001 1234 00000000 aa'],
  ['routing flag', 'wrongFlags', '7001 880b 0001 1234 00000000 aa'],
  ['no key', 'wrongFlags', '1001 880b 0001 1234 00000000 aa'],
  ['source route flag', 'wrongFlags', '3801 880b 0001 1234 00000000 aa'],
  ['recursion', 'wrongFlags', '3101 880b 0001 1234 00000000 aa'],
  ['a flag of bits 9-12', 'wrongFlags', '3009 880b 0001 1234 00000000 aa'],
  ["another call's id", 'wrongCallId', '3001 880b 0001 1235 00000000 aa'],
  ['payload cut off', 'truncated', '3001 880b 0003 1234 00000000 aabb'],
  ['sequence number cut off', 'truncated', '3001 880b 0000 1234 000000'],
  ['acknowledgment number cut off', 'truncated', '3081 880b 0000 1234 00000000 0000'],
  ['neither payload nor a number', 'noSequence', '2001 880b 0000 1234'],
  ['payload without sequence number', 'noSequence', '2001 880b 0001 1234 aa'],
];

describe('decodeHeader', () => {
  for (const [name, hex, header] of SOUND) {
    test(name, () => assert.deepEqual(decoded(packet(hex)), { fault: null, header }));
  }
  for (const [name, fault, hex] of FAULTS) {
    test(`${name}: ${fault}`, () => assert.equal(decoded(packet(hex)).fault, fault));
  }

  test('a packet is dropped for the first check that it fails', () => {
    assert.equal(decoded(packet('b002 0800 ffff 0000')).fault, 'wrongVersion');
    assert.equal(decoded(packet('b001 0800 ffff 0000')).fault, 'wrongProtocol');
    assert.equal(decoded(packet('b001 880b ffff 0000')).fault, 'wrongFlags');
    assert.equal(decoded(packet('2001 880b ffff 0000')).fault, 'wrongCallId');
    assert.equal(decoded(packet('2001 880b ffff 1234')).fault, 'truncated');
  });

  test('any input is read within its bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const { fault, header } = decoded(bytes);
        assert.ok(fault !== null || header.payloadAt + header.payloadLength <= bytes.length);
      }),
    );
  });
});

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u16 = fc.integer({ min: 0, max: 0xffff });

describe('encoding', () => {
  test('a data header ends where the payload begins, and decodes to the same values', () => {
    fc.assert(
      fc.property(u16, u32, fc.option(u32), fc.integer({ min: 1, max: 100 }), (callId, sequence, ack, length) => {
        const bytes = new Uint8Array(MAX_HEADER + length);
        const at = encodeDataHeader(view(bytes), MAX_HEADER, length, callId, sequence, ack);
        const header = emptyHeader();
        assert.equal(decodeHeader(view(bytes), at, bytes.length, callId, header), null);
        assert.deepEqual(header, {
          hasSequence: true,
          sequence,
          hasAcknowledgment: ack !== null,
          acknowledgment: ack ?? 0,
          payloadAt: MAX_HEADER,
          payloadLength: length,
        });
      }),
    );
  });

  test('a data header has the octets of the diagram in RFC 2637', () => {
    const bytes = new Uint8Array(MAX_HEADER);
    encodeDataHeader(view(bytes), MAX_HEADER, 5, 0xabcd, 1, 2);
    assert.deepEqual(bytes, packet('3081 880b 0005 abcd 00000001 00000002'));
  });

  test('an acknowledgment without data has the right octets', () => {
    const bytes = new Uint8Array(MAX_HEADER);
    const at = encodeAcknowledgment(view(bytes), MAX_HEADER, 0xabcd, 0xffff_ffff);
    assert.deepEqual(bytes.subarray(at), packet('2081 880b 0000 abcd ffffffff'));
  });
});
