/**
 * The HDLC codec in WebAssembly, where nothing else protects the memory. It is checked against a second codec, written
 * octet by octet, and with canaries around everything that it may write.
 */
import assert from 'node:assert/strict';
import { ACCM_ALL, Hdlc, longestEncoding, SLACK } from '../../../src/link/pppd/hdlc.js';
import { Preamble } from '../../../src/link/pppd/preamble.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';
import { cutAnywhere, randomOf } from '../random.js';
import type { Target } from '../target.js';

const FLAG = 0x7e;
const ESCAPE = 0x7d;
const GOOD_FCS = 0xf0b8;
const CANARY = 0xa5;
const CANARIES = 16;
const MAX_SLOTS = 4;
const MAX_CUTS = 8;
const MAX_INPUT = 4096;

function fcs(octets: Iterable<number>): number {
  let value = 0xffff;
  for (const octet of octets) {
    value ^= octet;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >> 1) ^ 0x8408 : value >> 1;
  }
  return value;
}

const toFrame = (octets: readonly number[], accm: number): number[] => {
  const check = fcs(octets) ^ 0xffff;
  const body = [...octets, check & 0xff, check >> 8].flatMap((octet) =>
    octet === FLAG || octet === ESCAPE || (octet < 0x20 && (accm >>> octet) & 1) ? [ESCAPE, octet ^ 0x20] : [octet],
  );
  return [FLAG, ...body, FLAG];
};

interface Reading {
  frames: string[];
  badFcs: number;
  tooShort: number;
  tooLong: number;
  aborted: number;
}

/** RFC 1662 §4 octet by octet. Frames longer than `limit` octets, including the FCS, are too long. */
function read(stream: Iterable<number>, limit: number): Reading {
  const reading: Reading = { frames: [], badFcs: 0, tooShort: 0, tooLong: 0, aborted: 0 };
  let frame: number[] = [];
  let escaped = false;
  for (const octet of stream) {
    if (octet === FLAG) {
      if (escaped) reading.aborted += 1;
      else if (frame.length > limit) reading.tooLong += 1;
      else if (frame.length > 0 && frame.length < 3) reading.tooShort += 1;
      else if (frame.length > 0 && fcs(frame) !== GOOD_FCS) reading.badFcs += 1;
      else if (frame.length > 0) reading.frames.push(Buffer.from(frame.slice(0, -2)).toString('hex'));
      frame = [];
      escaped = false;
    } else if (escaped) {
      frame.push(octet ^ 0x20);
      escaped = false;
    } else if (octet === ESCAPE) escaped = true;
    else frame.push(octet);
  }
  return reading;
}

/** One codec. Its memory is laid out anew for each input, as tightly as its contract allows. */
class Bench {
  readonly #memory = new SharedMemory();
  readonly #hdlc = new Hdlc(this.#memory);
  readonly #octets = this.#memory.octets;
  readonly #view = this.#memory.view;
  readonly #lengthsAt = this.#memory.take(CANARIES) + CANARIES;
  readonly #slotsAt = this.#lengthsAt + 4 * MAX_SLOTS + CANARIES;
  #stride = 0;
  #slots = 1;
  #limit = 0;

  decode(chunks: readonly Uint8Array[], limit: number, slots: number): Reading {
    this.#layOut(limit, slots);
    const before = this.#hdlc.dropped();
    const sourceAt = this.#slotsAt + slots * this.#stride + 64;
    const frames: string[] = [];
    for (const [index, chunk] of chunks.entries()) {
      this.#octets.set(chunk, sourceAt);
      // Memory after a chunk must have no effect: a flag would end a frame, an escape would change an octet.
      this.#octets.fill(index % 2 === 0 ? FLAG : ESCAPE, sourceAt + chunk.length, sourceAt + chunk.length + SLACK);
      for (let used = 0; used < chunk.length; ) {
        const count = this.#hdlc.decode(sourceAt + used, chunk.length - used);
        assert(count > 0 && used + count <= chunk.length, 'it used no octets, or more than it was given');
        used += count;
        if (this.#hdlc.frameCount === slots) frames.push(...this.#take());
      }
    }
    frames.push(...this.#take());
    this.#assertCanaries();
    const after = this.#hdlc.dropped();
    return {
      frames,
      badFcs: after.badFcs - before.badFcs,
      tooShort: after.tooShort - before.tooShort,
      tooLong: after.tooLong - before.tooLong,
      aborted: after.aborted - before.aborted,
    };
  }

  encode(payload: Uint8Array, accm: number): number[] {
    const sourceAt = this.#slotsAt;
    const targetAt = (sourceAt + MAX_INPUT + SLACK + 63) & ~63;
    this.#octets.set(payload, sourceAt);
    const fence = targetAt + longestEncoding(payload.length) + SLACK;
    this.#octets.fill(CANARY, targetAt - CANARIES, targetAt).fill(CANARY, fence, fence + CANARIES);
    const end = this.#hdlc.encode(sourceAt, payload.length, targetAt, accm);
    assert(end - targetAt <= longestEncoding(payload.length));
    this.#assertCanary(targetAt - CANARIES);
    this.#assertCanary(fence);
    return [...this.#octets.subarray(targetAt, end)];
  }

  #layOut(limit: number, slots: number): void {
    // Brings the codec to the state between two frames, whatever the last input left.
    this.#hdlc.takeFrames();
    const at = this.#slotsAt;
    this.#octets.fill(FLAG, at + 65_536, at + 65_538 + SLACK);
    this.#hdlc.decode(at + 65_536, 2);
    this.#hdlc.takeFrames();
    this.#stride = limit + SLACK + CANARIES;
    this.#slots = slots;
    this.#limit = limit;
    for (const canary of this.#canaries()) this.#octets.fill(CANARY, canary, canary + CANARIES);
    this.#hdlc.layOut({ at, stride: this.#stride, limit, capacity: slots, lengthsAt: this.#lengthsAt });
  }

  *#canaries(): Generator<number> {
    yield this.#lengthsAt - CANARIES;
    yield this.#slotsAt - CANARIES;
    for (let slot = 0; slot < this.#slots; slot += 1) yield this.#slotsAt + slot * this.#stride + this.#limit + SLACK;
  }

  #assertCanaries(): void {
    for (const canary of this.#canaries()) this.#assertCanary(canary);
  }

  #assertCanary(at: number): void {
    assert(
      this.#octets.subarray(at, at + CANARIES).every((octet) => octet === CANARY),
      'it wrote beyond its buffers',
    );
  }

  #take(): string[] {
    const frames = Array.from({ length: this.#hdlc.frameCount }, (_, index) => {
      const at = this.#slotsAt + index * this.#stride;
      const end = at + this.#view.getInt32(this.#lengthsAt + index * 4, true);
      return Buffer.from(this.#octets.subarray(at, end)).toString('hex');
    });
    this.#hdlc.takeFrames();
    return frames;
  }
}

const bench = new Bench();
const some = (count: number): boolean => count > 0;

/** Two octets choose the frame limit and the number of slots; the rest is the stream. */
const LAYOUT_OCTETS = 2;
const SHORTEST_LIMIT = 3;

export const hdlcDecode: Target = {
  covers: ['/src/link/pppd/hdlc.js'],
  seeds: () =>
    [[0x21, 0x45], [0xff, 3, 0xc0, 0x21, 1, 1, 0, 4], Array.from({ length: 60 }, (_, index) => index)].flatMap(
      (payload) => [
        Uint8Array.from([80, 3, ...toFrame(payload, ACCM_ALL), ...toFrame([1, 2, 3], 0)]),
        Uint8Array.from([16, 0, ...toFrame(payload, 0), ...toFrame([FLAG, ESCAPE], 0)]),
      ],
    ),
  run: (input) => {
    const limit = SHORTEST_LIMIT + (input[0] ?? 0);
    const slots = 1 + ((input[1] ?? 0) % MAX_SLOTS);
    const stream = input.subarray(LAYOUT_OCTETS);
    const reading = bench.decode(cutAnywhere(stream, MAX_CUTS, randomOf(input)), limit, slots);
    assert.deepEqual(reading, read(stream, limit));
    const { frames, badFcs, tooShort, tooLong, aborted } = reading;
    return [frames.length, badFcs, tooShort, tooLong, aborted].map(some).join();
  },
};

/** Four octets choose the ACCM; the rest is the payload. */
const ACCM_OCTETS = 4;

export const hdlcEncode: Target = {
  covers: ['/src/link/pppd/hdlc.js'],
  seeds: () => [
    Uint8Array.from([0, 0, 0, 0, FLAG, ESCAPE, 0x11, 0x41]),
    Uint8Array.from([0xff, 0xff, 0xff, 0xff, ...Array.from({ length: 256 }, (_, octet) => octet)]),
  ],
  run: (input) => {
    if (input.length <= ACCM_OCTETS) return '';
    const accm = new DataView(input.buffer, input.byteOffset).getUint32(0);
    const payload = input.subarray(ACCM_OCTETS);
    const encoded = bench.encode(payload, accm);
    assert.deepEqual(encoded, toFrame([...payload], accm));
    assert.deepEqual(read(encoded, MAX_INPUT + 2).frames, [Buffer.from(payload).toString('hex')]);
    return `${some(encoded.length - payload.length - 4)} ${payload.length % 16}`;
  },
};

export const preamble: Target = {
  covers: ['/src/link/pppd/preamble.js'],
  seeds: () => [Buffer.from("pppd: can't open ~/.ppprc\r\n~~\u00ff}#", 'latin1')],
  run: (input) => {
    const take = (chunks: readonly Uint8Array[]): { text: string; frameAt: number | null } => {
      const words = new Preamble();
      let text = '';
      let at = 0;
      for (const chunk of chunks) {
        const part = words.take(chunk);
        text += part.text;
        if (part.frameAt !== null) return { text, frameAt: at + part.frameAt };
        at += chunk.length;
      }
      return { text, frameAt: null };
    };
    const whole = take([input]);
    assert.deepEqual(take(cutAnywhere(input, MAX_CUTS, randomOf(input))), whole);
    assert(whole.text.length <= input.length && (whole.frameAt ?? 0) < Math.max(1, input.length));
    return '';
  },
};
