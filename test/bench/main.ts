/**
 * `npm run bench`: ours against Debian's pptpd on the same work in the same run, in turn, with ratios and spread.
 *
 *     npm run bench -- [--only ID,...] [--servers builtin,ours,pptpd,floor] [--base FOLDER] [--runs N] [--seconds N] [--publish]
 *
 * With --base ours is compared with another checkout of it (built), in turn as well: `git worktree add`, `scripts/build`.
 * ID is the beginning of a work's id (works.ts). Results go to test/bench/results; with --publish also to docs/ and the
 * README, in the place of what these works gave before.
 * Needs root, the package pptpd, cc, and two processors with nothing else to do.
 */
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/sys/thrown.js';
import { type LoadResult, runBuiltinLoad, runLoad } from './load.js';
import { Network } from './network.js';
import {
  merged,
  type PublishedRow,
  readPublication,
  thisMachine,
  writePublication,
  writeTables,
} from './publication.js';
import { doubts, type Row, rowsOf, table } from './report.js';
import { allocatedBy, samplerEnvironment } from './samples.js';
import { type RunningServer, type ServerName, Servers } from './servers.js';
import { type Work, WORKS } from './works.js';

const RESULTS = 'test/bench/results';
const DOCUMENTS = 'docs';
const SERVERS: readonly ServerName[] = ['builtin', 'ours', 'base', 'pptpd', 'floor'];
/** What servers write goes where /run is on a system that has booted; here that may be a disk. */
const MEMORY = '/dev/shm';
/** Before counting begins, so that V8 has compiled what is hot. */
const WARM_SECONDS = 1;

/** Ends before anything is measured. */
function refuse(problem: string): never {
  console.error(`bench: ${problem}`);
  process.exit(2);
}

function parseArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', default: '' },
        servers: { type: 'string' },
        base: { type: 'string' },
        runs: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '2' },
        publish: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(messageOf(error));
  }
}

const values = parseArguments();
const wanted = values.only.split(',').filter((id) => id !== '');
const works = WORKS.filter(({ id }) => wanted.length === 0 || wanted.some((start) => id.startsWith(start)));
const asked = values.servers?.split(',') ?? SERVERS;
const servers = SERVERS.filter((name) => (name === 'base' ? values.base !== undefined : asked.includes(name)));
const runs = Number(values.runs);
if (works.length === 0) refuse(`no such work; there are ${WORKS.map(({ id }) => id).join(', ')}`);
if (servers.length === 0) refuse(`no such server; there are ${SERVERS.join(', ')}`);
if (!Number.isInteger(runs) || runs < 1) refuse(`--runs ${values.runs} is no number of runs`);
if (!(Number(values.seconds) > 0)) refuse(`--seconds ${values.seconds} is no time`);

const secondsOf = (work: Work): number => work.seconds ?? Number(values.seconds);

/** While it is open the processors do not sleep: waking up would swamp everything. */
function keepAwake(): () => void {
  const file = openSync('/dev/cpu_dma_latency', 'w');
  writeSync(file, new Uint8Array(4));
  return () => closeSync(file);
}

class Bench {
  readonly #directory = mkdtempSync(join(MEMORY, `ptb-${process.pid}-`));
  readonly #network = new Network();
  readonly #servers = new Servers(this.#network, this.#directory, values.base ?? '.');
  readonly #sleep = keepAwake();
  #running: RunningServer | null = null;
  #sampled = 0;

  constructor() {
    // With the builtin engine workers run as another user, who writes what he has sampled there.
    chmodSync(this.#directory, 0o1777);
  }

  async run(work: Work, server: ServerName): Promise<LoadResult> {
    const isSampled = work.sampled === true && server !== 'base';
    const samples = join(this.#directory, `samples-${(this.#sampled += 1)}`);
    this.#running = await this.#servers.start(server, {
      everyCore: work.everyCore === true,
      environment: isSampled ? samplerEnvironment(samples) : {},
    });
    try {
      const options = [...work.options, '--seconds', String(secondsOf(work)), '--warm', String(WARM_SECONDS)];
      if (isSampled) options.push('--sampled');
      const result =
        server === 'builtin'
          ? await runBuiltinLoad(this.#network, this.#servers.runDirectory, options)
          : await runLoad(this.#network, this.#servers.shared, options);
      return isSampled ? { ...result, allocated: await allocatedBy(samples) } : result;
    } finally {
      await this.#running.stop();
      this.#running = null;
      this.#network.killServer();
    }
  }

  async close(): Promise<void> {
    await this.#running?.stop();
    this.#network.close();
    this.#sleep();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function measure(bench: Bench, work: Work): Promise<Row[]> {
  const results = new Map<ServerName, LoadResult[]>();
  const compared = servers.filter((name) => work.servers.includes(name === 'base' ? 'ours' : name));
  for (let run = 1; run <= runs; run += 1) {
    for (const server of compared) {
      const all = results.get(server) ?? [];
      results.set(server, all);
      try {
        const result = await bench.run(work, server);
        all.push(result);
        for (const doubt of doubts(result)) console.error(`${work.id}, ${server}, run ${run}: ${doubt}`);
      } catch (error) {
        console.error(`${work.id}, ${server}, run ${run} failed: ${messageOf(error)}`);
      }
    }
  }
  return rowsOf(work, results);
}

/** The whole so far, so that a run that is broken off leaves what it has. */
function publish(rows: readonly PublishedRow[]): void {
  mkdirSync(RESULTS, { recursive: true });
  writePublication(RESULTS, merged(null, thisMachine(), rows));
  if (!values.publish) return;
  const publication = merged(readPublication(DOCUMENTS), thisMachine(), rows);
  writePublication(DOCUMENTS, publication);
  writeTables(publication.rows);
}

const rows: PublishedRow[] = [];
const bench = new Bench();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    if (rows.length > 0) console.log(table(rows));
    void bench.close().then(() => process.exit(1));
  });
}
try {
  for (const work of works) {
    const measured = { date: new Date().toISOString().slice(0, 10), runs, seconds: secondsOf(work) };
    rows.push(...(await measure(bench, work)).map((row) => ({ ...row, measured })));
    publish(rows);
    console.error(`${work.id} is done`);
  }
} finally {
  if (rows.length > 0) console.log(table(rows));
  await bench.close();
}
