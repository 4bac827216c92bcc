import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ACCM_ALL, Hdlc, longestEncoding, SLACK } from '../../../../src/link/pppd/hdlc.js';
import { SharedMemory } from '../../../../src/sys/shared-memory.js';

const LIMIT = 2000;
const CAPACITY = 8;

/** RFC 1662 §C.2 bit by bit, to check the codec's tables. */
function fcs(octets: readonly number[]): number {
  let value = 0xffff;
  for (const octet of octets) {
    value ^= octet;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >> 1) ^ 0x8408 : value >> 1;
  }
  return value ^ 0xffff;
}

const withFcs = (payload: readonly number[]): number[] => [...payload, fcs(payload) & 0xff, fcs(payload) >> 8];

/** RFC 1662 §4.2 octet by octet. */
const framed = (octets: readonly number[], accm: number): number[] => [
  0x7e,
  ...octets.flatMap((octet) =>
    octet === 0x7e || octet === 0x7d || (octet < 0x20 && (accm >>> octet) & 1) ? [0x7d, octet ^ 0x20] : [octet],
  ),
  0x7e,
];

/** One codec for all tests, as a relay keeps one; every test leaves it between two frames. */
class Bench {
  readonly #memory = new SharedMemory();
  readonly hdlc = new Hdlc(this.#memory);
  readonly #octets = this.#memory.octets;
  readonly #lengths = this.#memory.take(CAPACITY * 4);
  readonly #stride = LIMIT + 64;
  readonly #slots = this.#memory.take(CAPACITY * this.#stride);
  readonly #source = this.#memory.take(65_536);
  readonly #target = this.#memory.take(2 * 65_536);

  constructor() {
    this.hdlc.layOut({
      at: this.#slots,
      stride: this.#stride,
      limit: LIMIT,
      capacity: CAPACITY,
      lengthsAt: this.#lengths,
    });
  }

  encode(payload: readonly number[], accm: number): number[] {
    this.#octets.set(payload, this.#source);
    const end = this.hdlc.encode(this.#source, payload.length, this.#target, accm);
    assert.ok(end - this.#target <= longestEncoding(payload.length));
    return [...this.#octets.subarray(this.#target, end)];
  }

  /** Decodes the chunks; takes frames whenever the slots are full and at the end. */
  decode(...chunks: readonly (readonly number[])[]): number[][] {
    const out: number[][] = [];
    for (const chunk of chunks) {
      this.#octets.set(chunk, this.#source);
      // Memory after a chunk must have no effect.
      this.#octets.fill(0x7e, this.#source + chunk.length, this.#source + chunk.length + SLACK);
      let used = 0;
      while (used < chunk.length) {
        used += this.hdlc.decode(this.#source + used, chunk.length - used);
        if (this.hdlc.frameCount === CAPACITY) out.push(...this.take());
      }
      out.push(...this.take());
    }
    return out;
  }

  take(): number[][] {
    const { view } = this.#memory;
    const frames = Array.from({ length: this.hdlc.frameCount }, (_, index) => {
      const at = this.#slots + index * this.#stride;
      return [...this.#octets.subarray(at, at + view.getInt32(this.#lengths + index * 4, true))];
    });
    this.hdlc.takeFrames();
    return frames;
  }
}

const bench = new Bench();
const everyOctet = Array.from({ length: 256 }, (_, octet) => octet);
const ACCMS = [0, ACCM_ALL, 0x0000_0001, 0x8000_0000, 0x000a_0000];
const payloads = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0x7e, 0x7d, 0x11, 0)), {
  minLength: 1,
  maxLength: 300,
});

/** Runs `action`; returns by how much the drop counters grew. */
function dropsOf(action: () => void): Record<string, number> {
  const before = Object.entries(bench.hdlc.dropped());
  action();
  const after = new Map(Object.entries(bench.hdlc.dropped()));
  return Object.fromEntries(
    before.map(([name, count]) => [name, (after.get(name) ?? 0) - count] as const).filter(([, count]) => count > 0),
  );
}

describe('encode', () => {
  for (const accm of ACCMS) {
    test(`every octet value, ACCM ${accm.toString(16)}`, () => {
      assert.deepEqual(bench.encode(everyOctet, accm), framed(withFcs(everyOctet), accm));
    });
  }

  test('every length up to 300, of flags, of escapes and of plain octets', () => {
    for (let length = 1; length <= 300; length += 1) {
      for (const octet of [0x7e, 0x7d, 0x41]) {
        const payload = Array.from({ length }, () => octet);
        assert.deepEqual(bench.encode(payload, 0), framed(withFcs(payload), 0));
      }
    }
  });

  test('an FCS that must be escaped', () => {
    const payload = everyOctet
      .flatMap((one) => everyOctet.map((two) => [one, two]))
      .find((each) => (fcs(each) & 0xff) === 0x7e);
    assert.ok(payload);
    assert.deepEqual(bench.encode(payload, 0), framed(withFcs(payload), 0));
  });

  test('any payload, any ACCM', () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 0, max: ACCM_ALL }), (payload, accm) => {
        assert.deepEqual(bench.encode(payload, accm), framed(withFcs(payload), accm));
      }),
    );
  });
});

describe('decode', () => {
  test('every octet value, at every split in two', () => {
    for (const accm of [0, ACCM_ALL]) {
      const stream = framed(withFcs(everyOctet), accm);
      for (let at = 0; at <= stream.length; at += 1) {
        assert.deepEqual(bench.decode(stream.slice(0, at), stream.slice(at)), [everyOctet]);
      }
    }
  });

  test('octet by octet', () => {
    const stream = [...framed(withFcs(everyOctet), ACCM_ALL), ...framed(withFcs([1, 2]), 0)];
    assert.deepEqual(bench.decode(...stream.map((octet) => [octet])), [everyOctet, [1, 2]]);
  });

  test('one or more flags between frames', () => {
    const one = withFcs([0x21, 0x45]);
    assert.deepEqual(bench.decode([0x7e, ...one, 0x7e, ...one, 0x7e, 0x7e, 0x7e, ...one, 0x7e]), [
      [0x21, 0x45],
      [0x21, 0x45],
      [0x21, 0x45],
    ]);
  });

  test('more frames than slots', () => {
    const payloadsOf = Array.from({ length: 3 * CAPACITY + 1 }, (_, index) => [index, index]);
    const stream = payloadsOf.flatMap((payload) => framed(withFcs(payload), 0));
    assert.deepEqual(bench.decode(stream), payloadsOf);
    assert.deepEqual(bench.decode(stream.slice(0, 101), stream.slice(101)), payloadsOf);
  });

  test('any frames, cut anywhere', () => {
    const cuts = fc.array(fc.nat(4000), { maxLength: 10 });
    fc.assert(
      fc.property(fc.array(payloads, { maxLength: 20 }), cuts, fc.boolean(), (frames, offsets, escapeAll) => {
        const stream = frames.flatMap((payload) => framed(withFcs(payload), escapeAll ? ACCM_ALL : 0));
        const edges = [0, ...offsets.filter((at) => at < stream.length).toSorted((a, b) => a - b), stream.length];
        const chunks = edges.slice(1).map((edge, index) => stream.slice(edges[index], edge));
        assert.deepEqual(bench.decode(...chunks), frames);
      }),
    );
  });

  test('decode reads what encode writes', () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 0, max: ACCM_ALL }), (payload, accm) => {
        assert.deepEqual(bench.decode(bench.encode(payload, accm)), [payload]);
      }),
    );
  });

  test('the longest frame is accepted, one octet more is dropped, and the next frame is accepted', () => {
    const longest = Array.from({ length: LIMIT - 2 }, (_, index) => index & 0xff);
    assert.deepEqual(bench.decode(framed(withFcs(longest), ACCM_ALL)), [longest]);
    const drops = dropsOf(() => {
      assert.deepEqual(bench.decode([...framed(withFcs([...longest, 0]), 0), ...framed(withFcs([1]), 0)]), [[1]]);
      assert.deepEqual(bench.decode(Array.from({ length: 60_000 }, () => 0x41)), []);
      assert.deepEqual(bench.decode([0x7e]), []);
    });
    assert.deepEqual(drops, { tooLong: 2 });
  });

  const one = withFcs([0xc0, 0x21, 1, 1]);
  for (const [name, octets, drops] of [
    ['a wrong octet', [...one.slice(0, 3), 9, ...one.slice(4)], { badFcs: 1 }],
    ['a wrong FCS', [...one.slice(0, -1), 0x41], { badFcs: 1 }],
    ['an octet missing', one.slice(1), { badFcs: 1 }],
    ['one octet', [0x41], { tooShort: 1 }],
    ['an FCS without a payload', withFcs([]), { tooShort: 1 }],
    ['an escape before the flag', [...one, 0x7d], { aborted: 1 }],
    ['noise', Array.from({ length: 500 }, (_, index) => (index * 7) % 125), { badFcs: 1 }],
  ] as const) {
    test(`${name} is dropped and counted, and the next frame is accepted`, () => {
      const counted = dropsOf(() => {
        assert.deepEqual(bench.decode([0x7e, ...octets, 0x7e, ...one, 0x7e]), [[0xc0, 0x21, 1, 1]]);
      });
      assert.deepEqual(counted, drops);
    });
  }

  test('any octets leave the codec able to read the next frame', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 5 }), (chunks) => {
        bench.decode(...chunks.map((chunk) => [...chunk]), [0x7e, 0x7e]);
        assert.deepEqual(bench.decode(framed(withFcs([7, 7, 7]), 0)), [[7, 7, 7]]);
      }),
    );
  });
});
