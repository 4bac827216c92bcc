/** When the broadcast relay is started, ended and started again: with processes that the test ends. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test, type TestContext } from 'node:test';
import { type ConfigurationInput, configurationSchema } from '../../../src/config/schema.js';
import { BroadcastRelayProcess } from '../../../src/manager/broadcast-relay-process.js';
import { LogLines } from '../ctrl/log-lines.js';

class ARelay extends EventEmitter {
  readonly pid: number | undefined = 17;
  readonly args: readonly string[];
  connected = true;
  readonly told: unknown[] = [];

  constructor(args: readonly string[]) {
    super();
    this.args = args;
  }

  disconnect(): void {
    if (!this.connected) throw new Error('disconnected twice');
    this.connected = false;
  }

  send(message: unknown, sent: () => void): void {
    this.told.push(message);
    sent();
  }

  ends(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.connected = false;
    this.emit('exit', code, signal);
  }
}

type Start = NonNullable<ConstructorParameters<typeof BroadcastRelayProcess>[1]>;

class Fixture {
  readonly lines = new LogLines();
  readonly started: ARelay[] = [];
  readonly relay: BroadcastRelayProcess;
  readonly #t: TestContext;
  #now = 0;

  constructor(t: TestContext, configuration?: ConfigurationInput) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    t.mock.method(performance, 'now', () => this.#now);
    this.#t = t;
    const start = (args: readonly string[]): ARelay => {
      const relay = new ARelay(args);
      this.started.push(relay);
      return relay;
    };
    this.relay = new BroadcastRelayProcess(this.lines.log, start as unknown as Start);
    if (configuration !== undefined) this.reconfigure(configuration);
  }

  reconfigure(configuration: ConfigurationInput): void {
    this.relay.reconfigure(configurationSchema.parse(configuration));
  }

  /** The one that was started last. */
  get last(): ARelay {
    const last = this.started.at(-1);
    assert(last !== undefined, 'one has been started');
    return last;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    this.#t.mock.timers.tick(milliseconds);
  }
}

const WANTED: ConfigurationInput = { broadcastRelay: { interface: 'eth1' } };

test('the relay runs while the configuration has it, and is told its interface and where to log', (t) => {
  const fixture = new Fixture(t, {});
  assert.equal(fixture.started.length, 0);
  fixture.reconfigure(WANTED);
  assert.deepEqual(fixture.last.args, ['eth1', 'info']);
  fixture.reconfigure({ ...WANTED, limits: { pending: 7 } });
  assert.equal(fixture.started.length, 1, 'what is nothing to it changes nothing');
  const [first] = fixture.started;
  fixture.reconfigure({ ...WANTED, log: { level: 'debug', directory: '/var/log/pptpd-ts' } });
  assert.equal(first?.connected, false);
  assert.deepEqual(fixture.last.args, ['eth1', 'debug', '/var/log/pptpd-ts']);
  fixture.reconfigure({});
  assert.deepEqual([fixture.last.connected, fixture.started.length], [false, 2]);
});

test('a relay that was ended is neither started again nor logged when its process exits', (t) => {
  const fixture = new Fixture(t, WANTED);
  const first = fixture.last;
  fixture.reconfigure({ broadcastRelay: { interface: 'eth2' } });
  first.ends(0);
  fixture.relay.close();
  fixture.last.ends(0);
  fixture.relay.close();
  fixture.pass(60_000);
  assert.deepEqual([fixture.started.length, fixture.lines.all], [2, []]);
});

test('a relay that dies is started again at growing intervals, half a minute at most', (t) => {
  const fixture = new Fixture(t, WANTED);
  for (const [count, delay] of [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
    fixture.last.ends(1);
    assert.match(fixture.lines.at('error')[count] ?? '', /^the broadcast relay ended \(exit code 1\)/);
    fixture.pass(delay - 1);
    assert.equal(fixture.started.length, count + 1, `not before ${delay} ms`);
    fixture.pass(1);
    assert.equal(fixture.started.length, count + 2, `after ${delay} ms`);
  }
  assert.deepEqual(fixture.last.args, ['eth1', 'info']);
});

test('after a relay that ran for a minute the intervals start from the beginning', (t) => {
  const fixture = new Fixture(t, WANTED);
  for (const delay of [250, 500]) {
    fixture.last.ends(null, 'SIGSEGV');
    fixture.pass(delay);
  }
  assert.match(fixture.lines.at('error')[0] ?? '', /signal SIGSEGV/);
  fixture.pass(59_999);
  fixture.last.ends(1);
  fixture.pass(1000);
  assert.equal(fixture.started.length, 4);
  fixture.pass(60_000);
  fixture.last.ends(1);
  fixture.pass(250);
  assert.equal(fixture.started.length, 5);
});

test('a new configuration starts the relay at once, and the intervals start from the beginning', (t) => {
  const fixture = new Fixture(t, WANTED);
  for (const delay of [250, 500]) {
    fixture.last.ends(1);
    fixture.pass(delay);
  }
  fixture.last.ends(1);
  fixture.reconfigure({ broadcastRelay: { interface: 'eth2' } });
  assert.equal(fixture.started.length, 4);
  fixture.pass(60_000 - 1);
  assert.equal(fixture.started.length, 4, 'the attempt that was due is not made');
  fixture.last.ends(1);
  fixture.pass(250);
  assert.equal(fixture.started.length, 5);
});

test('a relay that is no longer configured when its restart is due is not started', (t) => {
  const fixture = new Fixture(t, WANTED);
  fixture.last.ends(1);
  fixture.relay.close();
  fixture.pass(60_000);
  assert.equal(fixture.started.length, 1);
});

test('a relay that the system does not start is tried again; an error of a running one ends nothing', (t) => {
  const fixture = new Fixture(t, WANTED);
  fixture.last.emit('error', new Error('write EPIPE'));
  fixture.pass(60_000);
  assert.equal(fixture.started.length, 1);
  Object.defineProperty(fixture.last, 'pid', { value: undefined });
  fixture.last.emit('error', new Error('spawn EAGAIN'));
  fixture.pass(250);
  assert.equal(fixture.started.length, 2);
  assert.deepEqual(fixture.lines.at('error').slice(1), [
    'the broadcast relay could not be started, or the manager cannot send to it',
    'the broadcast relay ended (could not be started); restarting it',
  ]);
});

test('a running relay is told to reopen its log', (t) => {
  const fixture = new Fixture(t);
  fixture.relay.reopenLogs();
  fixture.reconfigure(WANTED);
  fixture.relay.reopenLogs();
  assert.deepEqual(fixture.last.told, ['reopenLogs']);
  fixture.last.connected = false;
  fixture.relay.reopenLogs();
  assert.equal(fixture.last.told.length, 1);
});
