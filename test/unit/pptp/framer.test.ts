import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type ControlMessage, encode, Framer, type FramerItem, MAX_KNOWN_LENGTH } from '../../../src/pptp/index.js';
import { ALL_EXAMPLES, anyMessage, EXAMPLES, lengthened, withU16 } from './examples.js';

const stream = Buffer.concat(ALL_EXAMPLES.map(({ bytes }) => bytes));
const items = ALL_EXAMPLES.map(({ message }): FramerItem => ({ ok: true, message }));
const echo = EXAMPLES.EchoRequest;
const echoItem: FramerItem = { ok: true, message: echo.message };

/** A valid header of an unknown type, followed by zeros up to `length` octets. */
const unknown = (length: number): Buffer =>
  withU16(withU16(Buffer.concat([echo.bytes, Buffer.alloc(length)]).subarray(0, length), 0, length), 8, 99);
const unknownItem: FramerItem = {
  ok: false,
  error: { reason: 'unknownType', detail: 'unknown control message type 99', fatal: false },
};

/** The items from a framer that receives these chunks and is drained after each. */
function framed(chunks: readonly Uint8Array[]): FramerItem[] {
  const framer = new Framer();
  return chunks.flatMap((chunk) => {
    framer.push(chunk);
    return [...framer];
  });
}

/** `bytes` split before each of these offsets. */
function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const edges = [0, ...offsets.toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

describe('messages split or joined', () => {
  test('all 15 messages in one chunk come out in order', () => {
    assert.deepEqual(framed([stream]), items);
  });

  test('all 15 messages octet by octet come out in order', () => {
    assert.deepEqual(framed([...stream].map((octet) => Uint8Array.of(octet))), items);
  });

  test('all 15 messages come out however they are split in two', () => {
    for (let at = 0; at <= stream.length; at += 1) assert.deepEqual(framed(cut(stream, [at])), items);
  });

  test('a message comes out exactly with its last octet', () => {
    const framer = new Framer();
    framer.push(echo.bytes.subarray(0, -1));
    assert.equal(framer.next(), null);
    framer.push(echo.bytes.subarray(-1));
    assert.deepEqual(framer.next(), echoItem);
    assert.equal(framer.next(), null);
  });

  test('any messages come out however they are split', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 6 }), cuts, (messages: ControlMessage[], offsets) => {
        const bytes = Buffer.concat(messages.map((message) => encode(message)));
        const chunks = cut(
          bytes,
          offsets.map((offset) => offset % (bytes.length + 1)),
        );
        assert.deepEqual(
          framed(chunks),
          messages.map((message) => ({ ok: true, message })),
        );
      }),
    );
  });

  test('chunks that were not drained at once are not lost', () => {
    const framer = new Framer();
    framer.push(stream.subarray(0, 200));
    framer.push(stream.subarray(200));
    assert.deepEqual([...framer], items);
  });

  test('draining can stop and continue later', () => {
    const framer = new Framer();
    framer.push(stream);
    for (const item of framer) {
      assert.deepEqual(item, items[0]);
      break;
    }
    assert.deepEqual([...framer], items.slice(1));
  });

  test('a drained chunk may be reused, even in the middle of a message', () => {
    const framer = new Framer();
    const chunk = Buffer.from(echo.bytes.subarray(0, 14));
    framer.push(chunk);
    assert.equal(framer.next(), null);
    chunk.fill(0xff);
    framer.push(echo.bytes.subarray(14));
    assert.deepEqual(framer.next(), echoItem);
  });
});

describe('a message of an unknown type', () => {
  test('is reported once and skipped, for any length and split', () => {
    for (const length of [12, 16, 220, 221, 1024]) {
      const bytes = Buffer.concat([echo.bytes, unknown(length), echo.bytes]);
      for (let at = 0; at <= bytes.length; at += 1) {
        assert.deepEqual(framed(cut(bytes, [at])), [echoItem, unknownItem, echoItem]);
      }
    }
  });

  test('is skipped by its length, even if it contains what looks like a header', () => {
    const trap = unknown(64);
    EXAMPLES.StopControlConnectionRequest.bytes.copy(trap, 16);
    assert.deepEqual(framed([trap, echo.bytes]), [unknownItem, echoItem]);
  });
});

describe('a known message that is longer than its own length', () => {
  test('is read, as is the next message, for any split', () => {
    for (const surplus of [1, 4, MAX_KNOWN_LENGTH - echo.bytes.length]) {
      const longEcho: FramerItem = { ok: true, message: echo.message, surplus };
      const bytes = Buffer.concat([echo.bytes, lengthened(echo.bytes, surplus), echo.bytes]);
      for (let at = 0; at <= bytes.length; at += 1) {
        assert.deepEqual(framed(cut(bytes, [at])), [echoItem, longEcho, echoItem]);
      }
      assert.deepEqual(framed([...bytes].map((octet) => Uint8Array.of(octet))), [echoItem, longEcho, echoItem]);
    }
  });

  test('is skipped by its length, even if its surplus looks like a message', () => {
    const trap = lengthened(echo.bytes, 16);
    EXAMPLES.StopControlConnectionRequest.bytes.copy(trap, 16);
    assert.deepEqual(framed([trap, echo.bytes]), [{ ok: true, message: echo.message, surplus: 16 }, echoItem]);
  });
});

describe('lost synchronization', () => {
  test('a broken header is reported once, and nothing after it is read', () => {
    const framer = new Framer();
    framer.push(Buffer.concat([echo.bytes, Buffer.alloc(16), echo.bytes]));
    const [first, broken, ...rest] = [...framer];
    assert.deepEqual(first, echoItem);
    assert.ok(broken !== undefined && !broken.ok);
    assert.deepEqual([broken.error.reason, broken.error.fatal], ['badMagic', true]);
    assert.deepEqual(rest, []);
    framer.push(echo.bytes);
    assert.deepEqual([...framer], []);
  });

  test('a known type that is too short or too long loses synchronization', () => {
    for (const length of [15, MAX_KNOWN_LENGTH + 1]) {
      const wrong = withU16(Buffer.concat([echo.bytes, Buffer.alloc(MAX_KNOWN_LENGTH)]), 0, length);
      const [broken, ...rest] = framed([wrong.subarray(0, length), echo.bytes]);
      assert.ok(broken !== undefined && !broken.ok);
      assert.equal(broken.error.detail, `EchoRequest of ${length} octets, not 16 to 220`);
      assert.deepEqual(rest, []);
    }
  });

  test('a wrong length is reported as soon as the header has arrived', () => {
    const framer = new Framer();
    framer.push(withU16(echo.bytes, 0, 0xffff).subarray(0, 12));
    assert.equal(framer.next()?.ok, false);
  });

  test('random octets give an error or wait for more, and never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (chunks) => {
        const fatal = framed(chunks).filter((item) => !item.ok && item.error.fatal);
        assert.ok(fatal.length <= 1);
        const octets = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
        if (octets >= 8 && Buffer.concat(chunks).readUInt32BE(4) !== 0x1a2b3c4d) assert.equal(fatal.length, 1);
      }),
    );
  });
});
