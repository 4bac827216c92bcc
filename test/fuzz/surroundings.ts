/** Checks that a parser neither reads nor writes outside its input. */
import assert from 'node:assert/strict';

const MARGIN = 64;
const FILLINGS = [0x00, 0x7e, 0xff];

/** Runs `observe` on `input` surrounded by different octets; the result must always be the same. */
export function surrounded<T>(input: Uint8Array, observe: (view: Uint8Array) => T): T {
  const results = FILLINGS.map((filling) => {
    const memory = new Uint8Array(input.length + 2 * MARGIN).fill(filling);
    memory.set(input, MARGIN);
    const before = Buffer.from(memory);
    const result = observe(memory.subarray(MARGIN, MARGIN + input.length));
    assert(before.equals(memory), 'it wrote into its input or around it');
    return result;
  });
  const [first, ...others] = results;
  for (const other of others) assert.deepEqual(other, first, 'its result depends on the octets around its input');
  return first as T;
}
