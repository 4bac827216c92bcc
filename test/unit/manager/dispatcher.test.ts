/** From an admitted client to a session: with leases, workers and a registry that do as the test says. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { type Configuration, type ConfigurationInput, configurationSchema } from '../../../src/config/schema.js';
import { Dispatcher } from '../../../src/manager/dispatcher.js';
import { HandoffFailed, type Worker } from '../../../src/manager/worker.js';
import type { Handoff } from '../../../src/session/handoff.js';
import type { Lease } from '../../../src/session/lease.js';
import { runPaths, sessionRecordPath, sessionSocketPath } from '../../../src/session/paths.js';
import { writeRecord } from '../../../src/session/record-writer.js';
import type { ControlMessage } from '../../../src/pptp/index.js';
import { settled } from '../ctrl/client-socket.js';
import { LogLines } from '../ctrl/log-lines.js';
import { AClient } from './a-client.js';

const LEASE: Lease = { local: '203.0.113.1', remote: '203.0.113.10', callId: 4711 };
const PEER = '198.51.100.7:40123';
const GONE = new HandoffFailed('the ctrl worker died (signal SIGKILL)', true);
const REFUSED = new HandoffFailed('the disk is full', false);

/** A worker that answers a handoff when it is told to. */
class AWorker {
  readonly pid: number;
  handoff: Handoff | null = null;
  dismissed = 0;
  #settle: (failure: Error | null) => void = () => assert.fail('it was given no client');

  constructor(pid: number) {
    this.pid = pid;
  }

  async adopt(handoff: Handoff): Promise<void> {
    this.handoff = handoff;
    return new Promise((resolve, reject) => {
      this.#settle = (failure) => (failure === null ? resolve() : reject(failure));
    });
  }

  dismiss(): void {
    this.dismissed += 1;
  }

  /** `failure`: null when it has adopted the client. */
  async answers(failure: Error | null): Promise<void> {
    this.#settle(failure);
    await settled();
  }
}

class Fixture {
  readonly runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  readonly lines = new LogLines('info');
  /** What is free, and what has come back. */
  readonly free: Lease[] = [LEASE];
  readonly returned: Lease[] = [];
  readonly returnedWorkers: number[] = [];
  readonly refused: (string | undefined)[][] = [];
  readonly added: unknown[][] = [];
  readonly known: string[] = [];
  readonly asked: number[] = [];
  readonly registry = {
    add: (...all: readonly unknown[]) => void this.added.push([...all]),
    // Each name is known once: whoever asks takes another one.
    has: (id: string) => this.known.length > 0 && this.known.push(id) <= 3,
    makeRoom: (leastMs: number) => {
      this.asked.push(leastMs);
      return false;
    },
    withoutCall: 0,
    endingCount: 0,
  };
  readonly dispatcher: Dispatcher;
  /** Those that wait for a worker. */
  readonly #waiting: ((worker: Worker) => void)[] = [];
  readonly #t: TestContext;
  #pid = 100;

  constructor(t: TestContext, configuration: ConfigurationInput = {}) {
    mkdirSync(runPaths(this.runDirectory).sessions);
    t.after(() => rmSync(this.runDirectory, { recursive: true }));
    t.mock.timers.enable({ apis: ['setInterval'] });
    t.mock.method(performance, 'now', () => 1000);
    this.#t = t;
    this.dispatcher = new Dispatcher({
      monitored: null,
      configuration: this.configuration(configuration),
      leases: { take: () => this.free.shift() ?? null, giveBack: (lease) => void this.returned.push(lease) },
      pool: {
        acquire: async () => new Promise((resolve) => void this.#waiting.push(resolve)),
        giveBack: ({ pid = 0 }) => void this.returnedWorkers.push(pid),
      },
      registry: this.registry,
      refusedClients: { count: (...all) => void this.refused.push(all) },
      log: this.lines.log,
    });
  }

  configuration(input: ConfigurationInput): Configuration {
    return configurationSchema.parse({
      addresses: { local: '203.0.113.1', remote: ['203.0.113.10', '203.0.113.20'] },
      runDirectory: this.runDirectory,
      ...input,
    });
  }

  get areWaiting(): number {
    return this.#waiting.length;
  }

  /** Whoever has waited longest for a worker gets one. */
  async worker(): Promise<AWorker> {
    const give = this.#waiting.shift();
    assert(give !== undefined, 'somebody waits for a worker');
    const worker = new AWorker((this.#pid += 1));
    give(worker as unknown as Worker);
    await settled();
    return worker;
  }

  /** A client that a worker has been given. */
  async handedOff(): Promise<{ client: AClient; worker: AWorker; session: string }> {
    const client = new AClient();
    this.dispatcher.dispatch(client);
    const worker = await this.worker();
    return { client, worker, session: worker.handoff?.session ?? '' };
  }

  /** What a worker that died has left of its session. */
  leaveFiles(session: string): void {
    const worker = { pid: 4_000_000, startTime: '1' };
    writeRecord(this.runDirectory, { session, lease: LEASE, worker, pppd: null });
  }

  hasFiles(session: string): boolean {
    return [sessionRecordPath, sessionSocketPath].some((path) => existsSync(path(this.runDirectory, session)));
  }

  pass(milliseconds: number): void {
    this.#t.mock.timers.tick(milliseconds);
  }
}

describe('a client', () => {
  test('gets a lease and a worker, which is given all that was read of it, and is then the registry’s', async (t) => {
    const fixture = new Fixture(t, { limits: { pending: 7 } });
    const times: number[] = [];
    fixture.dispatcher.onHandedOver = (milliseconds) => void times.push(milliseconds);
    const client = new AClient('198.51.100.7', 750);
    fixture.dispatcher.dispatch(client);
    assert.equal(fixture.dispatcher.clientsOf('198.51.100.7'), 1);
    assert.equal(fixture.dispatcher.clientsOf('198.51.100.8'), 0);
    const worker = await fixture.worker();
    const { session = '', ...handoff } = worker.handoff ?? {};
    assert.match(session, /^[a-z0-9]{6}$/);
    assert.deepEqual(handoff, {
      type: 'handoff',
      v: 1,
      lease: LEASE,
      peer: client.peer,
      localAddress: '192.0.2.1',
      firstBytes: Buffer.from('what was read').toString('base64'),
      configuration: fixture.configuration({ limits: { pending: 7 } }),
    });
    assert.equal(client.connection.destroyed, false, 'another worker may have to have it');
    assert.deepEqual([fixture.added, times], [[], []]);

    await worker.answers(null);
    assert.deepEqual([fixture.added, times], [[[session, LEASE, '198.51.100.7', worker]], [250]]);
    assert.equal(client.connection.destroyed, true);
    assert.equal(fixture.dispatcher.clientsOf('198.51.100.7'), 0);
    assert.deepEqual([fixture.refused, fixture.returned, worker.dismissed], [[], [], 0]);
    assert.deepEqual(
      fixture.lines.all.map(({ msg, ...fields }) => [msg, fields['session'], fields['remote']]),
      [['client handed to a ctrl worker', session, LEASE.remote]],
    );
  });

  test('gets a session of a name that no other has', async (t) => {
    const fixture = new Fixture(t);
    fixture.known.push('taken1');
    const { session } = await fixture.handedOff();
    const [, first, second, third] = fixture.known;
    assert.equal(session, third);
    assert.equal(new Set([first, second, third]).size, 3);
  });

  test('that has left while it waited for a worker gets none: worker and lease come back', async (t) => {
    const fixture = new Fixture(t);
    const client = new AClient();
    fixture.dispatcher.dispatch(client);
    client.hasLeft = true;
    const worker = await fixture.worker();
    assert.deepEqual([worker.handoff, fixture.returnedWorkers], [null, [worker.pid]]);
    assert.deepEqual([fixture.refused, fixture.returned], [[['left', PEER, undefined]], [LEASE]]);
    assert.equal(client.connection.destroyed, true);
    assert.equal(fixture.dispatcher.clientsOf(client.peer.address), 0);
    assert.equal(fixture.areWaiting, 0);
  });

  test('gets the configuration of the moment', async (t) => {
    const fixture = new Fixture(t);
    const changed = fixture.configuration({ timeouts: { establish: 7 } });
    fixture.dispatcher.reconfigure(changed);
    const { worker } = await fixture.handedOff();
    assert.equal(worker.handoff?.configuration, changed);
  });
});

describe('a handoff that fails', () => {
  test('because the worker died is tried again with another, under another name; what the dead one left is removed', async (t) => {
    const fixture = new Fixture(t);
    const { client, worker, session } = await fixture.handedOff();
    fixture.leaveFiles(session);
    await worker.answers(GONE);
    assert.equal(worker.dismissed, 1);
    assert.equal(fixture.hasFiles(session), false);
    assert.equal(client.connection.destroyed, false);
    assert.deepEqual([fixture.refused, fixture.returned], [[], []]);
    assert.deepEqual(fixture.lines.at('warn'), ['a handoff failed; trying another ctrl worker']);

    const next = await fixture.worker();
    assert.deepEqual(next.handoff?.lease, LEASE);
    assert.notEqual(next.handoff?.session, session);
    await next.answers(null);
    assert.deepEqual(fixture.added, [[next.handoff?.session, LEASE, client.peer.address, next]]);
    assert.equal(fixture.areWaiting, 0);
  });

  test('with three workers is the client’s fault: it is closed, and its lease comes back', async (t) => {
    const fixture = new Fixture(t);
    const { client, worker, session } = await fixture.handedOff();
    await worker.answers(GONE);
    await (await fixture.worker()).answers(GONE);
    assert.deepEqual(fixture.refused, []);
    const last = await fixture.worker();
    fixture.leaveFiles(session);
    await last.answers(GONE);
    assert.deepEqual([fixture.refused, fixture.returned], [[['noWorker', PEER, GONE.message]], [LEASE]]);
    assert.equal(client.connection.destroyed, true);
    assert.equal(fixture.dispatcher.clientsOf(client.peer.address), 0);
    assert.deepEqual([fixture.areWaiting, fixture.added], [0, []]);
  });

  for (const [what, failure] of [
    ['because the worker refuses', REFUSED],
    ['for a reason that nobody has foreseen', new TypeError('not a socket')],
  ] as const) {
    test(`${what} is not tried again`, async (t) => {
      const fixture = new Fixture(t);
      const { client, worker, session } = await fixture.handedOff();
      fixture.leaveFiles(session);
      await worker.answers(failure);
      assert.deepEqual([fixture.refused, fixture.returned], [[['noWorker', PEER, failure.message]], [LEASE]]);
      assert.equal(fixture.hasFiles(session), false);
      assert.equal(client.connection.destroyed, true);
      assert.deepEqual([worker.dismissed, fixture.areWaiting], [1, 0]);
    });
  }

  test('is not tried again when the manager stops', async (t) => {
    const fixture = new Fixture(t);
    const { worker } = await fixture.handedOff();
    fixture.dispatcher.close();
    await worker.answers(GONE);
    assert.deepEqual([fixture.refused, fixture.areWaiting], [[['noWorker', PEER, GONE.message]], 0]);
  });
});

describe('when everything is lent', () => {
  /** One whose leases are all lent, and in which a session may go soon. */
  function full(t: TestContext, configuration: ConfigurationInput = {}): Fixture {
    const fixture = new Fixture(t, configuration);
    fixture.free.length = 0;
    fixture.registry.endingCount = 1;
    return fixture;
  }

  /** RFC 2637 §2.2 and §2.16: general error, no resource. */
  const NO_RESOURCE: ControlMessage = {
    type: 'StartControlConnectionReply',
    protocolVersion: 0x0100,
    resultCode: 2,
    errorCode: 4,
    framingCapabilities: 0,
    bearerCapabilities: 0,
    maximumChannels: 0,
    firmwareRevision: 0,
    hostName: '',
    vendorName: '',
  };

  test('a client is told so and closed, where no session will go soon', async (t) => {
    const fixture = full(t, { limits: { connections: 5 } });
    fixture.registry.endingCount = 0;
    const client = new AClient();
    fixture.dispatcher.dispatch(client);
    await settled();
    assert.deepEqual(client.connection.received, [NO_RESOURCE]);
    assert.equal(client.connection.destroyed, true);
    const why =
      'addresses.remote is 203.0.113.10, 203.0.113.20, limits.connections 5; remedy: add addresses or raise the limit; pptpd-ts sessions shows who holds them';
    assert.deepEqual([fixture.refused, fixture.returned], [[['full', PEER, why]], []]);
    assert.equal(fixture.dispatcher.clientsOf(client.peer.address), 0);
  });

  test('where the accounts choose the addresses, only the limit is named', (t) => {
    const fixture = full(t);
    fixture.registry.endingCount = 0;
    fixture.dispatcher.reconfigure(fixture.configuration({ addresses: { delegate: true } }));
    fixture.dispatcher.dispatch(new AClient());
    assert.match(fixture.refused[0]?.[2] ?? '', /^limits\.connections is \d+; remedy: raise it;/);
  });

  test('a client waits for what comes back, and has its session then', async (t) => {
    const fixture = full(t);
    fixture.registry.endingCount = 0;
    fixture.registry.withoutCall = 1;
    const client = new AClient();
    fixture.dispatcher.dispatch(client);
    assert.deepEqual([fixture.areWaiting, fixture.asked], [0, [2000]]);
    assert.equal(fixture.dispatcher.clientsOf(client.peer.address), 1);
    fixture.dispatcher.leaseFreed();
    assert.equal(fixture.areWaiting, 0);
    fixture.free.push(LEASE);
    fixture.dispatcher.leaseFreed();
    await (await fixture.worker()).answers(null);
    assert.deepEqual([fixture.added.length, fixture.refused], [1, []]);
  });

  test('a client that has left while it waited is not answered', async (t) => {
    const fixture = full(t);
    const client = new AClient();
    fixture.dispatcher.dispatch(client);
    client.hasLeft = true;
    fixture.pass(250);
    await settled();
    assert.deepEqual([fixture.refused, client.connection.received], [[['left', PEER]], []]);
    assert.equal(client.connection.destroyed, true);
    assert.equal(fixture.dispatcher.clientsOf(client.peer.address), 0);
  });

  test('as many wait as limits.pending has, and any number with 0', (t) => {
    const fixture = full(t, { limits: { pending: 2 } });
    for (let count = 0; count < 3; count += 1) fixture.dispatcher.dispatch(new AClient());
    assert.deepEqual(
      fixture.refused.map(([cause]) => cause),
      ['full'],
    );
    fixture.dispatcher.reconfigure(fixture.configuration({ limits: { pending: 0 } }));
    for (let count = 0; count < 5; count += 1) fixture.dispatcher.dispatch(new AClient());
    assert.equal(fixture.refused.length, 1);
  });

  const hopes: Readonly<Record<string, (fixture: Fixture) => void | Promise<unknown>>> = {
    'a session has started no call': ({ registry }) => void (registry.withoutCall = 1),
    'a session is ending': ({ registry }) => void (registry.endingCount = 1),
    'a client that has a lease waits for its worker': ({ dispatcher, free }) => {
      free.push(LEASE);
      dispatcher.dispatch(new AClient());
    },
    'a worker has not answered yet': async (fixture) => {
      fixture.free.push(LEASE);
      await fixture.handedOff();
    },
  };
  for (const [what, begin] of Object.entries(hopes)) {
    test(`a client waits while ${what}`, async (t) => {
      const fixture = full(t);
      fixture.registry.endingCount = 0;
      await begin(fixture);
      fixture.dispatcher.dispatch(new AClient());
      assert.deepEqual(fixture.refused, []);
    });
  }
  test('a client waits while all of that is so', async (t) => {
    const fixture = full(t);
    for (const begin of Object.values(hopes)) await begin(fixture);
    fixture.dispatcher.dispatch(new AClient());
    assert.deepEqual(fixture.refused, []);
  });

  test('sessions that have their worker and their call give no hope', async (t) => {
    const fixture = full(t);
    fixture.registry.endingCount = 0;
    fixture.free.push(LEASE);
    await (await fixture.handedOff()).worker.answers(null);
    fixture.dispatcher.dispatch(new AClient());
    assert.equal(fixture.refused[0]?.[0], 'full');
  });
});

describe('closing', () => {
  test('closes those who wait for a lease or a worker', async (t) => {
    const fixture = new Fixture(t);
    const [withLease, without] = [new AClient(), new AClient()];
    fixture.dispatcher.dispatch(withLease);
    fixture.dispatcher.dispatch(without);
    fixture.dispatcher.close();
    assert.deepEqual([withLease.connection.destroyed, without.connection.destroyed], [true, true]);
    assert.deepEqual(fixture.refused, []);
    fixture.dispatcher.close();
  });

  test('is over when every handoff under way is a session or has failed', async (t) => {
    const fixture = new Fixture(t);
    fixture.free.push({ ...LEASE, callId: 4712 });
    const [first, second] = [await fixture.handedOff(), await fixture.handedOff()];
    fixture.dispatcher.close();
    let isOver = false;
    void fixture.dispatcher.settled().then(() => (isOver = true));
    await first.worker.answers(null);
    assert.deepEqual(
      [isOver, first.client.connection.destroyed, second.client.connection.destroyed],
      [false, true, false],
    );
    await second.worker.answers(REFUSED);
    assert.deepEqual([isOver, fixture.added.length, fixture.refused.length], [true, 1, 1]);
  });

  test('waits for nobody who has no worker', async (t) => {
    const fixture = new Fixture(t);
    fixture.dispatcher.dispatch(new AClient());
    await fixture.dispatcher.settled();
    assert.equal(fixture.areWaiting, 1);
  });
});
