/** Which worker is lent, when another is started and when one is let go: with processes that the test starts and ends. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, test, type TestContext } from 'node:test';
import { WorkerPool } from '../../../src/manager/worker-pool.js';
import type { Worker } from '../../../src/manager/worker.js';
import { aHandoff } from '../ctrl/a-handoff.js';
import { settled } from '../ctrl/client-socket.js';
import { LogLines } from '../ctrl/log-lines.js';
import { type AWorkerProcess, Processes } from './a-worker-process.js';

const REPLENISH = 500;
const SURPLUS = 10_000;
/** So many are started at once at most. */
const MAX_STARTING = Math.max(2, availableParallelism());

class Fixture {
  readonly lines = new LogLines();
  readonly processes = new Processes();
  readonly pool: WorkerPool;
  readonly #t: TestContext;

  constructor(t: TestContext, spare: number, { refuses = false } = {}) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    this.#t = t;
    this.processes.refuses = refuses;
    this.pool = new WorkerPool({ spare, log: this.lines.log, program: this.processes.program });
  }

  /** One whose spare workers are all ready. */
  static filled(t: TestContext, spare: number): Fixture {
    const fixture = new Fixture(t, spare);
    while (fixture.pool.startingCount > 0) fixture.readyAll();
    assert.equal(fixture.pool.idleCount, spare);
    return fixture;
  }

  process(number: number): AWorkerProcess {
    const process = this.processes.all[number - 1];
    assert(process !== undefined, `${number} workers have been started`);
    return process;
  }

  /** Every worker that is starting is ready. */
  readyAll(): void {
    const ready = this.pool.counts.started - this.pool.startingCount;
    for (const process of this.processes.all.slice(ready)) process.report({ type: 'ready' });
  }

  /** Idle, starting, started. */
  get numbers(): number[] {
    return [this.pool.idleCount, this.pool.startingCount, this.pool.counts.started];
  }

  /** Asks, and tells when it has got one. */
  ask(): { readonly worker: Worker | null } {
    const asked: { worker: Worker | null } = { worker: null };
    void this.pool.acquire().then((worker) => (asked.worker = worker));
    return asked;
  }

  /** A client's session on this worker, from its handoff to its end. */
  async serve(worker: Worker, session = 'abc123'): Promise<void> {
    const adopted = worker.adopt(aHandoff({ runDirectory: '/nonexistent' }, { session }), {} as never);
    const process = this.processes.all.find(({ pid }) => pid === worker.pid);
    process?.report({ type: 'adopted', session });
    await adopted;
    process?.report({ type: 'over', session });
    process?.report({ type: 'ready' });
  }

  pass(milliseconds: number): void {
    this.#t.mock.timers.tick(milliseconds);
  }
}

describe('starting workers', () => {
  test('as many as are to be spare, a few at a time', (t) => {
    const spare = MAX_STARTING + 2;
    const fixture = new Fixture(t, spare);
    assert.deepEqual(fixture.numbers, [0, MAX_STARTING, MAX_STARTING]);
    fixture.process(1).report({ type: 'ready' });
    assert.deepEqual(fixture.numbers, [1, MAX_STARTING, MAX_STARTING + 1]);
    fixture.readyAll();
    fixture.readyAll();
    fixture.pass(60_000);
    assert.deepEqual(fixture.numbers, [spare, 0, spare]);
  });

  test('for whoever waits, besides those that are to be spare', async (t) => {
    const fixture = new Fixture(t, 0);
    assert.equal(fixture.pool.counts.started, 0);
    const [first, second] = [fixture.ask(), fixture.ask()];
    assert.deepEqual(fixture.numbers, [0, 2, 2]);
    fixture.process(2).report({ type: 'ready' });
    await settled();
    assert.deepEqual([first.worker?.pid, second.worker], [fixture.process(2).pid, null], 'in the order of asking');
    fixture.process(1).report({ type: 'ready' });
    await settled();
    assert.equal(second.worker?.pid, fixture.process(1).pid);
    assert.deepEqual(fixture.numbers, [0, 0, 2]);
  });

  test('at once when the last idle one is lent', (t) => {
    const fixture = Fixture.filled(t, 1);
    fixture.ask();
    assert.deepEqual(fixture.numbers, [0, 1, 2]);
  });

  test('after half a second when others are idle, if there are still too few', async (t) => {
    const fixture = Fixture.filled(t, 2);
    for (let started = 2; started < 5; started += 1) {
      await fixture.pool.acquire();
      fixture.pass(REPLENISH - 1);
      assert.deepEqual(fixture.numbers, [1, 0, started]);
      fixture.pass(1);
      assert.deepEqual(fixture.numbers, [1, 1, started + 1]);
      fixture.readyAll();
    }
  });

  test('not while others come back within half a second', async (t) => {
    const fixture = Fixture.filled(t, 2);
    fixture.pool.giveBack(await fixture.pool.acquire());
    fixture.pass(REPLENISH - 50);
    fixture.ask();
    await settled();
    fixture.pass(REPLENISH - 50);
    assert.equal(fixture.pool.counts.started, 2);
    fixture.pass(50);
    assert.equal(fixture.pool.counts.started, 3);
  });

  test('not when more than enough are idle', async (t) => {
    const fixture = Fixture.filled(t, 1);
    fixture.pool.setSpare(2);
    fixture.readyAll();
    fixture.pool.giveBack(await fixture.pool.acquire());
    fixture.pool.setSpare(1);
    fixture.pass(60_000);
    assert.equal(fixture.pool.counts.started, 2);
  });

  test('half a second after an idle one has ended', (t) => {
    const fixture = Fixture.filled(t, 2);
    fixture.process(2).ends(null, 'SIGKILL');
    assert.deepEqual(fixture.numbers, [1, 0, 2]);
    fixture.pass(REPLENISH);
    assert.deepEqual(fixture.numbers, [1, 1, 3]);
    assert.deepEqual(fixture.pool.counts.ended, { beforeReady: 0, inOrder: 0, died: 1 });
  });

  test('not in place of one that has ended with its client, while enough are idle', async (t) => {
    const fixture = Fixture.filled(t, 1);
    const worker = await fixture.pool.acquire();
    fixture.readyAll();
    fixture.processes.all.find(({ pid }) => pid === worker.pid)?.ends(0);
    fixture.pass(60_000);
    assert.deepEqual(fixture.numbers, [1, 0, 2]);
    assert.deepEqual(fixture.pool.counts.ended, { beforeReady: 0, inOrder: 1, died: 0 });
  });
});

describe('workers that do not come to be ready', () => {
  test('are replaced at ever longer intervals, half a minute at most, until one is ready', (t) => {
    const fixture = new Fixture(t, 1);
    let started = 1;
    for (const delay of [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      fixture.process(started).ends(1);
      assert.equal(fixture.pool.startingCount, 0);
      fixture.pass(delay - 1);
      assert.equal(fixture.pool.counts.started, started, `not before ${delay} ms`);
      fixture.pass(1);
      started += 1;
      assert.equal(fixture.pool.counts.started, started, `after ${delay} ms`);
    }
    assert.equal(fixture.pool.counts.ended.beforeReady, started - 1);
    fixture.process(started).report({ type: 'ready' });
    fixture.process(started).ends(1);
    fixture.pass(REPLENISH);
    fixture.process(started + 1).ends(1);
    fixture.pass(250);
    assert.equal(fixture.pool.counts.started, started + 2, 'it counts from nothing again');
  });

  test('keep nobody waiting who asks meanwhile: whoever waits gets the next', async (t) => {
    const fixture = new Fixture(t, 0);
    const asked = fixture.ask();
    fixture.process(1).ends(1);
    fixture.ask();
    assert.equal(fixture.pool.counts.started, 1, 'nor is one started at once for somebody else');
    fixture.pass(250);
    fixture.process(2).report({ type: 'ready' });
    await settled();
    assert.equal(asked.worker?.pid, fixture.process(2).pid);
  });

  test('put off the next attempt, each of them', (t) => {
    const fixture = new Fixture(t, 2);
    fixture.process(1).ends(1);
    fixture.pass(100);
    fixture.process(2).ends(1);
    fixture.pass(499);
    assert.equal(fixture.pool.counts.started, 2);
    fixture.pass(1);
    assert.equal(fixture.pool.counts.started, 4);
  });

  test('because the system refuses to start them are tried again as well', (t) => {
    const fixture = new Fixture(t, 2, { refuses: true });
    assert.deepEqual(fixture.pool.counts, { started: 1, ended: { beforeReady: 1, inOrder: 0, died: 0 } });
    assert.deepEqual(fixture.lines.at('error'), ['a ctrl worker could not be started']);
    fixture.pass(250);
    assert.equal(fixture.pool.counts.ended.beforeReady, 2);
    fixture.processes.refuses = false;
    fixture.pass(499);
    assert.equal(fixture.pool.startingCount, 0);
    fixture.pass(1);
    assert.deepEqual(fixture.numbers, [0, 2, 4]);
  });
});

describe('lending', () => {
  test('the worker that served last goes first, those that have served nobody last', async (t) => {
    const fixture = Fixture.filled(t, 3);
    const [one, two] = [await fixture.pool.acquire(), await fixture.pool.acquire()];
    await fixture.serve(two);
    await fixture.serve(one);
    fixture.pool.giveBack(await fixture.pool.acquire());
    const order: (number | undefined)[] = [];
    for (let count = 0; count < 3; count += 1) order.push((await fixture.pool.acquire()).pid);
    assert.deepEqual(order.slice(0, 2), [one.pid, two.pid]);
  });

  test('a worker that comes back goes to whoever waits', async (t) => {
    const fixture = Fixture.filled(t, 1);
    const worker = await fixture.pool.acquire();
    const asked = fixture.ask();
    fixture.pool.giveBack(worker);
    await settled();
    assert.equal(asked.worker, worker);
  });

  test('a worker that has ended is not lent', async (t) => {
    const fixture = Fixture.filled(t, 2);
    fixture.process(1).ends(1);
    const worker = await fixture.pool.acquire();
    assert.equal(worker.pid, fixture.process(2).pid);
    assert.equal(fixture.pool.idleCount, 0);
  });
});

describe('workers that are too many', () => {
  const dismissed = ({ processes }: Fixture): number => processes.all.filter(({ connected }) => !connected).length;

  /** One spare worker is wanted, and two are idle; the first of them has served. */
  async function oneTooMany(t: TestContext): Promise<Fixture> {
    const fixture = Fixture.filled(t, 1);
    fixture.pass(SURPLUS / 2);
    const worker = await fixture.pool.acquire();
    fixture.readyAll();
    await fixture.serve(worker);
    assert.equal(fixture.pool.idleCount, 2);
    return fixture;
  }

  test('go after ten seconds, and first those that have served nobody', async (t) => {
    const fixture = await oneTooMany(t);
    fixture.pass(SURPLUS - 1);
    assert.equal(dismissed(fixture), 0);
    fixture.pass(1);
    assert.deepEqual([fixture.process(1).connected, fixture.process(2).connected], [true, false]);
    assert.equal(fixture.pool.idleCount, 1);
  });

  test('are looked at ten seconds after the first of them came, and again for those that come later', async (t) => {
    const fixture = await oneTooMany(t);
    fixture.pass(SURPLUS - 1);
    fixture.pool.giveBack(await fixture.pool.acquire());
    fixture.pass(1);
    assert.equal(dismissed(fixture), 1);
    const worker = await fixture.pool.acquire();
    fixture.readyAll();
    fixture.pool.giveBack(worker);
    fixture.pass(SURPLUS - 1);
    assert.equal(dismissed(fixture), 1);
    fixture.pass(1);
    assert.equal(dismissed(fixture), 2);
  });

  test('stay when they are lent in time', async (t) => {
    const fixture = await oneTooMany(t);
    await fixture.pool.acquire();
    fixture.pass(SURPLUS);
    assert.deepEqual([dismissed(fixture), fixture.pool.idleCount], [0, 1]);
  });

  test('go at once when the configuration wants fewer; when it wants more they are started', (t) => {
    const fixture = Fixture.filled(t, 2);
    fixture.pool.setSpare(1);
    assert.deepEqual([dismissed(fixture), fixture.pool.idleCount], [1, 1]);
    fixture.pool.setSpare(2);
    assert.deepEqual(fixture.numbers, [1, 1, 3]);
  });
});

describe('closing', () => {
  test('lets idle and starting workers go, and starts no more', async (t) => {
    const fixture = Fixture.filled(t, 2);
    fixture.pool.setSpare(3);
    assert.deepEqual(fixture.numbers, [2, 1, 3]);
    fixture.pool.close();
    assert.deepEqual(
      fixture.processes.all.map(({ connected }) => connected),
      [false, false, false],
    );
    assert.equal(fixture.pool.idleCount, 0);
    for (const process of fixture.processes.all) process.ends(0);
    fixture.pass(60_000);
    assert.equal(fixture.pool.counts.started, 3);
    fixture.pool.close();
  });

  test('lets a worker go that comes back later', async (t) => {
    const fixture = Fixture.filled(t, 1);
    const worker = await fixture.pool.acquire();
    fixture.ask();
    fixture.pool.close();
    await fixture.serve(worker);
    assert.equal(fixture.process(1).connected, false);
    assert.equal(fixture.pool.idleCount, 0);
  });

  test('stops everything that was to happen later', async (t) => {
    const replenishing = Fixture.filled(t, 2);
    await replenishing.pool.acquire();
    replenishing.pool.close();
    replenishing.pass(60_000);
    assert.equal(replenishing.pool.counts.started, 2);
    t.mock.timers.reset();
    const retrying = new Fixture(t, 1, { refuses: true });
    retrying.pool.close();
    retrying.pass(60_000);
    assert.equal(retrying.pool.counts.started, 1);
  });
});
