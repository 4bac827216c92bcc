/** Workers' processes that never come to be ready: whoever waits gets the next. Which one is lent is test/unit's. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { identify } from '../../src/host/process.js';
import { workerProgram } from '../../src/manager/worker.js';
import { WorkerPool } from '../../src/manager/worker-pool.js';
import { REPORT_VERSION } from '../../src/session/worker-report.js';
import { LIMIT_MS, until } from './support/wait.js';

/** Milliseconds. One that a crawling machine makes later is given up too, and the next is tried. */
const START_TIMEOUT = 2000;

interface Bench {
  readonly pool: WorkerPool;
  /** The first worker's process id, once it has begun. */
  readonly first: () => number;
  /** What the pool has logged. */
  readonly log: readonly string[];
}

/** A pool whose workers run `program`; `isFirst` tells it whether it is the first of them. */
function benchOf(t: TestContext, program: string, startTimeout = START_TIMEOUT): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-pool-'));
  const first = join(folder, 'first');
  const entry = join(folder, 'worker.cjs');
  const ready = `process.send({ type: 'ready', v: ${REPORT_VERSION} })`;
  writeFileSync(
    entry,
    `const { writeFileSync } = require('node:fs');
     const ready = () => ${ready};
     process.on('disconnect', () => process.exit(0));
     let isFirst = true;
     try {
       writeFileSync(${JSON.stringify(first)}, String(process.pid), { flag: 'wx' });
     } catch {
       isFirst = false;
     }
     if (isFirst) {
       ${program}
     } else ready();`,
  );
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const pool = new WorkerPool({ spare: 0, log, program: workerProgram(entry, startTimeout) });
  t.after(() => {
    pool.close();
    rmSync(folder, { recursive: true });
  });
  return { pool, log: lines, first: () => (existsSync(first) ? Number(readFileSync(first, 'utf8')) : 0) };
}

async function assertSecondServes({ pool, first }: Bench): Promise<void> {
  const worker = await pool.acquire();
  assert.notEqual(worker.pid, first());
  assert.equal(identify(first()), null, 'nothing is left of the one that was given up');
  const { started, ended } = pool.counts;
  assert(ended.beforeReady >= 1);
  assert.deepEqual(ended, { beforeReady: started - 1, inOrder: 0, died: 0 });
  assert.equal(pool.startingCount, 0);
  worker.dismiss();
  await until('it to go', () => pool.counts.ended.inOrder === 1);
}

test('a worker that never says that it is ready is ended, and whoever waits gets the next', async (t) => {
  const bench = benchOf(t, "process.on('SIGTERM', () => undefined);");
  await assertSecondServes(bench);
  assert(bench.log.some((line) => line.includes('did not start in time')));
});

test('a worker that ends by itself before it is ready: whoever waits gets the next', async (t) => {
  await assertSecondServes(benchOf(t, 'process.exit(0);'));
});

test('a worker that says twice that it is ready is lent once', async (t) => {
  const { pool, log } = benchOf(t, 'ready(); ready();', LIMIT_MS);
  const [one, other] = await Promise.all([pool.acquire(), pool.acquire()]);
  assert.notEqual(one.pid, other.pid);
  await until('the second word to have come', () => log.some((line) => line.includes('at a wrong time; ignored')));
  assert.equal(pool.idleCount, 0);
  for (const worker of [one, other]) worker.dismiss();
  await until('both to go', () => pool.counts.ended.inOrder === 2);
});

test('a system that does not even begin to start a process is asked again, at ever longer intervals', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const log = pino({ enabled: false });
  // No path that the system takes: it throws at once, as it does for want of memory.
  const pool = new WorkerPool({ spare: 1, log, program: workerProgram('\0', START_TIMEOUT) });
  t.after(() => pool.close());
  const tries = (): number => pool.counts.ended.beforeReady;
  assert.equal(tries(), 1);
  for (const [seconds, expected] of [
    [0.25, 2],
    [0.25, 2],
    [0.25, 3],
    [1, 4],
  ] as const) {
    t.mock.timers.tick(seconds * 1000);
    assert.equal(tries(), expected);
  }
  assert.equal(pool.startingCount, 0);
});
