/** What is said to the service manager, and when: on a socket and with timers in memory. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ServiceManager } from '../../../src/manager/service-manager.js';
import { LogLines } from '../ctrl/log-lines.js';

const PATH = '/run/systemd/notify';
const STATUS_MS = 15_000;

class Fixture {
  readonly lines = new LogLines();
  readonly environment: NodeJS.ProcessEnv;
  status = 'idle';
  /** Why nothing can be sent; null: it can. */
  failure: string | null = null;
  readonly opened: string[] = [];
  readonly #sent: string[] = [];
  readonly #t: TestContext;
  service!: ServiceManager;

  private constructor(t: TestContext, environment: NodeJS.ProcessEnv) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    t.mock.method(process.hrtime, 'bigint', () => 7_000_000_999n);
    this.#t = t;
    this.environment = { ...environment, PATH: '/bin' };
  }

  static async connected(
    t: TestContext,
    environment: NodeJS.ProcessEnv = { NOTIFY_SOCKET: PATH },
    refusal: Error | null = null,
  ): Promise<Fixture> {
    const fixture = new Fixture(t, environment);
    fixture.service = await ServiceManager.connect(
      fixture.environment,
      fixture.lines.log,
      () => fixture.status,
      async (path) => {
        fixture.opened.push(path);
        if (refusal !== null) throw refusal;
        return (text) => {
          fixture.#sent.push(text);
          return fixture.failure;
        };
      },
    );
    return fixture;
  }

  /** What was sent since it was last looked at, a datagram each. */
  sent(): string[] {
    return this.#sent.splice(0);
  }

  pass(milliseconds: number): void {
    this.#t.mock.timers.tick(milliseconds);
  }
}

test('it is told what the manager does, with the status where that is new', async (t) => {
  const fixture = await Fixture.connected(t);
  assert.deepEqual([fixture.opened, fixture.sent()], [[PATH], []]);
  const { service } = fixture;
  service.ready();
  assert.deepEqual(fixture.sent(), ['READY=1\nSTATUS=idle\n']);
  service.reloading();
  fixture.status = 'busy';
  service.reloaded();
  assert.deepEqual(fixture.sent(), ['RELOADING=1\nMONOTONIC_USEC=7000000\n', 'READY=1\nSTATUS=busy\n']);
  service.stopping('ending every session');
  assert.deepEqual(fixture.sent(), ['STOPPING=1\nSTATUS=ending every session\n']);
});

test('a configuration that is read before the manager listens does not say that it does', async (t) => {
  const fixture = await Fixture.connected(t);
  fixture.service.reloading();
  fixture.sent();
  fixture.service.reloaded();
  assert.deepEqual(fixture.sent(), []);
  fixture.status = 'busy';
  fixture.service.reloaded();
  assert.deepEqual(fixture.sent(), ['STATUS=busy\n']);
});

test('the status is brought up to date, and nothing sent while it is the same', async (t) => {
  const fixture = await Fixture.connected(t);
  fixture.service.ready();
  fixture.sent();
  fixture.pass(STATUS_MS);
  fixture.status = 'busy';
  fixture.pass(STATUS_MS - 1);
  assert.deepEqual(fixture.sent(), []);
  fixture.pass(1);
  assert.deepEqual(fixture.sent(), ['STATUS=busy\n']);
});

test('the watchdog is fed twice in its time', async (t) => {
  const fixture = await Fixture.connected(t, {
    NOTIFY_SOCKET: PATH,
    WATCHDOG_USEC: '10000000',
    WATCHDOG_PID: `${process.pid}`,
  });
  fixture.service.ready();
  fixture.sent();
  fixture.pass(4999);
  assert.deepEqual(fixture.sent(), []);
  fixture.pass(1);
  fixture.status = 'busy';
  fixture.pass(5000);
  assert.deepEqual(fixture.sent(), ['WATCHDOG=1\n', 'WATCHDOG=1\nSTATUS=busy\n']);
});

for (const [what, environment] of Object.entries({
  'is another process’s': { WATCHDOG_USEC: '10000000', WATCHDOG_PID: '1' },
  'has no time': { WATCHDOG_USEC: '0' },
  'is not there': {},
})) {
  test(`a watchdog that ${what} is not fed`, async (t) => {
    const fixture = await Fixture.connected(t, { NOTIFY_SOCKET: PATH, ...environment });
    fixture.service.ready();
    fixture.sent();
    fixture.pass(60_000);
    assert.deepEqual(fixture.sent(), []);
  });
}

test('nobody else gets what was in the environment', async (t) => {
  const all = { NOTIFY_SOCKET: PATH, WATCHDOG_USEC: '1', WATCHDOG_PID: '1' };
  const { environment } = await Fixture.connected(t, all);
  assert.deepEqual(environment, { PATH: '/bin' });
});

test('without a service manager nothing is opened, said or kept', async (t) => {
  const fixture = await Fixture.connected(t, { WATCHDOG_USEC: '1' });
  fixture.service.ready();
  fixture.service.stopping('leaving');
  assert.deepEqual([fixture.opened, fixture.sent(), fixture.environment], [[], [], { PATH: '/bin' }]);
});

test('one that cannot be told is complained of once', async (t) => {
  const fixture = await Fixture.connected(t);
  fixture.failure = 'ECONNREFUSED';
  fixture.service.ready();
  fixture.service.reloaded();
  assert.equal(fixture.sent().length, 2);
  assert.deepEqual(
    fixture.lines.all.map(({ level, socket, why }) => [level, socket, why]),
    [['warn', PATH, 'ECONNREFUSED']],
  );
});

test('one that cannot be opened is complained of once, and nothing is sent', async (t) => {
  const fixture = await Fixture.connected(t, { NOTIFY_SOCKET: 'nonsense' }, new Error('not a unix socket address'));
  fixture.service.ready();
  fixture.service.stopping('leaving');
  assert.deepEqual(fixture.sent(), []);
  assert.deepEqual(
    fixture.lines.all.map(({ why }) => why),
    ['not a unix socket address'],
  );
});
