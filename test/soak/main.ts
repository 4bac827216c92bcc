/**
 * `npm run soak`: hours of clients coming and going, and whether anything is left, lost or grown.
 *
 *     npm run soak -- [--minutes N] [--logins N] [--loss N] [--stay N] [--every N] [--seed N] [--publish]
 *
 * N minutes (60), logins in all (10000 an hour), percent of packets lost each way (5), seconds that a client stays on
 * average (8), seconds between samples (5). Results go to test/soak/results; with --publish the picture also to docs/.
 * Needs root and nftables, and no PPP in the kernel: pppd is a stand-in.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { enterNamespace } from '../process/support/netns.js';
import { findings, soakChart, table } from './report.js';
import { ADDRESSES, soak } from './run.js';
import type { Sample } from './sampler.js';

const RESULTS = 'test/soak/results';
const LOGINS_PER_MINUTE = 10_000 / 60;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    logins: { type: 'string' },
    loss: { type: 'string', default: '5' },
    stay: { type: 'string', default: '8' },
    every: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() >>> 0) },
    publish: { type: 'boolean', default: false },
  },
});

enterNamespace(...ADDRESSES);

/** The line that a terminal shows in place of the last one. */
function progress({ seconds, logins, sessions, lent, managerMemory, workers, workersMemory }: Sample): void {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  const line = `${minutes}:${String(rest).padStart(2, '0')}  ${logins} logins, ${sessions} sessions, ${lent ?? '?'} addresses lent, manager ${managerMemory?.toFixed(1) ?? '-'} MiB, ${workers} workers ${workersMemory.toFixed(0)} MiB`;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
  else if (rest < Number(values.every)) console.log(line);
}

const minutes = Number(values.minutes);
const options = {
  minutes,
  logins: Math.round(Number(values.logins ?? minutes * LOGINS_PER_MINUTE)),
  loss: Number(values.loss) * 10,
  stay: Number(values.stay),
  every: Number(values.every),
  seed: Number(values.seed),
};
console.log(`seed ${options.seed}`);
const result = await soak(options, progress);
const found = findings(result);
const machine = { processor: cpus()[0]?.model, processors: cpus().length, kernel: release(), node: process.version };
mkdirSync(RESULTS, { recursive: true });
writeFileSync(
  join(RESULTS, 'soak.json'),
  `${JSON.stringify({ date: new Date().toISOString(), machine, findings: found, ...result }, null, 1)}\n`,
);
for (const folder of [RESULTS, ...(values.publish ? ['docs'] : [])]) {
  writeFileSync(join(folder, 'soak.svg'), soakChart(result));
}
const counts = (title: string, all: Readonly<Record<string, number>>): string =>
  `${title}\n${Object.entries(all)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`)
    .join('\n')}`;
console.log(`\n${table(found)}\n\n${counts('Ends', result.endings)}\n\n${counts('In the log', result.words)}`);
if (found.some(({ good }) => !good)) process.exitCode = 1;
