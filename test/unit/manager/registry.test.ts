/**
 * The registry on a run directory with unexpected contents: stale sockets, folders and links under a session's name, invalid or
 * false records, sockets with another protocol. It kills no other process, and leases nothing twice.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { identify } from '../../../src/host/process.js';
import { Leases } from '../../../src/manager/leases.js';
import { Registry } from '../../../src/manager/registry.js';
import type { SessionWorker } from '../../../src/manager/session-handle.js';
import type { WorkerSessionEvent } from '../../../src/manager/worker.js';
import { runPaths, sessionRecordPath, sessionSocketPath } from '../../../src/session/paths.js';
import type { SessionRecord } from '../../../src/session/record.js';
import type { SessionState } from '../../../src/session/state.js';
import { removeSessionFiles, writeRecord } from '../../../src/session/record-writer.js';
import { type SessionHandlers, SessionServer } from '../../../src/session/server.js';
import { until } from '../../process/support/wait.js';
import { aState } from '../session/a-state.js';

const LOCAL = '203.0.113.1';
const [FIRST, SECOND] = ['203.0.113.10', '203.0.113.11'] as const;
const LEASE = { local: LOCAL, remote: FIRST, callId: 4711 } as const;
const NOBODY = { pid: 4_000_000, startTime: '1' } as const;

/** A run directory, and the registry of a manager with two addresses. */
class Fixture {
  readonly runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  readonly leases = new Leases({
    pairs: [FIRST, SECOND].map((remote) => ({ local: LOCAL, remote })),
    delegated: null,
    connections: 0,
  });
  readonly words: string[] = [];
  readonly registry: Registry;

  constructor(t: TestContext) {
    mkdirSync(runPaths(this.runDirectory).sessions);
    const log = pino({ level: 'warn' }, { write: (line: string) => void this.words.push(line) });
    this.registry = new Registry({
      runDirectory: this.runDirectory,
      leases: this.leases,
      log,
      pppdExitMs: () => 200,
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

  /** A live session, in this process. */
  async session(
    t: TestContext,
    id: string,
    {
      disconnect = () => undefined,
      remote = LEASE.remote,
    }: { disconnect?: SessionHandlers['disconnect']; remote?: string } = {},
  ): Promise<SessionServer> {
    const { local, callId } = LEASE;
    const state = (): unknown => aState({ session: id, callId, tunnel: { local, remote }, phase: 'up' });
    const server = new SessionServer(id, '0.1.0', {
      state,
      disconnect,
      reopenLog: () => undefined,
      capture: () => undefined,
      logLevel: () => undefined,
    } as unknown as ConstructorParameters<typeof SessionServer>[2]);
    await server.listen(sessionSocketPath(this.runDirectory, id));
    t.after(() => server.close());
    return server;
  }

  /** Another listener on a session's socket, which sends this to each connection. */
  async stranger(t: TestContext, id: string, ...lines: readonly unknown[]): Promise<void> {
    const connections: Socket[] = [];
    const server = createServer((socket) => {
      connections.push(socket);
      socket.on('error', () => undefined); // whoever came has gone
      for (const line of lines) socket.write(typeof line === 'string' ? line : `${JSON.stringify(line)}\n`);
    });
    server.listen(sessionSocketPath(this.runDirectory, id));
    await once(server, 'listening');
    t.after(() => {
      for (const socket of connections) socket.destroy();
      server.close();
    });
  }

  /** The address that the next client gets. */
  next(): string | null | undefined {
    return this.leases.take()?.remote;
  }
}

/** A process that a record may name: it must live until the end of the test. */
function bystander(t: TestContext): ChildProcess & { readonly pid: number } {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => child.kill());
  assert(child.pid !== undefined);
  return child as ChildProcess & { readonly pid: number };
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
    const { pid } = bystander(t);
    fixture.record('liar11', { worker: { pid, startTime: '1' }, pppd: { pid, startTime: '2' } });
    await fixture.registry.recover();
    assert.deepEqual(fixture.files, []);
    assert.notEqual(identify(pid), null);
  });

  test('of the manager itself or its parent kills nobody, and is not waited for', async (t) => {
    const fixture = new Fixture(t);
    for (const [id, pid] of Object.entries({ myself: process.pid, parent: process.ppid })) {
      const identity = identify(pid);
      assert(identity !== null);
      fixture.record(id, { worker: identity, pppd: identity });
    }
    await fixture.registry.recover();
    assert.deepEqual(fixture.files, []);
    assert.notEqual(identify(process.ppid), null);
  });

  test('under another session’s name is ignored', async (t) => {
    const fixture = new Fixture(t);
    const { pid } = bystander(t);
    const identity = identify(pid);
    assert(identity !== null);
    fixture.record('living', { worker: identity });
    writeFileSync(
      fixture.path('copied.json'),
      JSON.stringify({ session: 'living', lease: LEASE, worker: identity, pppd: identity }),
    );
    await fixture.session(t, 'living');
    await fixture.registry.recover();
    assert.deepEqual(fixture.files, ['living.json', 'living.sock']);
    assert.notEqual(identify(pid), null);
  });

  test('with the lease of a live session does not free that lease', async (t) => {
    const fixture = new Fixture(t);
    for (const id of ['000000', 'living', 'zzzzzz']) fixture.record(id);
    await fixture.session(t, 'living');
    await fixture.registry.recover();
    assert.deepEqual(fixture.files, ['living.json', 'living.sock']);
    assert.deepEqual([fixture.next(), fixture.next()], [SECOND, undefined]);
  });
});

describe('an address that PPP agreed is not leased, and the lease’s own address is free', () => {
  test('reported by the session that is found', async (t) => {
    const fixture = new Fixture(t);
    fixture.record('living');
    await fixture.session(t, 'living', { remote: SECOND });
    await fixture.registry.recover();
    assert.deepEqual([fixture.next(), fixture.next()], [FIRST, undefined]);
  });

  test('according to the record of a session that does not answer', async (t) => {
    const fixture = new Fixture(t);
    const worker = identify(bystander(t).pid);
    assert(worker !== null);
    fixture.record('mute11', { worker, agreedRemote: SECOND });
    await fixture.stranger(t, 'mute11', { greeting: 'pptpd-ts', v: 99, session: 'mute11', version: '9' });
    await fixture.registry.recover();
    assert.deepEqual([fixture.next(), fixture.next()], [FIRST, undefined]);
  });
});

test('a live session with a damaged record is taken over with the lease that it reports', async (t) => {
  const fixture = new Fixture(t);
  await fixture.session(t, 'living');
  writeFileSync(sessionRecordPath(fixture.runDirectory, 'living'), 'garbage');
  await fixture.registry.recover();
  assert.equal(fixture.registry.count, 1);
  assert.deepEqual([fixture.next(), fixture.next()], [SECOND, undefined]);
});

test('a link to another session’s socket is not a session', async (t) => {
  const fixture = new Fixture(t);
  await fixture.session(t, 'living');
  fixture.record('living');
  symlinkSync(sessionSocketPath(fixture.runDirectory, 'living'), fixture.path('linked.sock'));
  await fixture.registry.recover();
  assert.equal(fixture.registry.count, 1);
  assert(existsSync(fixture.path('linked.sock')));
});

describe('a session that sends something unknown is not treated as dead: its worker lives, its address stays taken', () => {
  const greeting = { greeting: 'pptpd-ts', v: 1, session: 'odd111', version: '9' };
  const strangers: Readonly<Record<string, readonly unknown[]>> = {
    'a message of another version': [greeting, { new: 'thing' }],
    'no JSON': [greeting, '{"half":\n'],
    'a greeting of another version': [{ ...greeting, v: 99 }],
    garbage: ['\0\xff\n'],
    'a line without an end': ['x'.repeat(5 * 1024 * 1024)],
  };
  for (const [what, lines] of Object.entries(strangers)) {
    test(what, async (t) => {
      const fixture = new Fixture(t);
      const { pid } = bystander(t);
      const identity = identify(pid);
      assert(identity !== null);
      fixture.record('odd111', { worker: identity });
      await fixture.stranger(t, 'odd111', ...lines);
      await fixture.registry.recover();
      // The warning is the last step before the next attempt.
      await until('the warning', () => fixture.words.some((line) => line.includes('its address stays taken')));
      assert.notEqual(identify(pid), null);
      assert.equal(fixture.registry.count, 1);
      assert.equal(fixture.next(), SECOND);
    });
  }
});

test('a live session that closes the manager’s connection is found again', async (t) => {
  const fixture = new Fixture(t);
  const { pid } = bystander(t);
  const identity = identify(pid);
  assert(identity !== null);
  let connections = 0;
  const state = aState({ session: 'living', phase: 'up' });
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined); // whoever came has gone
    socket.write(`${JSON.stringify({ greeting: 'pptpd-ts', v: 1, session: 'living', version: '0.1.0' })}\n`);
    if (connections === 1) {
      socket.end();
      return;
    }
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of chunk.split('\n').filter((each) => each !== '')) {
        const { id } = JSON.parse(line) as { id: number };
        socket.write(`${JSON.stringify({ id, ok: true, result: state })}\n`);
      }
    });
  });
  server.listen(sessionSocketPath(fixture.runDirectory, 'living'));
  await once(server, 'listening');
  t.after(() => server.close());
  fixture.record('living', { worker: identity });
  await fixture.registry.recover();
  await until('its state', () => fixture.registry.states.length > 0);
  assert.notEqual(identify(pid), null);
  assert.equal(fixture.registry.count, 1);
  assert(connections >= 2);
});

test('a live session whose socket was removed is not killed, and keeps its address', async (t) => {
  const fixture = new Fixture(t);
  const { pid } = bystander(t);
  const identity = identify(pid);
  assert(identity !== null);
  fixture.record('living', { worker: identity });
  await fixture.registry.recover();
  await until('the warning', () => fixture.words.some((line) => line.includes('its address stays taken')));
  assert.notEqual(identify(pid), null);
  assert.equal(fixture.next(), SECOND);
});

test('a session that greets and then sends something unknown is disconnected, and retried later', async (t) => {
  const fixture = new Fixture(t);
  const { pid } = bystander(t);
  const identity = identify(pid);
  assert(identity !== null);
  let closed = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // whoever came has gone
    socket.on('close', () => (closed += 1));
    socket.write(`${JSON.stringify({ greeting: 'pptpd-ts', v: 1, session: 'living', version: '0.1.0' })}\n`);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of chunk.split('\n').filter((each) => each !== '')) {
        const { id } = JSON.parse(line) as { id: number };
        socket.write(`${JSON.stringify({ id, ok: true, result: { phase: 'unheard of' } })}\n`);
      }
    });
  });
  server.listen(sessionSocketPath(fixture.runDirectory, 'living'));
  await once(server, 'listening');
  t.after(() => server.close());
  fixture.record('living', { worker: identity });
  await fixture.registry.recover();
  await until('the warning', () => fixture.words.some((line) => line.includes('its address stays taken')));
  await until('the end of the connection', () => closed === 1);
  assert.equal(fixture.registry.count, 1);
  assert.equal(fixture.next(), SECOND);
});

test('an answer of a session does not override an event that follows it', async (t) => {
  const fixture = new Fixture(t);
  const answer = (id: number, phase: SessionState['phase']): string =>
    `${JSON.stringify({ id, ok: true, result: aState({ session: 'living', phase }) })}\n`;
  const event = `${JSON.stringify({ event: 'state', state: aState({ session: 'living', phase: 'up' }) })}\n`;
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // whoever came has gone
    socket.write(`${JSON.stringify({ greeting: 'pptpd-ts', v: 1, session: 'living', version: '0.1.0' })}\n`);
    // Answer and event in one chunk, as a busy manager reads them.
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of chunk.split('\n').filter((each) => each !== '')) {
        const { id } = JSON.parse(line) as { id: number };
        socket.write(`${answer(id, 'connected')}${event}`);
      }
    });
  });
  server.listen(sessionSocketPath(fixture.runDirectory, 'living'));
  await once(server, 'listening');
  t.after(() => server.close());
  const seen: string[] = [];
  fixture.registry.watch({ changed: ({ phase }) => void seen.push(phase) });
  fixture.record('living');
  await fixture.registry.recover();
  assert.deepEqual(seen, ['up', 'connected', 'up']);
  assert.deepEqual([await fixture.registry.askAll(5000), fixture.registry.states[0]?.phase], [0, 'up']);
});

test('a session of an older version that cannot probe its client continues, with a warning', async (t) => {
  const fixture = new Fixture(t);
  const asked: unknown[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // whoever came has gone
    socket.write(`${JSON.stringify({ greeting: 'pptpd-ts', v: 1, session: 'living', version: '0.1.0' })}\n`);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of chunk.split('\n').filter((each) => each !== '')) {
        const request = JSON.parse(line) as { readonly id: number; readonly op: string };
        asked.push(request);
        const answer =
          request.op === 'probe'
            ? { ok: false, error: 'unknown operation; known are state, subscribe, disconnect' }
            : { ok: true, result: aState({ session: 'living', phase: 'up' }) };
        socket.write(`${JSON.stringify({ id: request.id, ...answer })}\n`);
      }
    });
  });
  server.listen(sessionSocketPath(fixture.runDirectory, 'living'));
  await once(server, 'listening');
  t.after(() => server.close());
  fixture.record('living');
  await fixture.registry.recover();
  fixture.registry.probe('living', 'newer1');
  await until('the warning', () => fixture.words.some((line) => line.includes('; remedy: pptpd-ts kick living')));
  assert.deepEqual(asked.at(-1), { id: 3, op: 'probe', by: 'newer1' });
  assert.equal(fixture.registry.count, 1);
  // A session that does not exist is not asked.
  fixture.registry.probe('nobody', 'newer1');
});

test('a session that ends in order is over once, and its address is free', async (t) => {
  const fixture = new Fixture(t);
  fixture.record('living');
  const session = await fixture.session(t, 'living');
  await fixture.registry.recover();
  const over = new Promise((resolve) => fixture.registry.watch({ over: (...all) => resolve(all) }));
  removeSessionFiles(fixture.runDirectory, 'living');
  session.close();
  const [id, last, died] = (await over) as [string, { readonly phase: string } | null, boolean];
  assert.deepEqual([id, last?.phase, died], ['living', 'up', false]);
  assert.deepEqual(new Set([fixture.next(), fixture.next()]), new Set([FIRST, SECOND]));
});

describe('a session of a worker that this manager has started', () => {
  /** Its worker, whose events the test emits. */
  class Told implements SessionWorker {
    tell: (event: WorkerSessionEvent) => void = () => undefined;
    killed = 0;

    follow(_session: string, onEvent: (event: WorkerSessionEvent) => void): void {
      this.tell = onEvent;
    }

    kill(): void {
      this.killed += 1;
    }
  }

  function begun(t: TestContext) {
    const fixture = new Fixture(t);
    const lease = fixture.leases.take();
    assert(lease !== null);
    const worker = new Told();
    const told: unknown[] = [];
    fixture.registry.watch({
      changed: ({ phase }, before) => void told.push([phase, before?.phase ?? null]),
      over: (id, last, died) => void told.push([id, last?.phase ?? null, died]),
    });
    fixture.registry.add('own111', lease, '198.51.100.7', worker);
    return { fixture, worker, told };
  }

  test('is followed through the worker’s reports up to its last state, without its socket', (t) => {
    const { fixture, worker, told } = begun(t);
    for (const phase of ['connected', 'up', 'ending'] as const)
      worker.tell({ type: 'state', state: aState({ session: 'own111', phase }) });
    worker.tell({ type: 'over' });
    assert.deepEqual(told, [
      ['connected', null],
      ['up', 'connected'],
      ['ending', 'up'],
      ['own111', 'ending', false],
    ]);
    assert.equal(fixture.registry.count, 0);
    assert.deepEqual([fixture.next(), fixture.next(), fixture.next()], [SECOND, FIRST, undefined]);
  });

  test('has died if its worker exits without reporting the end of the session, even without a record', async (t) => {
    const { fixture, worker, told } = begun(t);
    worker.tell({ type: 'state', state: aState({ session: 'own111', phase: 'up' }) });
    worker.tell({ type: 'workerEnded' });
    await until('its end', () => fixture.registry.count === 0);
    assert.deepEqual(told.at(-1), ['own111', 'up', true]);
  });

  test('is asked to end as soon as it is connected, if policy requested that before', async (t) => {
    const { fixture } = begun(t);
    const asked: unknown[] = [];
    fixture.registry.disconnect('own111', 'userLimit', '"alice" already has a session');
    await fixture.session(t, 'own111', { disconnect: ({ reason, detail }) => void asked.push([reason, detail]) });
    await until('the request', () => asked.length > 0);
    assert.deepEqual(asked, [['userLimit', '"alice" already has a session']]);
  });

  test('only its counters are taken from an answer with its state', async (t) => {
    const { fixture, worker, told } = begun(t);
    await fixture.session(t, 'own111');
    worker.tell({ type: 'state', state: aState({ session: 'own111', phase: 'negotiating' }) });
    await until('an answer', async () => (await fixture.registry.askAll(5000)) === 0);
    assert.deepEqual([fixture.registry.states[0]?.phase, told], ['negotiating', [['negotiating', null]]]);
  });
});
