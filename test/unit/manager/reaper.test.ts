/** What is ended of a session whose worker died: its processes, and no other's. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { endProcesses } from '../../../src/manager/reaper.js';
import type { SessionRecord } from '../../../src/session/record.js';
import { settled } from '../ctrl/client-socket.js';
import { ProcessTable } from './process-table.js';

const PPPD_EXIT = 3000;
const LEASE = { local: '203.0.113.1', remote: '203.0.113.10', callId: 4711 };

class Fixture {
  readonly processes = new ProcessTable();
  readonly worker = this.processes.start();
  readonly pppd = this.processes.start();
  isOver = false;
  readonly #t: TestContext;
  #now = 5000;

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    t.mock.method(performance, 'now', () => this.#now);
    this.#t = t;
  }

  begin(parts: Partial<SessionRecord> = {}): void {
    const record = { session: 'dead11', lease: LEASE, worker: this.worker, pppd: this.pppd, ...parts };
    void endProcesses(record, PPPD_EXIT, this.processes).then(() => (this.isOver = true));
  }

  /** In steps in which it looks. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      this.#now += 100;
      this.#t.mock.timers.tick(100);
      await settled();
    }
  }

  /** The signals that worker and pppd were sent. */
  get signals(): string[] {
    const { worker, pppd, processes } = this;
    return processes.signals.map((each) => each.replace(`${worker.pid}`, 'worker').replace(`${pppd.pid}`, 'pppd'));
  }
}

test('the worker is killed, and pppd told to end; it is over when that has ended', async (t) => {
  const fixture = new Fixture(t);
  fixture.processes.withstood.add('SIGTERM');
  fixture.begin();
  await fixture.pass(500);
  assert.deepEqual([fixture.signals, fixture.isOver], [['SIGKILL worker', 'SIGTERM pppd'], false]);
  fixture.processes.end(fixture.pppd);
  await fixture.pass(100);
  assert.deepEqual([fixture.signals.length, fixture.isOver], [2, true]);
});

test('a pppd that does not end in time is killed, and no sooner', async (t) => {
  const fixture = new Fixture(t);
  fixture.processes.withstood.add('SIGTERM');
  fixture.begin();
  await fixture.pass(PPPD_EXIT - 100);
  assert.deepEqual(fixture.signals.slice(2), []);
  await fixture.pass(100);
  assert.deepEqual([fixture.signals.slice(2), fixture.isOver], [['SIGKILL pppd'], false]);
  await fixture.pass(100);
  assert.deepEqual([fixture.signals.length, fixture.isOver], [3, true]);
});

test('one that is killed and does not end is killed again, until it ends', async (t) => {
  const fixture = new Fixture(t);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) fixture.processes.withstood.add(signal);
  fixture.begin();
  await fixture.pass(PPPD_EXIT + 200);
  assert.deepEqual([fixture.signals.slice(2), fixture.isOver], [Array(3).fill('SIGKILL pppd'), false]);
});

test('without a pppd it is over at once', async (t) => {
  const fixture = new Fixture(t);
  fixture.begin({ pppd: null });
  await settled();
  assert.deepEqual([fixture.signals, fixture.isOver], [['SIGKILL worker'], true]);
});

test('a pppd that may not be signalled is not waited for', async (t) => {
  const fixture = new Fixture(t);
  fixture.begin({ pppd: { ...fixture.pppd, startTime: '1' } });
  await settled();
  assert.deepEqual([fixture.signals, fixture.isOver], [['SIGKILL worker'], true]);
});
