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
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { GuestProcessor } from './guest-processor.js';
import { tunnelsTable } from './markdown.js';
import { peerOf } from './peers.js';
import { filledIn, LAB_COMMAND, type LabPublication, thisMachine } from './publication.js';
import { table } from './report.js';
import { readMeasured, tunnelRows, withProcessorTime } from './tunnels.js';

const SCENARIO = 'against-pptpd';
const FIGURES = `test/lab/results/${SCENARIO}/figures.jsonl`;
const DOCUMENT = 'docs/performance.md';
/** Of one round, with much to spare. */
const ROUND_SECONDS = 600;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    servers: { type: 'string' },
    only: { type: 'string' },
    base: { type: 'string' },
    peer: { type: 'string' },
    publish: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const peer = values.peer === undefined ? null : peerOf(values.peer);
const isWhole = values.servers === undefined && values.only === undefined;
if (values.publish && !isWhole)
  throw new Error('--publish needs all servers and works: leave out --servers and --only');
const servers = [
  ...(values.servers ?? 'kernel,builtin,ours,pptpd').split(','),
  ...(values.base === undefined ? [] : ['base']),
  ...(peer === null ? [] : ['peer']),
];

const lab = spawn('bash', ['scripts/lab', SCENARIO], {
  stdio: 'inherit',
  env: {
    ...process.env,
    LAB_ROUNDS: String(rounds),
    LAB_SERVERS: servers.join(' '),
    LAB_WORKS: (values.only ?? '').replaceAll(',', ' '),
    LAB_BASE: values.base === undefined ? '' : realpathSync(values.base),
    LAB_PEER: peer?.name ?? '',
    LAB_PEER_PROGRAM: peer?.program ?? '',
    LAB_TIMEOUT: String(rounds * ROUND_SECONDS),
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
if (values.publish) {
  const publication: LabPublication = {
    machine: thisMachine(),
    measured: { date: new Date().toISOString().slice(0, 10), rounds },
    rows,
  };
  writeFileSync('docs/bench-lab.json', `${JSON.stringify(publication, null, 2)}\n`);
  writeFileSync(DOCUMENT, filledIn(readFileSync(DOCUMENT, 'utf8'), tunnelsTable(rows), LAB_COMMAND));
}
