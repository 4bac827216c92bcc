import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  decode,
  encode,
  findBadValue,
  inspectStart,
  MAX_KNOWN_LENGTH,
  MAX_UNKNOWN_LENGTH,
  type ProtocolErrorReason,
  toleratedValues,
} from '../../../src/pptp/index.js';
import { ALL_EXAMPLES, anyMessage, EXAMPLES, lengthened, withU16 } from './examples.js';

const LENGTH = 0;
const PPTP_MESSAGE_TYPE = 2;
const MAGIC = 4;
const CONTROL_MESSAGE_TYPE = 8;

const start = EXAMPLES.StartControlConnectionRequest;
const echo = EXAMPLES.EchoRequest;

function assertRefused(bytes: Uint8Array, reason: ProtocolErrorReason, fatal: boolean, detail: RegExp): void {
  const decoded = decode(bytes);
  assert.ok(!decoded.ok, 'it should be refused');
  assert.deepEqual([decoded.error.reason, decoded.error.fatal], [reason, fatal]);
  assert.match(decoded.error.detail, detail);
}

describe('each message against the diagram of the RFC', () => {
  for (const { message, bytes } of ALL_EXAMPLES) {
    test(`${message.type} is encoded as in the diagram`, () => {
      assert.equal(encode(message).toString('hex'), bytes.toString('hex'));
    });
    test(`${message.type} is decoded as in the diagram`, () => {
      assert.deepEqual(decode(bytes), { ok: true, message });
    });
    test(`${message.type} is refused one octet shorter or longer than its length`, () => {
      assertRefused(bytes.subarray(0, -1), 'truncated', true, /octets of /);
      assertRefused(Buffer.concat([bytes, Buffer.of(0)]), 'badLength', true, new RegExp(`behind ${message.type}`));
    });
    test(`a ${message.type} that is too short or too long closes the connection`, () => {
      for (const length of [0, 11, 12, bytes.length - 4, bytes.length - 1, MAX_KNOWN_LENGTH + 1, 0xffff]) {
        const wrong = withU16(bytes, LENGTH, length);
        const allowed = `${bytes.length} to ${MAX_KNOWN_LENGTH}`;
        assertRefused(wrong, 'badLength', true, new RegExp(`^${message.type} of ${length} octets, not ${allowed}$`));
      }
    });
    test(`a ${message.type} with surplus octets is read, and they are counted`, () => {
      for (const surplus of [1, 4, MAX_KNOWN_LENGTH - bytes.length]) {
        if (bytes.length + surplus > MAX_KNOWN_LENGTH || surplus === 0) continue;
        assert.deepEqual(decode(lengthened(bytes, surplus)), { ok: true, message, surplus });
      }
    });
  }
});

describe('malformed headers', () => {
  test('a wrong magic cookie closes the connection, and the error shows it', () => {
    const wrong = Buffer.from(echo.bytes);
    wrong.write('HTTP', MAGIC);
    assertRefused(wrong, 'badMagic', true, /0x48545450, not 0x1a2b3c4d/);
  });

  test('a magic cookie in the wrong byte order closes the connection', () => {
    const wrong = Buffer.from(echo.bytes);
    wrong.writeUInt32LE(0x1a2b3c4d, MAGIC);
    assertRefused(wrong, 'badMagic', true, /0x4d3c2b1a/);
  });

  test('a management message, or any PPTP message type but 1, closes the connection', () => {
    for (const type of [0, 2, 0x0100, 0xffff]) {
      assertRefused(
        withU16(echo.bytes, PPTP_MESSAGE_TYPE, type),
        'notControlMessage',
        true,
        new RegExp(`${type}, not 1`),
      );
    }
  });

  test('an unknown control message type is ignored', () => {
    for (const type of [0, 16, 0xffff]) {
      assertRefused(
        withU16(echo.bytes, CONTROL_MESSAGE_TYPE, type),
        'unknownType',
        false,
        new RegExp(`unknown control message type ${type}`),
      );
    }
  });

  test('an unknown type that is shorter than a header or too long closes the connection', () => {
    const unknown = withU16(echo.bytes, CONTROL_MESSAGE_TYPE, 16);
    for (const length of [0, 11, MAX_UNKNOWN_LENGTH + 1, 0xffff]) {
      assertRefused(withU16(unknown, LENGTH, length), 'badLength', true, new RegExp(`of ${length} octets`));
    }
  });

  test('less than a header is truncated', () => {
    for (const length of [0, 7, 8, 11]) {
      assertRefused(echo.bytes.subarray(0, length), 'truncated', true, new RegExp(`^${length} octets of a header`));
    }
  });
});

describe('field values', () => {
  test('reserved fields that are not zero are ignored (a later version may use them)', () => {
    const later = Buffer.from(start.bytes);
    later.writeUInt16BE(0xffff, 10);
    later.writeUInt16BE(0xffff, 14);
    assert.deepEqual(decode(later), { ok: true, message: start.message });
  });

  test('a string ends at its first zero octet', () => {
    const stale = Buffer.from(start.bytes);
    stale.write('\0stale', 28 + start.message.hostName.length);
    assert.deepEqual(decode(stale), { ok: true, message: start.message });
  });

  test('a string without a zero octet ends with its field', () => {
    const full = Buffer.from(start.bytes).fill('h', 28, 92);
    assert.deepEqual(decode(full), { ok: true, message: { ...start.message, hostName: 'h'.repeat(64) } });
  });

  test('a string too long for its field is cut, and the next field is unchanged', () => {
    const long = { ...start.message, hostName: 'h'.repeat(300) };
    assert.deepEqual(decode(encode(long)), { ok: true, message: { ...start.message, hostName: 'h'.repeat(64) } });
  });

  test('each character outside Latin-1 is written as one question mark', () => {
    const decoded = decode(encode({ ...start.message, hostName: 'ž\u{1F600}é' }));
    assert.deepEqual(decoded, { ok: true, message: { ...start.message, hostName: '??é' } });
  });

  test('encoding a number that its field cannot hold throws', () => {
    for (const callId of [-1, 0x10000, 0.5, NaN]) {
      assert.throws(() => encode({ type: 'CallClearRequest', callId }), RangeError);
    }
  });

  test('values that the RFC does not allow are decoded and reported', () => {
    const { message } = EXAMPLES.OutgoingCallRequest;
    assert.equal(findBadValue(message), null);
    for (const [field, value] of [
      ['bearerType', 4],
      ['framingType', 4],
      ['framingType', 0xffffffff],
      ['phoneNumberLength', 65],
    ] as const) {
      const bad = { ...message, [field]: value };
      assert.deepEqual(decode(encode(bad)), { ok: true, message: bad });
      assert.equal(findBadValue(bad)?.field, field);
      assert.match(findBadValue(bad)?.detail ?? '', new RegExp(`^${field} ${value} of OutgoingCallRequest, not `));
    }
  });
});

describe('the values that RFC 2637 allows a field', () => {
  const RANGES = [
    ['OutgoingCallRequest', 'bearerType', 1, 3],
    ['OutgoingCallRequest', 'framingType', 1, 3],
    ['OutgoingCallRequest', 'phoneNumberLength', 0, 64],
    ['IncomingCallRequest', 'bearerType', 1, 2],
    ['IncomingCallRequest', 'dialedNumberLength', 0, 64],
    ['IncomingCallRequest', 'dialingNumberLength', 0, 64],
    ['IncomingCallConnected', 'framingType', 1, 2],
  ] as const;
  for (const [type, field, minimum, maximum] of RANGES) {
    test(`${type}: ${field} ${minimum} to ${maximum}`, () => {
      const { message } = EXAMPLES[type];
      for (const value of [minimum, maximum]) assert.equal(findBadValue({ ...message, [field]: value }), null);
      assert.equal(findBadValue({ ...message, [field]: maximum + 1 })?.value, maximum + 1);
    });
  }

  test('0 is tolerated of an outgoing call alone', () => {
    assert.equal(findBadValue({ ...EXAMPLES.IncomingCallRequest.message, bearerType: 0 })?.field, 'bearerType');
    assert.equal(findBadValue({ ...EXAMPLES.IncomingCallConnected.message, framingType: 0 })?.field, 'framingType');
  });
});

test('a bearer or framing type of 0, which pptpd accepts, is tolerated and not a bad value', () => {
  const { message } = EXAMPLES.OutgoingCallRequest;
  assert.deepEqual(toleratedValues(message), []);
  const untold = { ...message, bearerType: 0, framingType: 0 };
  assert.equal(findBadValue(untold), null);
  assert.deepEqual(
    toleratedValues(untold).map(({ field, value }) => [field, value]),
    [
      ['bearerType', 0],
      ['framingType', 0],
    ],
  );
  const worse = { ...untold, framingType: 4 };
  assert.equal(findBadValue(worse)?.field, 'framingType');
  assert.deepEqual(
    toleratedValues(worse).map(({ field }) => field),
    ['bearerType'],
  );
});

describe('any values', () => {
  test('an encoded message decodes to itself', () => {
    fc.assert(fc.property(anyMessage, (message) => assert.deepEqual(decode(encode(message)), { ok: true, message })));
  });

  test('any octets are decoded or refused without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const decoded = decode(bytes);
        return decoded.ok || decoded.error.detail.length < 120;
      }),
    );
  });

  test('a message with changed octets is decoded or refused without throwing', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(anyMessage, fc.array(change, { maxLength: 4 }), (message, changes) => {
        const bytes = encode(message);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const decoded = decode(bytes);
        return decoded.ok || decoded.error.detail.length < 120;
      }),
    );
  });

  test('bytes in the middle of a larger buffer are decoded in place', () => {
    const memory = Buffer.concat([Buffer.alloc(5, 0xee), echo.bytes, Buffer.alloc(5, 0xee)]);
    const view = new Uint8Array(memory.buffer, memory.byteOffset + 5, echo.bytes.length);
    assert.deepEqual(decode(view), { ok: true, message: echo.message });
  });
});

describe('the start of a connection', () => {
  test('a start request is incomplete until its last octet; more octets may follow', () => {
    for (const bytes of [start.bytes, lengthened(start.bytes, 4)]) {
      for (let length = 0; length < bytes.length; length += 1) {
        assert.deepEqual(inspectStart(bytes.subarray(0, length)), { kind: 'incomplete' });
      }
      assert.deepEqual(inspectStart(bytes), { kind: 'start' });
      assert.deepEqual(inspectStart(Buffer.concat([bytes, echo.bytes])), { kind: 'start' });
    }
  });

  test('a client that does not speak PPTP is refused after eight octets', () => {
    const first = inspectStart(Buffer.from('GET / HTTP/1.1').subarray(0, 8));
    assert.ok(first.kind === 'refused');
    assert.equal(first.error.reason, 'badMagic');
  });

  test('every other message is refused as notStart, and named', () => {
    for (const { message, bytes } of ALL_EXAMPLES.slice(1)) {
      const first = inspectStart(bytes);
      assert.ok(first.kind === 'refused');
      assert.deepEqual(first.error, { reason: 'notStart', detail: `${message.type} before the start`, fatal: true });
    }
  });

  test('an unknown type is refused as notStart, which is fatal', () => {
    const first = inspectStart(withU16(echo.bytes, CONTROL_MESSAGE_TYPE, 16));
    assert.ok(first.kind === 'refused');
    assert.deepEqual([first.error.reason, first.error.fatal], ['notStart', true]);
  });

  test('a start request that is too short or too long is refused by its header, with the expected length', () => {
    for (const length of [12, 152, MAX_KNOWN_LENGTH + 1]) {
      const first = inspectStart(withU16(start.bytes, LENGTH, length).subarray(0, 12));
      assert.ok(first.kind === 'refused');
      assert.equal(first.error.detail, `StartControlConnectionRequest of ${length} octets, not 156 to 220`);
    }
  });
});
