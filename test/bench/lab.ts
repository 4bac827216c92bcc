/**
 * `npm run bench:lab`: ours with each engine and Debian's pptpd through real tunnels, in turn in one guest of the
 * lab.
 *
 *     npm run bench:lab -- [--rounds N] [--publish]
 *
 * Runs the scenario against-pptpd and prints its table; with --publish also docs/bench-lab.json and the table of
 * docs/performance.md. Needs root, what `scripts/setup guest` installs, and a processor with nothing else to do.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { tunnelsTable } from './markdown.js';
import { filledIn, LAB_COMMAND, type LabPublication, thisMachine } from './publication.js';
import { table } from './report.js';
import { tunnelRows } from './tunnels.js';

const SCENARIO = 'against-pptpd';
const FIGURES = `test/lab/results/${SCENARIO}/figures.jsonl`;
const DOCUMENT = 'docs/performance.md';
/** Of one round, with much to spare. */
const ROUND_SECONDS = 450;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, publish: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);

const { status } = spawnSync('bash', ['scripts/lab', SCENARIO], {
  stdio: 'inherit',
  env: { ...process.env, LAB_ROUNDS: String(rounds), LAB_TIMEOUT: String(rounds * ROUND_SECONDS), RESULTS: '' },
});
if (status !== 0) process.exit(1);

const rows = tunnelRows(readFileSync(FIGURES, 'utf8'));
console.log(table(rows));
if (values.publish) {
  const publication: LabPublication = {
    machine: thisMachine(),
    measured: { date: new Date().toISOString().slice(0, 10), rounds },
    rows,
  };
  writeFileSync('docs/bench-lab.json', `${JSON.stringify(publication, null, 2)}\n`);
  writeFileSync(DOCUMENT, filledIn(readFileSync(DOCUMENT, 'utf8'), tunnelsTable(rows), LAB_COMMAND));
}
