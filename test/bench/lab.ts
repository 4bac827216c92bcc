/**
 * `npm run bench:lab`: ours with each engine and Debian's pptpd through real tunnels, in turn in one guest of the
 * lab.
 *
 *     npm run bench:lab -- [--rounds N] [--servers kernel,builtin,ours,pptpd] [--only fast,mppe,plain,window]
 *                          [--base FOLDER] [--peer accel-ppp=PATH] [--publish]
 *
 * With --base another checkout (built) takes turns with its builtin engine and TUN devices; with --peer another server,
 * whose program has that path (peers.ts).
 * Runs the scenario against-pptpd and prints its table; with --publish also docs/bench-lab.json and the table of
 * docs/performance.md. Needs root, what `scripts/setup guest` installs, and a processor with nothing else to do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../src/sys/thrown.js';
import { GuestProcessor } from './guest-processor.js';
import { type LabOptions, labOptions } from './lab-options.js';
import { tunnelsTable } from './markdown.js';
import { filledIn, LAB_COMMAND, type LabPublication, thisMachine } from './publication.js';
import { table } from './report.js';
import { readMeasured, tunnelRows, withProcessorTime } from './tunnels.js';

const SCENARIO = 'against-pptpd';
const FIGURES = `test/lab/results/${SCENARIO}/figures.jsonl`;
const DOCUMENT = 'docs/performance.md';
/** Of one server's turn, with much to spare. */
const TURN_SECONDS = 240;

function readOptions(): LabOptions {
  try {
    return labOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`bench:lab: ${messageOf(error)}`);
    return process.exit(2);
  }
}

const { rounds, publish, servers, works, base, peer } = readOptions();
const lab = spawn('bash', ['scripts/lab', SCENARIO], {
  stdio: 'inherit',
  env: {
    ...process.env,
    LAB_ROUNDS: String(rounds),
    LAB_SERVERS: servers.join(' '),
    LAB_WORKS: works.join(' '),
    LAB_BASE: base ?? '',
    LAB_PEER: peer?.name ?? '',
    LAB_PEER_PROGRAM: peer?.program ?? '',
    // The first turns only warm up.
    LAB_TIMEOUT: String((rounds + 1) * servers.length * TURN_SECONDS),
    RESULTS: '',
  },
});
// scripts/lab ends its guest when it is told to.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => lab.kill(signal));
const guest = new GuestProcessor(lab.pid ?? 0);
const [status] = await once(lab, 'close');
guest.close();
if (status !== 0) process.exit(1);

const rows = tunnelRows(withProcessorTime(readMeasured(readFileSync(FIGURES, 'utf8')), guest.samples));
console.log(table(rows));
if (publish) {
  const publication: LabPublication = {
    machine: thisMachine(),
    measured: { date: new Date().toISOString().slice(0, 10), rounds },
    rows,
  };
  writeFileSync('docs/bench-lab.json', `${JSON.stringify(publication, null, 2)}\n`);
  writeFileSync(DOCUMENT, filledIn(readFileSync(DOCUMENT, 'utf8'), tunnelsTable(rows), LAB_COMMAND));
}
