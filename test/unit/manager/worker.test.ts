/** One worker as its manager sees it: what it reports, what becomes of a handoff, and how its process ends. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { HandoffFailed, Worker, type WorkerSessionEvent } from '../../../src/manager/worker.js';
import type { Handoff } from '../../../src/session/handoff.js';
import { runPaths } from '../../../src/session/paths.js';
import { writeRecord } from '../../../src/session/record-writer.js';
import { WORKER_EXIT } from '../../../src/session/worker-report.js';
import { aHandoff } from '../ctrl/a-handoff.js';
import { settled } from '../ctrl/client-socket.js';
import { LogLines } from '../ctrl/log-lines.js';
import { aState } from '../session/a-state.js';
import { type AWorkerProcess, Processes, START_TIMEOUT } from './a-worker-process.js';

const SOCKET = {} as Socket;
const ADOPT_TIMEOUT = 10_000;
const SESSION = 'abc123';

class Fixture {
  readonly lines = new LogLines();
  readonly worker: Worker;
  readonly process: AWorkerProcess;
  readonly runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  /** What happened to the worker, and to its session. */
  readonly told: string[] = [];
  readonly events: WorkerSessionEvent[] = [];
  /** How the handoff ended; undefined: not yet. */
  outcome: 'adopted' | HandoffFailed | undefined;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    mkdirSync(runPaths(this.runDirectory).sessions);
    t.after(() => rmSync(this.runDirectory, { recursive: true }));
    this.#t = t;
    const processes = new Processes();
    this.worker = new Worker(processes.program, this.lines.log);
    const [process] = processes.all;
    assert(process !== undefined);
    this.process = process;
    this.worker.onReady = () => void this.told.push('ready');
    this.worker.onExit = (end) => void this.told.push(end);
  }

  static ready(t: TestContext): Fixture {
    const fixture = new Fixture(t);
    fixture.process.report({ type: 'ready' });
    assert.deepEqual(fixture.told.splice(0), ['ready']);
    return fixture;
  }

  /** One that has been given a client, and has not answered. */
  static given(t: TestContext, session = SESSION): Fixture {
    const fixture = Fixture.ready(t);
    fixture.give(session);
    return fixture;
  }

  static async serving(t: TestContext): Promise<Fixture> {
    const fixture = Fixture.given(t);
    fixture.process.report({ type: 'adopted', session: SESSION });
    await settled();
    assert.equal(fixture.outcome, 'adopted');
    fixture.worker.follow(SESSION, (event) => void fixture.events.push(event));
    return fixture;
  }

  handoff(session = SESSION): Handoff {
    return aHandoff({ runDirectory: this.runDirectory }, { session });
  }

  give(session = SESSION): void {
    this.outcome = undefined;
    void this.worker.adopt(this.handoff(session), SOCKET).then(
      () => (this.outcome = 'adopted'),
      (error: unknown) => {
        assert(error instanceof HandoffFailed);
        this.outcome = error;
      },
    );
  }

  /** Its worker has begun the session: from then on it is no other's. */
  writeRecord(): void {
    const worker = { pid: 4_000_000, startTime: '1' };
    writeRecord(this.runDirectory, { session: SESSION, lease: this.handoff().lease, worker, pppd: null });
  }

  get errors(): string[] {
    return this.lines.at('error');
  }

  pass(milliseconds: number): void {
    this.#t.mock.timers.tick(milliseconds);
  }
}

describe('starting', () => {
  test('a worker is ready when it says so', (t) => {
    const { worker, process, told, ...fixture } = Fixture.ready(t);
    assert.deepEqual([worker.pid, worker.hasServed], [process.pid, false]);
    assert.deepEqual([told, fixture.lines.all], [[], []]);
  });

  test('one that is not ready in time is killed; one that is, never', (t) => {
    const slow = new Fixture(t);
    slow.pass(START_TIMEOUT - 1);
    assert.deepEqual(slow.process.signals, []);
    slow.pass(1);
    assert.deepEqual(slow.process.signals, ['SIGKILL']);
    assert.deepEqual(slow.errors, ['a ctrl worker did not start in time; killing it']);
    t.mock.timers.reset();
    const fast = Fixture.ready(t);
    fast.pass(START_TIMEOUT * 2);
    assert.deepEqual(fast.process.signals, []);
  });

  for (const [how, ends, told] of [
    ['exit code 0', (process) => process.ends(0), 'ended before it was ready: exit code 0'],
    ['a signal', (process) => process.ends(null, 'SIGSEGV'), 'ended before it was ready: signal SIGSEGV'],
    [
      'the exit code that its native modules do not load',
      (process) => process.ends(WORKER_EXIT.nativeModules),
      'its native modules cannot be loaded',
    ],
  ] as const satisfies readonly (readonly [string, (process: AWorkerProcess) => void, string])[]) {
    test(`one that ends with ${how} before it is ready`, (t) => {
      const fixture = new Fixture(t);
      ends(fixture.process);
      assert.deepEqual(fixture.told, ['beforeReady']);
      assert.equal(fixture.errors.length, 1);
      assert(fixture.errors[0]?.includes(told), fixture.errors[0]);
      fixture.pass(START_TIMEOUT);
      assert.deepEqual(fixture.process.signals, []);
      fixture.process.report({ type: 'ready' });
      assert.deepEqual(fixture.told, ['beforeReady'], 'what it has still said comes late');
    });
  }

  test('one that the system does not start ends before it is ready; an error of one that runs ends nothing', (t) => {
    const none = new Fixture(t);
    Object.defineProperty(none.process, 'pid', { value: undefined });
    none.process.fails('spawn EAGAIN');
    assert.deepEqual(none.told, ['beforeReady']);
    t.mock.timers.reset();
    const running = Fixture.ready(t);
    running.process.fails('write EPIPE');
    assert.deepEqual(
      [running.told, running.errors],
      [[], ['a ctrl worker could not be started, or the manager cannot send to it']],
    );
  });

  for (const [code, end] of [
    [0, 'inOrder'],
    [1, 'died'],
    [null, 'died'],
  ] as const) {
    test(`one that was ready and ends with code ${code} has ended: ${end}`, (t) => {
      const { process, told, ...fixture } = Fixture.ready(t);
      process.ends(code, code === null ? 'SIGKILL' : null);
      assert.deepEqual([told, fixture.lines.all], [[end], []]);
    });
  }

  test('one that is dismissed loses its channel, once', (t) => {
    const { worker, process } = Fixture.ready(t);
    worker.dismiss();
    worker.dismiss();
    assert.equal(process.connected, false);
  });
});

describe('a handoff', () => {
  test('goes to the worker with the socket, which stays open here', (t) => {
    const fixture = Fixture.given(t);
    assert.deepEqual(fixture.process.given, [
      { handoff: fixture.handoff(), socket: SOCKET, options: { keepOpen: true } },
    ]);
    assert.equal(fixture.worker.hasServed, true);
  });

  test('is adopted when the worker says so, or tells its session’s state first', async (t) => {
    for (const report of [
      { type: 'adopted', session: SESSION },
      { type: 'state', session: SESSION, state: aState() },
    ] as const) {
      t.mock.timers.reset();
      const fixture = Fixture.given(t);
      await settled();
      assert.equal(fixture.outcome, undefined);
      fixture.process.report(report);
      await settled();
      assert.equal(fixture.outcome, 'adopted');
      fixture.pass(ADOPT_TIMEOUT);
      assert.deepEqual([fixture.process.signals, fixture.errors], [[], []]);
    }
  });

  const failures: Readonly<Record<string, readonly [isWorkerGone: boolean, why: string, (fixture: Fixture) => void]>> =
    {
      'is refused': [
        false,
        'the disk is full',
        ({ process }) => process.report({ type: 'refused', session: SESSION, why: 'the disk is full' }),
      ],
      'meets a worker that dies': [
        true,
        'the ctrl worker died (signal SIGKILL)',
        ({ process }) => process.ends(null, 'SIGKILL'),
      ],
      'meets a worker that ends': [true, 'the ctrl worker died (exit code 0)', ({ process }) => process.ends(0)],
      'is not answered in time': [
        true,
        'the ctrl worker did not answer the handoff',
        (fixture) => {
          fixture.pass(ADOPT_TIMEOUT - 1);
          assert.deepEqual(fixture.process.signals, []);
          fixture.pass(1);
          assert.deepEqual(fixture.process.signals, ['SIGKILL']);
        },
      ],
    };
  for (const [what, [isWorkerGone, why, happen]] of Object.entries(failures)) {
    test(`fails when it ${what}`, async (t) => {
      const fixture = Fixture.given(t);
      happen(fixture);
      await settled();
      assert(fixture.outcome instanceof HandoffFailed);
      assert.deepEqual([fixture.outcome.message, fixture.outcome.isWorkerGone], [why, isWorkerGone]);
    });
  }

  test('fails when it cannot be sent, and the worker is killed', async (t) => {
    const fixture = Fixture.ready(t);
    fixture.process.sendFailure = new Error('channel closed');
    fixture.give();
    await settled();
    assert(fixture.outcome instanceof HandoffFailed && fixture.outcome.isWorkerGone);
    assert.match(fixture.outcome.message, /could not be reached: channel closed/);
    assert.deepEqual(fixture.process.signals, ['SIGKILL']);
  });

  test('is adopted by a worker whose record stands, whether it dies or its answer comes late', async (t) => {
    const dead = Fixture.given(t);
    dead.writeRecord();
    dead.process.ends(null, 'SIGKILL');
    await settled();
    assert.deepEqual([dead.outcome, dead.told], ['adopted', ['died']]);
    dead.worker.follow(SESSION, (event) => void dead.events.push(event));
    assert.deepEqual(dead.events, [{ type: 'workerEnded' }]);
    t.mock.timers.reset();
    const late = Fixture.given(t);
    late.writeRecord();
    late.pass(ADOPT_TIMEOUT);
    await settled();
    assert.deepEqual([late.outcome, late.process.signals], ['adopted', []]);
    late.process.report({ type: 'adopted', session: SESSION });
    assert.deepEqual(late.errors, []);
  });
});

describe('a session', () => {
  const states = (['connected', 'up', 'ending'] as const).map((phase) => aState({ phase }));

  test('tells its states and its end in order, also those of before anybody followed it', async (t) => {
    const fixture = Fixture.given(t);
    const [first, ...rest] = states;
    assert(first !== undefined);
    fixture.process.report({ type: 'state', session: SESSION, state: first });
    fixture.worker.follow(SESSION, (event) => void fixture.events.push(event));
    for (const state of rest) fixture.process.report({ type: 'state', session: SESSION, state });
    fixture.process.report({ type: 'over', session: SESSION });
    assert.deepEqual(fixture.events, [...states.map((state) => ({ type: 'state', state })), { type: 'over' }]);
    assert.deepEqual(fixture.errors, []);
  });

  test('of which the worker does not tell the end has lost its worker', async (t) => {
    const fixture = await Fixture.serving(t);
    fixture.process.ends(0);
    assert.deepEqual([fixture.events, fixture.told], [[{ type: 'workerEnded' }], ['inOrder']]);
  });

  test('that is over has nothing to do with how its worker ends', async (t) => {
    const fixture = await Fixture.serving(t);
    fixture.process.report({ type: 'over', session: SESSION });
    fixture.process.ends(1);
    assert.deepEqual([fixture.events, fixture.told], [[{ type: 'over' }], ['died']]);
  });

  test('leaves a worker that is free again when it says so, for the next', async (t) => {
    const fixture = await Fixture.serving(t);
    fixture.process.report({ type: 'over', session: SESSION });
    fixture.process.report({ type: 'ready' });
    assert.deepEqual(fixture.told, ['ready']);
    fixture.give('second');
    fixture.process.report({ type: 'adopted', session: 'second' });
    await settled();
    assert.deepEqual([fixture.outcome, fixture.events], ['adopted', [{ type: 'over' }]]);
    assert.throws(() => fixture.worker.follow(SESSION, () => undefined), /has no session abc123/);
  });

  const ignored: Readonly<Record<string, readonly [said: RegExp, (fixture: Fixture) => void]>> = {
    'that it is free while it serves': [/ready at a wrong time/, ({ process }) => process.report({ type: 'ready' })],
    'on another session': [
      /on a session that it was not given/,
      ({ process }) => process.report({ type: 'over', session: 'other1' }),
    ],
    'of an unknown kind': [/an invalid report/, ({ process }) => process.emit('message', { v: 1, type: 'bored' })],
    'of another version': [
      /an invalid report/,
      ({ process }) => process.emit('message', { v: 2, type: 'over', session: SESSION }),
    ],
  };
  for (const [what, [said, happen]] of Object.entries(ignored)) {
    test(`a report ${what} is logged and ignored`, async (t) => {
      const fixture = await Fixture.serving(t);
      happen(fixture);
      assert.match(fixture.errors.join(), said);
      assert.deepEqual([fixture.told, fixture.events, fixture.errors.length], [[], [], 1]);
      fixture.process.report({ type: 'over', session: SESSION });
      assert.deepEqual(fixture.events, [{ type: 'over' }]);
    });
  }

  test('that is over is reported on no more', async (t) => {
    const fixture = await Fixture.serving(t);
    fixture.process.report({ type: 'over', session: SESSION });
    fixture.process.report({ type: 'state', session: SESSION, state: aState() });
    assert.deepEqual(fixture.events, [{ type: 'over' }]);
    assert.match(fixture.errors.join(), /on a session that it was not given/);
  });
});
