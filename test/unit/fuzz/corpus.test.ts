/**
 * Every kept input of the fuzzer, and a few thousand new ones from a fixed seed: a short `npm run fuzz`.
 * test/fuzz/targets defines what each target must do.
 */
import { describe, test } from 'node:test';
import { Corpus } from '../../fuzz/corpus.js';
import { mutate } from '../../fuzz/mutate.js';
import { randomFrom } from '../../fuzz/random.js';
import { TARGETS } from '../../fuzz/targets/index.js';

const MUTANTS = 1500;
const SEED = 2637;

for (const [name, target] of Object.entries(TARGETS)) {
  describe(name, () => {
    const known = [...target.seeds(), ...new Corpus(name).inputs];

    test('every kept input', () => {
      for (const input of known) target.run(input);
    });

    test(`${MUTANTS} changed inputs`, () => {
      const random = randomFrom(SEED);
      const any = (): Uint8Array => known[random(known.length)] ?? new Uint8Array(1);
      for (let left = MUTANTS; left > 0; left -= 1) {
        const input = mutate(any(), any(), random);
        try {
          target.run(input);
        } catch (error) {
          throw new Error(`input ${Buffer.from(input).toString('hex')}`, { cause: error });
        }
      }
    });
  });
}
