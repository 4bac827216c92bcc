/** Whether a parser looks or writes past the octets that it was given: what lies around them must not matter. */
import assert from 'node:assert/strict';

const MARGIN = 64;
const FILLINGS = [0x00, 0x7e, 0xff];

/** Runs `observe` on `input` in the midst of different octets; what it returns has to be the same each time. */
export function surrounded<T>(input: Uint8Array, observe: (view: Uint8Array) => T): T {
  const results = FILLINGS.map((filling) => {
    const memory = new Uint8Array(input.length + 2 * MARGIN).fill(filling);
    memory.set(input, MARGIN);
    const before = Buffer.from(memory);
    const result = observe(memory.subarray(MARGIN, MARGIN + input.length));
    assert(before.equals(memory), 'it wrote into its input, or around it');
    return result;
  });
  const [first, ...others] = results;
  for (const other of others) assert.deepEqual(other, first, 'what it says depends on what lies around its input');
  return first as T;
}
