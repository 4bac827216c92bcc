/** Reproducible pseudo-random numbers: a fuzz run is repeated by its seed. */

/** Returns integers from 0 up to, not including, `limit`. */
export type Random = (limit: number) => number;

// Mulberry32, by Tommy Ettinger, in the public domain.
const STEP = 0x6d2b_79f5;
const WORD = 2 ** 32;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + STEP) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / WORD) * limit);
  };
}

/** Choices determined by the input alone, so that an input is a complete test case. */
export function randomOf(input: Uint8Array): Random {
  let hash = 0x811c_9dc5;
  for (const octet of input) hash = Math.imul(hash ^ octet, 0x0100_0193);
  return randomFrom(hash);
}

/** `input` split into up to `most` consecutive parts, none of them empty. */
export function cutAnywhere(input: Uint8Array, most: number, random: Random): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < input.length) {
    const end = parts.length + 1 === most ? input.length : at + 1 + random(input.length - at);
    parts.push(input.subarray(at, end));
    at = end;
  }
  return parts;
}
