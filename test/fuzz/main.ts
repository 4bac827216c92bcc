/**
 * `npm run fuzz`: searches, guided by coverage, for inputs on which the codecs fail.
 *
 * Usage: npm run fuzz -- [--seconds N] [--target NAME,...] [--seed N] [--keep]
 *
 * N seconds (60) are for all targets together. An input that breaks a target is added to test/fuzz/corpus, which the
 * unit tests run. --keep replaces the corpus by the inputs that together reach everything.
 */
import { parseArgs } from 'node:util';
import { Corpus } from './corpus.js';
import { randomFrom } from './random.js';
import { Search } from './search.js';
import { TARGETS } from './targets/index.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', default: Object.keys(TARGETS).join(',') },
    seed: { type: 'string', default: String(Date.now() >>> 0) },
    keep: { type: 'boolean', default: false },
  },
});

const names = values.target.split(',');
const perTarget = (Number(values.seconds) * 1000) / names.length;
const seed = Number(values.seed);
console.log(`seed ${seed}`);
console.log(`${'target'.padEnd(16)}${'runs'.padStart(10)}${'features'.padStart(10)}${'kept'.padStart(10)}`);
for (const name of names) {
  const target = TARGETS[name];
  if (target === undefined) throw new Error(`no target '${name}'; there are ${Object.keys(TARGETS).join(', ')}`);
  const end = performance.now() + perTarget;
  const search = new Search(name, target, randomFrom(seed));
  const fault = search.run(() => performance.now() >= end);
  const { runs, features, kept } = search;
  const figures = [runs, features, kept.length].map((figure) => String(figure).padStart(10));
  console.log(`${name.padEnd(16)}${figures.join('')}`);
  const corpus = new Corpus(name);
  if (fault !== null) {
    corpus.addFault(fault.input, fault.error.message.slice(0, 200));
    console.error(
      `${name}: ${fault.error.stack}\ninput (now in the corpus): ${Buffer.from(fault.input).toString('hex')}`,
    );
    process.exitCode = 1;
  } else if (values.keep) corpus.replace(kept);
}
