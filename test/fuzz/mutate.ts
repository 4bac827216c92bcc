/** Derives new inputs from old ones, with the changes that get a fuzzer past lengths, tags and counters. */
import type { Random } from './random.js';

/** Maximum length of an input, octets. */
const MAX_LENGTH = 4096;
const MAX_CHANGES = 6;
/** Numbers at which codecs tend to fail: signs, full fields, one off; escape and flag of HDLC; line ends. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 10, 11, 12, 15, 16, 0x20, 0x7d, 0x7e, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
const WIDE_EDGES = [0, 1, 11, 12, 0x7fff, 0x8000, 0xfffe, 0xffff];

type Change = (input: number[], random: Random, other: Uint8Array) => void;

const pick = (random: Random, values: readonly number[]): number => values[random(values.length)] ?? 0;

const CHANGES: readonly Change[] = [
  // Change a bit or an octet, or set an octet to a limit.
  (input, random) => {
    const at = random(input.length);
    input[at] = (input[at] ?? 0) ^ (1 << random(8));
  },
  (input, random) => (input[random(input.length)] = random(256)),
  (input, random) => (input[random(input.length)] = pick(random, EDGES)),
  (input, random) => {
    const at = random(input.length);
    input[at] = ((input[at] ?? 0) + random(9) - 4) & 0xff;
  },
  // Change a 16-bit field.
  (input, random) => {
    const at = random(input.length);
    const value = pick(random, WIDE_EDGES);
    input.splice(at, 2, value >> 8, value & 0xff);
  },
  // Remove, insert or duplicate a part.
  (input, random) => input.splice(random(input.length), 1 + random(8)),
  (input, random) =>
    input.splice(random(input.length + 1), 0, ...Array.from({ length: 1 + random(8) }, () => random(256))),
  (input, random) => {
    const at = random(input.length);
    input.splice(random(input.length + 1), 0, ...input.slice(at, at + 1 + random(64)));
  },
  (input, random) => (input.length = random(input.length + 1)),
  // Insert a part of another input, or replace a part by it.
  (input, random, other) => {
    const at = random(other.length);
    const part = other.subarray(at, at + 1 + random(128));
    input.splice(random(input.length + 1), random(2) * part.length, ...part);
  },
  // Insert a long run of one octet.
  (input, random) => {
    const octet = pick(random, EDGES);
    input.splice(random(input.length + 1), 0, ...Array.from({ length: random(300) }, () => octet));
  },
];

/** `input` with one to MAX_CHANGES changes, some of which use parts of `other`. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const changed = [...input];
  for (let left = 1 + random(MAX_CHANGES); left > 0; left -= 1)
    CHANGES[random(CHANGES.length)]?.(changed, random, other);
  return Uint8Array.from(changed.slice(0, MAX_LENGTH));
}
