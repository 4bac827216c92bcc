/**
 * The registry on a run directory with unexpected contents: stale sockets, folders and links under a session's name, invalid or
 * false records, sockets with another protocol. It kills no other process, and leases nothing twice.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { Leases } from '../../../src/manager/leases.js';
import { Registry } from '../../../src/manager/registry.js';
import type { SessionWorker } from '../../../src/manager/session-handle.js';
import type { WorkerSessionEvent } from '../../../src/manager/worker.js';
import { runPaths, sessionRecordPath, sessionSocketPath } from '../../../src/session/paths.js';
import type { SessionRecord } from '../../../src/session/record.js';
import type { SessionState } from '../../../src/session/state.js';
import { removeSessionFiles, writeRecord } from '../../../src/session/record-writer.js';
import { settled } from '../ctrl/client-socket.js';
import { aState } from '../session/a-state.js';
import { type Asked, ASession, greeting, readRequests, say, Sockets } from './a-session.js';
import { ProcessTable } from './process-table.js';

const LOCAL = '203.0.113.1';
const [FIRST, SECOND] = ['203.0.113.10', '203.0.113.11'] as const;
const LEASE = { local: LOCAL, remote: FIRST, callId: 4711 } as const;
const NOBODY = { pid: 4_000_000, startTime: '1' } as const;

/** Milliseconds: from a handoff to the first connection, and between two attempts to connect. */
const CLIENT_FIRST = 5;
const RETRY = 5000;

/** A run directory, and the registry of a manager with two addresses. */
class Fixture {
  readonly runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  readonly leases = new Leases({
    pairs: [FIRST, SECOND].map((remote) => ({ local: LOCAL, remote })),
    delegated: null,
    connections: 0,
  });
  readonly processes = new ProcessTable();
  readonly sockets = new Sockets();
  readonly words: string[] = [];
  readonly registry: Registry;

  readonly #t: TestContext;
  #now = 1000;

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    t.mock.method(performance, 'now', () => this.#now);
    this.#t = t;
    mkdirSync(runPaths(this.runDirectory).sessions);
    const log = pino({ level: 'warn' }, { write: (line: string) => void this.words.push(line) });
    this.registry = new Registry({
      runDirectory: this.runDirectory,
      leases: this.leases,
      log,
      pppdExitMs: () => 200,
      processes: this.processes,
      connect: this.sockets.connect,
    });
    t.after(() => {
      this.registry.detach();
      rmSync(this.runDirectory, { recursive: true });
    });
  }

  path(name: string): string {
    return join(runPaths(this.runDirectory).sessions, name);
  }

  get files(): string[] {
    return readdirSync(runPaths(this.runDirectory).sessions).toSorted();
  }

  record(id: string, parts: Partial<SessionRecord> = {}): void {
    writeRecord(this.runDirectory, { session: id, lease: LEASE, worker: NOBODY, pppd: null, ...parts });
  }

  /** Something listens as this session. */
  listen(id: string, onConnection: (socket: Duplex) => void): void {
    this.sockets.listen(sessionSocketPath(this.runDirectory, id), onConnection);
  }

  /** Something that listens as a session, and says this to whoever comes. */
  stranger(id: string, ...lines: readonly unknown[]): void {
    this.listen(id, (socket) => {
      for (const line of lines)
        if (typeof line === 'string') socket.write(line);
        else say(socket, line);
    });
  }

  /** A session that lives. */
  session(id: string, parts: Partial<SessionState> = {}): ASession {
    const { local, remote, callId } = LEASE;
    const session = new ASession(aState({ session: id, callId, tunnel: { local, remote }, phase: 'up', ...parts }));
    this.listen(id, session.serve);
    return session;
  }

  async pass(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    this.#t.mock.timers.tick(milliseconds);
    await settled();
  }

  /** How often that was said, a warning or worse; all of them with ''. */
  warnings(words: string): number {
    return this.words.filter((line) => line.includes(words)).length;
  }

  /** The address that the next client gets. */
  next(): string | null | undefined {
    return this.leases.take()?.remote;
  }
}

/** A session's worker, told by hand. */
class Told implements SessionWorker {
  session = '';
  tell: (event: WorkerSessionEvent) => void = () => undefined;
  killed = 0;

  follow(session: string, onEvent: (event: WorkerSessionEvent) => void): void {
    this.session = session;
    this.tell = onEvent;
  }

  kill(): void {
    this.killed += 1;
  }
}

interface Begun {
  readonly fixture: Fixture;
  readonly worker: Told;
  /** What the registry has told of its sessions. */
  readonly told: unknown[];
}

/** A session of a worker that this manager has started. */
function begun(t: TestContext, fixture = new Fixture(t), id = 'own111'): Begun {
  const lease = fixture.leases.take() ?? { ...LEASE, remote: null, callId: 4713 };
  const worker = new Told();
  const told: unknown[] = [];
  fixture.registry.watch({
    entered: (session, found) => void told.push([session, found]),
    changed: ({ phase }, before) => void told.push([phase, before?.phase ?? null]),
    over: (session, last, died) => void told.push([session, last?.phase ?? null, died]),
  });
  fixture.registry.add(id, lease, '198.51.100.7', worker);
  return { fixture, worker, told };
}

test('files that belong to no session stay, and stale files of sessions are removed', async (t) => {
  const fixture = new Fixture(t);
  writeFileSync(fixture.path('README'), 'not a session');
  writeFileSync(fixture.path('stale1.sock'), 'a file');
  writeFileSync(fixture.path('junk11.json'), '{"session":"junk11","lea');
  symlinkSync('/nowhere', fixture.path('link11.sock'));
  mkdirSync(fixture.path('folder.sock'));
  mkdirSync(fixture.path('record.json'));
  fixture.record('dead11');
  await fixture.registry.recover();
  assert.deepEqual(fixture.files, ['README', 'folder.sock', 'record.json']);
  assert.equal(fixture.registry.count, 0);
  assert.deepEqual([fixture.next(), fixture.next()], [FIRST, SECOND]);
});

test('the lease of a dead session is returned even if its socket was replaced by a folder', async (t) => {
  const fixture = new Fixture(t);
  fixture.record('dead11');
  mkdirSync(fixture.path('dead11.sock'));
  await fixture.registry.recover();
  assert.equal(fixture.registry.count, 0);
  assert.equal(fixture.next(), FIRST);
  assert(fixture.words.some((line) => line.includes('cannot remove')));
});

describe('a false record', () => {
  test('of a process with another start time kills nobody', async (t) => {
    const fixture = new Fixture(t);
    const { pid } = fixture.processes.start();
    fixture.record('liar11', { worker: { pid, startTime: '1' }, pppd: { pid, startTime: '2' } });
    await fixture.registry.recover();
    assert.deepEqual([fixture.files, fixture.processes.signals], [[], []]);
  });

  test('under another session’s name is ignored', async (t) => {
    const fixture = new Fixture(t);
    const identity = fixture.processes.start();
    fixture.record('living', { worker: identity });
    writeFileSync(
      fixture.path('copied.json'),
      JSON.stringify({ session: 'living', lease: LEASE, worker: identity, pppd: identity }),
    );
    fixture.session('living');
    await fixture.registry.recover();
    assert.deepEqual(fixture.files, ['living.json', 'living.sock']);
    assert.deepEqual(fixture.processes.signals, []);
  });

  test('with the lease of a live session does not free that lease', async (t) => {
    const fixture = new Fixture(t);
    for (const id of ['000000', 'living', 'zzzzzz']) fixture.record(id);
    fixture.session('living');
    await fixture.registry.recover();
    assert.deepEqual(fixture.files, ['living.json', 'living.sock']);
    assert.deepEqual([fixture.next(), fixture.next()], [SECOND, undefined]);
  });
});

describe('an address that PPP agreed is not leased, and the lease’s own address is free', () => {
  test('reported by the session that is found', async (t) => {
    const fixture = new Fixture(t);
    fixture.record('living');
    fixture.session('living', { tunnel: { local: LOCAL, remote: SECOND } });
    await fixture.registry.recover();
    assert.deepEqual([fixture.next(), fixture.next()], [FIRST, undefined]);
  });

  test('according to the record of a session that does not answer', async (t) => {
    const fixture = new Fixture(t);
    fixture.record('mute11', { worker: fixture.processes.start(), agreedRemote: SECOND });
    fixture.stranger('mute11', { greeting: 'pptpd-ts', v: 99, session: 'mute11', version: '9' });
    await fixture.registry.recover();
    assert.deepEqual([fixture.next(), fixture.next()], [FIRST, undefined]);
  });
});

test('a live session with a damaged record is taken over with the lease that it reports', async (t) => {
  const fixture = new Fixture(t);
  fixture.session('living');
  writeFileSync(sessionRecordPath(fixture.runDirectory, 'living'), 'garbage');
  await fixture.registry.recover();
  assert.equal(fixture.registry.count, 1);
  assert.deepEqual([fixture.next(), fixture.next()], [SECOND, undefined]);
});

test('a link to another session’s socket is not a session', async (t) => {
  const fixture = new Fixture(t);
  fixture.session('living');
  fixture.record('living');
  symlinkSync(sessionSocketPath(fixture.runDirectory, 'living'), fixture.path('linked.sock'));
  await fixture.registry.recover();
  assert.equal(fixture.registry.count, 1);
  assert(existsSync(fixture.path('linked.sock')));
});

describe('a session that sends something unknown is not treated as dead: its worker lives, it keeps its address', () => {
  const greets = greeting('odd111');
  const strangers: Readonly<Record<string, readonly unknown[]>> = {
    'a message of another version': [greets, { new: 'thing' }],
    'no JSON': [greets, '{"half":\n'],
    'a greeting of another version': [{ ...greets, v: 99 }],
    garbage: ['\0\xff\n'],
    'a line without an end': ['x'.repeat(5 * 1024 * 1024)],
  };
  for (const [what, lines] of Object.entries(strangers)) {
    test(what, async (t) => {
      const fixture = new Fixture(t);
      fixture.record('odd111', { worker: fixture.processes.start() });
      fixture.stranger('odd111', ...lines);
      await fixture.registry.recover();
      await settled();
      assert.equal(fixture.warnings('it keeps its address'), 1);
      assert.deepEqual(fixture.processes.signals, []);
      assert.equal(fixture.registry.count, 1);
      assert.equal(fixture.next(), SECOND);
    });
  }

  test('a greeting that does not come in time', async (t) => {
    const fixture = new Fixture(t);
    fixture.record('odd111', { worker: fixture.processes.start() });
    fixture.stranger('odd111');
    const recovered = fixture.registry.recover();
    await settled();
    await fixture.pass(3000);
    await recovered;
    assert.equal(fixture.warnings('it keeps its address'), 1);
    assert.equal(fixture.next(), SECOND);
  });
});

test('a session that disconnects its manager and lives is found again', async (t) => {
  const fixture = new Fixture(t);
  const session = fixture.session('living');
  fixture.record('living', { worker: fixture.processes.start() });
  await fixture.registry.recover();
  session.hangUp();
  await settled();
  assert.equal(fixture.registry.endingCount, 0);
  session.publish({ phase: 'negotiating' });
  await settled();
  assert.equal(fixture.registry.states[0]?.phase, 'negotiating');
  assert.deepEqual([fixture.processes.signals, fixture.registry.count, fixture.sockets.count], [[], 1, 2]);
});

test('a living session whose socket somebody has removed is not killed, keeps its address, and is looked for again', async (t) => {
  const fixture = new Fixture(t);
  fixture.record('living', { worker: fixture.processes.start() });
  await fixture.registry.recover();
  assert.equal(fixture.warnings('it keeps its address'), 1);
  assert.deepEqual(fixture.processes.signals, []);
  assert.equal(fixture.next(), SECOND);
  fixture.session('living');
  await fixture.pass(RETRY);
  assert.equal(fixture.registry.states[0]?.phase, 'up');
});

test('a session that greets and then sends something unknown is disconnected, and retried later', async (t) => {
  const fixture = new Fixture(t);
  let [opened, closed] = [0, 0];
  fixture.listen('living', (socket) => {
    opened += 1;
    socket.on('close', () => (closed += 1));
    say(socket, greeting('living'));
    readRequests(socket, ({ id }) => say(socket, { id, ok: true, result: { phase: 'unheard of' } }));
  });
  fixture.record('living', { worker: fixture.processes.start() });
  await fixture.registry.recover();
  await settled();
  assert.equal(fixture.warnings('it keeps its address'), 1);
  assert.deepEqual([opened, closed], [1, 1]);
  assert.equal(fixture.registry.count, 1);
  assert.equal(fixture.next(), SECOND);
  await fixture.pass(RETRY - 1);
  assert.equal(opened, 1);
  await fixture.pass(1);
  assert.equal(opened, 2);
});

test('an answer of a session does not override an event that follows it', async (t) => {
  const fixture = new Fixture(t);
  const answer = (id: number, phase: SessionState['phase']): string =>
    `${JSON.stringify({ id, ok: true, result: aState({ session: 'living', phase }) })}\n`;
  const event = `${JSON.stringify({ event: 'state', state: aState({ session: 'living', phase: 'up' }) })}\n`;
  fixture.listen('living', (socket) => {
    say(socket, greeting('living'));
    // Answer and event in one piece, as a manager that was busy finds them.
    readRequests(socket, ({ id }) => socket.write(`${answer(id, 'connected')}${event}`));
  });
  const seen: string[] = [];
  fixture.registry.watch({ changed: ({ phase }) => void seen.push(phase) });
  fixture.record('living');
  await fixture.registry.recover();
  assert.deepEqual(seen, ['up', 'connected', 'up']);
  assert.deepEqual([await fixture.registry.askAll(5000), fixture.registry.states[0]?.phase], [0, 'up']);
});

test('a session of an older version that cannot probe its client continues, with a warning', async (t) => {
  const fixture = new Fixture(t);
  const asked: Asked[] = [];
  fixture.listen('living', (socket) => {
    say(socket, greeting('living'));
    readRequests(socket, (request) => {
      asked.push(request);
      const answer =
        request.op === 'probe'
          ? { ok: false, error: 'unknown operation; known operations: state, subscribe, disconnect' }
          : { ok: true, result: aState({ session: 'living', phase: 'up' }) };
      say(socket, { id: request.id, ...answer });
    });
  });
  fixture.record('living');
  await fixture.registry.recover();
  fixture.registry.probe('living', 'newer1');
  await settled();
  assert.equal(fixture.warnings('; remedy: pptpd-ts kick living'), 1);
  assert.deepEqual(asked.at(-1), { id: 3, op: 'probe', by: 'newer1' });
  assert.equal(fixture.registry.count, 1);
  // A session that does not exist is not asked.
  fixture.registry.probe('nobody', 'newer1');
});

test('a session of another version can be ended, makes no room, and tells no counters', async (t) => {
  const fixture = new Fixture(t);
  const asked: Asked[] = [];
  fixture.listen('living', (socket) => {
    say(socket, { ...greeting('living'), v: 99 });
    readRequests(socket, (request) => void asked.push(request));
  });
  fixture.record('living');
  await fixture.registry.recover();
  assert.equal(fixture.warnings('runs under another version'), 1);
  assert.deepEqual([fixture.registry.withoutCall, fixture.registry.makeRoom(0)], [0, false]);
  assert.equal(await fixture.registry.askAll(1000), 1);
  fixture.registry.disconnect('living', 'kicked', 'by the test');
  await settled();
  assert.deepEqual(asked, [{ id: 1, op: 'disconnect', reason: 'kicked', detail: 'by the test' }]);
});

test('a session that ends in order is over once, and its address is free', async (t) => {
  const fixture = new Fixture(t);
  fixture.record('living');
  const session = fixture.session('living');
  const over: unknown[] = [];
  fixture.registry.watch({
    entered: (id, found) => void over.push([id, found]),
    over: (id, last, died) => void over.push([id, last?.phase, died]),
  });
  await fixture.registry.recover();
  assert.equal(fixture.registry.sessionsOf('198.51.100.7'), 1);
  fixture.sockets.close(fixture.path('living.sock'));
  removeSessionFiles(fixture.runDirectory, 'living');
  session.hangUp();
  await settled();
  assert.deepEqual(over, [
    ['living', true],
    ['living', 'up', false],
  ]);
  assert.equal(fixture.warnings(''), 0);
  assert.deepEqual(new Set([fixture.next(), fixture.next()]), new Set([FIRST, SECOND]));
});

test('a session found that dies is cleared away: its pppd is told to end, and its address is free after that', async (t) => {
  const fixture = new Fixture(t);
  const { processes, registry } = fixture;
  const [worker, pppd] = [processes.start(), processes.start()];
  processes.withstood.add('SIGTERM');
  fixture.record('living', { worker, pppd });
  const session = fixture.session('living');
  const ends: unknown[] = [];
  registry.watch({ over: (id, _last, died) => void ends.push([id, died]) });
  await registry.recover();
  processes.end(worker);
  fixture.sockets.close(fixture.path('living.sock'));
  session.hangUp();
  await settled();
  assert.deepEqual([processes.signals, registry.endingCount, registry.count], [[`SIGTERM ${pppd.pid}`], 1, 1]);
  assert.deepEqual(fixture.next(), SECOND);
  processes.end(pppd);
  await fixture.pass(100);
  assert.deepEqual([ends, registry.count, registry.endingCount], [[['living', true]], 0, 0]);
  assert.deepEqual([fixture.files, fixture.next()], [[], FIRST]);
});

describe('a session of a worker that this manager has started', () => {
  test('is followed by what the worker reports, to its last state, without its socket', async (t) => {
    const { fixture, worker, told } = begun(t);
    for (const phase of ['connected', 'up', 'ending'] as const)
      worker.tell({ type: 'state', state: aState({ session: 'own111', phase }) });
    assert.equal(fixture.registry.endingCount, 1);
    worker.tell({ type: 'over' });
    assert.deepEqual(told, [
      ['own111', false],
      ['connected', null],
      ['up', 'connected'],
      ['ending', 'up'],
      ['own111', 'ending', false],
    ]);
    assert.equal(fixture.registry.count, 0);
    assert.deepEqual([fixture.next(), fixture.next(), fixture.next()], [SECOND, FIRST, undefined]);
  });

  test('holds the address that it has agreed, and not its lease’s', async (t) => {
    const { fixture, worker } = begun(t);
    const tunnel = { local: LOCAL, remote: SECOND };
    worker.tell({ type: 'state', state: aState({ session: 'own111', phase: 'up', tunnel }) });
    assert.deepEqual([fixture.next(), fixture.next()], [FIRST, undefined]);
  });

  test('has died when its worker ends before it says that the session is over, also without a record', async (t) => {
    const { fixture, worker, told } = begun(t);
    worker.tell({ type: 'state', state: aState({ session: 'own111', phase: 'up' }) });
    worker.tell({ type: 'workerEnded' });
    assert.equal(fixture.registry.count, 0);
    assert.deepEqual(told.at(-1), ['own111', 'up', true]);
    assert.equal(fixture.warnings('a ctrl worker died'), 1);
  });

  test('goes on when its socket is closed or was removed, and is connected to again', async (t) => {
    const { fixture, worker } = begun(t);
    const session = fixture.session('own111');
    await fixture.pass(CLIENT_FIRST);
    session.hangUp();
    await settled();
    fixture.sockets.remove(fixture.path('own111.sock'));
    await fixture.pass(RETRY);
    fixture.session('own111');
    await fixture.pass(RETRY - 1);
    assert.equal(fixture.sockets.count, 1);
    await fixture.pass(1);
    assert.deepEqual([fixture.sockets.count, fixture.registry.count, fixture.warnings('')], [2, 1, 0]);
    worker.tell({ type: 'over' });
    assert.equal(fixture.registry.count, 0);
  });

  test('is connected to after its client, and told to end then, for what policy wanted before', async (t) => {
    const { fixture } = begun(t);
    const session = fixture.session('own111');
    fixture.registry.disconnect('own111', 'userLimit', '"alice" is on already');
    fixture.registry.disconnect('own111', 'kicked', 'too late');
    fixture.registry.reopenLogs();
    await fixture.pass(CLIENT_FIRST - 1);
    assert.equal(fixture.sockets.count, 0);
    await fixture.pass(1);
    assert.deepEqual(session.asked, [
      { op: 'disconnect', reason: 'userLimit', detail: '"alice" is on already' },
      { op: 'reopenLog' },
    ]);
    fixture.registry.reopenLogs();
    await settled();
    assert.deepEqual(session.asked.slice(2), [{ op: 'reopenLog' }]);
  });

  test('only its counters and its speed are taken from an answer with its state', async (t) => {
    const { fixture, worker, told } = begun(t);
    const counters = { rxPackets: 7 };
    const speed = { up: null, down: 9000 };
    fixture.session('own111', { counters, speed });
    worker.tell({ type: 'state', state: aState({ session: 'own111', phase: 'negotiating' }) });
    assert.equal(await fixture.registry.askAll(5000), 0, 'one that is too new to be connected is not waited for');
    await fixture.pass(CLIENT_FIRST);
    assert.equal(await fixture.registry.askAll(5000), 0);
    const [state] = fixture.registry.states;
    assert.deepEqual(
      [state?.phase, state?.counters, state?.speed, told.slice(1)],
      ['negotiating', counters, speed, [['negotiating', null]]],
    );
  });

  test('whose counters are of another call tells nothing by its answer', async (t) => {
    const { fixture, worker } = begun(t);
    fixture.session('own111', { counters: { rxPackets: 7 }, peerCallId: 5 });
    worker.tell({ type: 'state', state: aState({ session: 'own111', peerCallId: 6 }) });
    await fixture.pass(CLIENT_FIRST);
    await fixture.registry.askAll(5000);
    assert.equal(fixture.registry.states[0]?.counters, null);
  });

  test('that does not answer is not waited for longer than it is asked to', async (t) => {
    const { fixture } = begun(t);
    const session = fixture.session('own111');
    await fixture.pass(CLIENT_FIRST);
    session.isMute = true;
    let unanswered: number | undefined;
    void fixture.registry.askAll(1000).then((count) => (unanswered = count));
    await fixture.pass(999);
    assert.equal(unanswered, undefined);
    await fixture.pass(1);
    assert.equal(unanswered, 1);
  });

  test('that cannot be connected to counts as one that does not answer', async (t) => {
    const { fixture } = begun(t);
    await fixture.pass(CLIENT_FIRST);
    assert.equal(await fixture.registry.askAll(1000), 1);
  });
});

describe('a session found', () => {
  test('that is lost is ending until it is known that it lives', async (t) => {
    const fixture = new Fixture(t);
    fixture.record('living', { worker: fixture.processes.start() });
    const session = fixture.session('living');
    await fixture.registry.recover();
    // It does not greet any more.
    fixture.stranger('living');
    session.hangUp();
    await settled();
    assert.equal(fixture.registry.endingCount, 1);
    await fixture.pass(3000);
    assert.deepEqual([fixture.registry.endingCount, fixture.registry.count], [0, 1]);
    fixture.listen('living', session.serve);
    await fixture.pass(RETRY);
    session.publish({ phase: 'negotiating' });
    await settled();
    assert.equal(fixture.registry.states[0]?.phase, 'negotiating');
  });

  test('that does not answer and is killed is cleared away at once', async (t) => {
    const fixture = new Fixture(t);
    const worker = fixture.processes.start();
    fixture.record('living', { worker });
    await fixture.registry.recover();
    fixture.registry.killAll();
    await settled();
    assert.deepEqual([fixture.processes.signals, fixture.registry.count], [[`SIGKILL ${worker.pid}`], 0]);
    assert.equal(fixture.next(), SECOND);
    assert.equal(fixture.next(), FIRST);
  });

  test('that does not answer is not looked for any more when its manager leaves', async (t) => {
    const fixture = new Fixture(t);
    fixture.record('living', { worker: fixture.processes.start() });
    await fixture.registry.recover();
    fixture.registry.detach();
    fixture.session('living');
    await fixture.pass(RETRY);
    assert.equal(fixture.sockets.count, 0);
  });
});

describe('the connection to a session', () => {
  test('is closed when the session is over, and not made again', async (t) => {
    const { fixture, worker, told } = begun(t);
    const session = fixture.session('own111');
    await fixture.pass(CLIENT_FIRST);
    assert.equal(session.connections, 1);
    worker.tell({ type: 'over' });
    worker.tell({ type: 'over' });
    worker.tell({ type: 'workerEnded' });
    await fixture.pass(RETRY);
    assert.deepEqual([session.connections, fixture.sockets.count], [0, 1]);
    assert.deepEqual(told.slice(1), [['own111', null, false]], 'it is over once');
  });

  test('is not made to a session that is over already, nor kept when it was over before it greeted', async (t) => {
    const early = begun(t);
    early.fixture.session('own111');
    early.worker.tell({ type: 'over' });
    await early.fixture.pass(CLIENT_FIRST);
    assert.equal(early.fixture.sockets.count, 0);
    const late = begun(t, early.fixture, 'own222');
    let [greet, closed] = [(): unknown => undefined, 0];
    early.fixture.listen('own222', (socket) => {
      greet = () => say(socket, greeting('own222'));
      socket.on('close', () => (closed += 1));
      readRequests(socket, () => assert.fail('it is asked nothing'));
    });
    await early.fixture.pass(CLIENT_FIRST);
    late.worker.tell({ type: 'over' });
    greet();
    await settled();
    assert.equal(closed, 1);
  });

  test('does not have a log opened anew twice, nor is another end asked for, when it is made again', async (t) => {
    const { fixture } = begun(t);
    const session = fixture.session('own111');
    fixture.registry.reopenLogs();
    await fixture.pass(CLIENT_FIRST);
    session.hangUp();
    await settled();
    await fixture.pass(RETRY);
    assert.deepEqual([session.asked, fixture.sockets.count], [[{ op: 'reopenLog' }], 2]);
  });

  test('that brings a refusal to end is a warning; the session’s end meanwhile is none', async (t) => {
    const { fixture } = begun(t);
    const session = fixture.session('own111');
    await fixture.pass(CLIENT_FIRST);
    session.refusal = 'unknown operation';
    fixture.registry.disconnect('own111', 'kicked', 'by the test');
    await settled();
    assert.equal(fixture.warnings('the session did not accept the request to end'), 1);
    session.isMute = true;
    fixture.registry.disconnect('own111', 'kicked', 'by the test');
    session.hangUp();
    await settled();
    assert.equal(fixture.warnings(''), 1);
  });
});

test('a session counts for its client’s address from the start, whatever it tells later', (t) => {
  const { fixture, worker } = begun(t);
  const { registry } = fixture;
  assert.equal(registry.sessionsOf('198.51.100.7'), 1);
  worker.tell({ type: 'state', state: aState({ session: 'own111', peer: { address: '198.51.100.8', port: 1 } }) });
  assert.deepEqual([registry.sessionsOf('198.51.100.7'), registry.sessionsOf('198.51.100.8')], [1, 0]);
});

test('a session whose worker died is cleared away once, and is ending until then', async (t) => {
  const { fixture, worker, told } = begun(t);
  const { processes, registry } = fixture;
  const [dead, pppd] = [processes.start(), processes.start()];
  processes.end(dead);
  processes.withstood.add('SIGTERM');
  fixture.record('own111', { worker: dead, pppd });
  for (let time = 0; time < 2; time += 1) worker.tell({ type: 'workerEnded' });
  await settled();
  assert.deepEqual([processes.signals, registry.endingCount], [[`SIGTERM ${pppd.pid}`], 1]);
  await fixture.pass(200);
  assert.deepEqual(processes.signals.slice(1), [`SIGKILL ${pppd.pid}`]);
  await fixture.pass(100);
  assert.deepEqual([told.slice(1), registry.count], [[['own111', null, true]], 0]);
  assert.equal(fixture.warnings('a ctrl worker died'), 1);
});

describe('sessions without a call', () => {
  const tell = ({ worker }: Begun, parts: Partial<SessionState> = {}): void =>
    worker.tell({ type: 'state', state: aState({ session: worker.session, ...parts }) });

  /** Two, each of which is connected to and has said so. */
  async function two(t: TestContext): Promise<readonly [Begun, Begun, readonly [ASession, ASession]]> {
    const first = begun(t);
    const second = begun(t, first.fixture, 'own222');
    const sessions = [first.fixture.session('own111'), first.fixture.session('own222')] as const;
    await first.fixture.pass(CLIENT_FIRST);
    for (const each of [first, second]) tell(each);
    return [first, second, sessions];
  }

  const MADE_ROOM = [{ op: 'disconnect', reason: 'madeRoom' }];

  test('are asked to make room one by one, the oldest first', async (t) => {
    const [{ fixture }, , [first, second]] = await two(t);
    const { registry } = fixture;
    assert.equal(registry.withoutCall, 2);
    assert.equal(registry.makeRoom(0), true);
    await settled();
    assert.deepEqual([first.asked, second.asked], [MADE_ROOM, []]);
    assert.equal(registry.makeRoom(0), true);
    assert.equal(registry.makeRoom(0), false);
    await settled();
    assert.deepEqual([first.asked, second.asked], [MADE_ROOM, MADE_ROOM]);
  });

  test('are not asked before they have had their time', async (t) => {
    const [{ fixture }] = await two(t);
    const { registry } = fixture;
    assert.equal(registry.makeRoom(2000), false);
    await fixture.pass(2000 - CLIENT_FIRST);
    assert.equal(registry.makeRoom(2000), true);
  });

  test('are those only that have said so: one that has called is none, nor one that has said nothing yet', async (t) => {
    const [one, , [first, second]] = await two(t);
    const { registry } = one.fixture;
    tell(one, { phase: 'negotiating' });
    assert.equal(registry.withoutCall, 1);
    assert.equal(registry.makeRoom(0), true);
    assert.equal(registry.makeRoom(0), false);
    await settled();
    assert.deepEqual([first.asked, second.asked], [[], MADE_ROOM]);
    const third = begun(t, one.fixture, 'own333');
    assert.deepEqual([registry.withoutCall, registry.makeRoom(0)], [2, false]);
    third.worker.tell({ type: 'over' });
  });

  test('that were asked to make room count as ending until they have called', async (t) => {
    const [one, , [first]] = await two(t);
    const { registry } = one.fixture;
    assert.equal(registry.endingCount, 0);
    assert.equal(registry.makeRoom(0), true);
    assert.equal(registry.endingCount, 1);
    tell(one, { phase: 'starting' });
    await settled();
    assert.deepEqual([first.asked, registry.endingCount], [MADE_ROOM, 0]);
  });

  test('that were asked and have called after all may be asked again without a call', async (t) => {
    const [one, two2, [first]] = await two(t);
    const { registry } = one.fixture;
    two2.worker.tell({ type: 'over' });
    assert.equal(registry.makeRoom(0), true);
    tell(one);
    assert.equal(registry.makeRoom(0), false);
    tell(one, { phase: 'starting' });
    tell(one);
    assert.equal(registry.makeRoom(0), true);
    await settled();
    assert.equal(first.asked.length, 2);
  });
});

describe('stopping', () => {
  test('asks every session to end, and is over when all are', async (t) => {
    const { fixture, worker } = begun(t);
    const second = begun(t, fixture, 'own222');
    const session = fixture.session('own111');
    await fixture.pass(CLIENT_FIRST);
    let isOver = false;
    void fixture.registry.endAll().then(() => (isOver = true));
    await settled();
    assert.deepEqual(session.asked, [{ op: 'disconnect', reason: 'serverShutdown' }]);
    worker.tell({ type: 'over' });
    await settled();
    assert.equal(isOver, false);
    second.worker.tell({ type: 'over' });
    await settled();
    assert.equal(isOver, true);
  });

  test('without sessions is over at once', async (t) => {
    await new Fixture(t).registry.endAll();
  });

  test('kills the workers of the sessions that are left', async (t) => {
    const { fixture, worker } = begun(t);
    const found = fixture.processes.start();
    fixture.record('living', { worker: found });
    fixture.session('living');
    await fixture.registry.recover();
    fixture.registry.killAll();
    assert.deepEqual([worker.killed, fixture.processes.signals], [1, [`SIGKILL ${found.pid}`]]);
    assert.equal(fixture.warnings('did not end in time'), 2);
  });

  test('leaves sessions that go on alone', async (t) => {
    const { fixture, told } = begun(t);
    fixture.record('living', { worker: fixture.processes.start() });
    const session = fixture.session('living');
    await fixture.registry.recover();
    told.length = 0;
    fixture.registry.detach();
    session.publish({ phase: 'negotiating' });
    await fixture.pass(RETRY);
    assert.deepEqual([session.asked, told, fixture.processes.signals, fixture.sockets.count], [[], [], [], 1]);
    assert.deepEqual(fixture.files, ['living.json', 'living.sock']);
  });
});
