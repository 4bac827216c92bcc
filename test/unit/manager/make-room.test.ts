/** Which sessions are asked to end for clients that wait for a lease: none while enough sessions are ending anyway. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { configurationSchema } from '../../../src/config/schema.js';
import type { Client } from '../../../src/manager/admission.js';
import { Dispatcher } from '../../../src/manager/dispatcher.js';
import type { Lease } from '../../../src/session/lease.js';
import { LogLines } from '../ctrl/log-lines.js';

const LEASE: Lease = { local: '203.0.113.1', remote: '203.0.113.10', callId: 4711 };
/** How long a client waits for a session that is ending, milliseconds. */
const ENDING = 2000;
const TRY = 250;

class Fixture {
  /** Sessions that have a lease: those that are ending, and those without a call. */
  readonly registry = {
    endingCount: 0,
    withoutCall: 5,
    makeRoom: () => {
      if (this.registry.withoutCall === 0) return false;
      this.registry.withoutCall -= 1;
      this.registry.endingCount += 1;
      return true;
    },
    add: () => assert.fail('no worker adopts a client here'),
    has: () => false,
  };
  served = 0;
  refused = 0;
  readonly dispatcher: Dispatcher;
  readonly #free: Lease[] = [];
  readonly #t: TestContext;
  #now = 0;

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    t.mock.method(performance, 'now', () => this.#now);
    this.#t = t;
    this.dispatcher = new Dispatcher({
      monitored: null,
      configuration: configurationSchema.parse({}),
      leases: { take: () => this.#free.shift() ?? null, giveBack: (lease) => this.#free.push(lease) },
      pool: {
        acquire: async () => {
          this.served += 1;
          return new Promise(() => undefined);
        },
        giveBack: () => undefined,
      },
      registry: this.registry,
      refusedClients: { count: () => (this.refused += 1) },
      log: new LogLines().log,
    });
    t.after(() => this.dispatcher.close());
  }

  /** Number of sessions that were asked to end. */
  get asked(): number {
    return 5 - this.registry.withoutCall;
  }

  enter(): void {
    const socket = { destroy: () => undefined, end: () => undefined };
    const peer = { address: '198.51.100.7', port: 40_123 };
    this.dispatcher.dispatch({ socket, peer, hasLeft: false } as unknown as Client);
  }

  /** A session has ended. */
  end(): void {
    this.registry.endingCount -= 1;
    this.#free.push(LEASE);
    this.dispatcher.leaseFreed();
  }

  pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += TRY) {
      this.#now += TRY;
      this.#t.mock.timers.tick(TRY);
    }
  }
}

test('a client waits for a session that is ending, and no other is asked to end', (t) => {
  const fixture = new Fixture(t);
  fixture.registry.endingCount = 1;
  fixture.enter();
  fixture.pass(ENDING - TRY);
  assert.equal(fixture.asked, 0);
  fixture.end();
  assert.deepEqual([fixture.served, fixture.asked], [1, 0]);
});

test('of two clients one waits for the session that is ending, and a session is asked to end for the other', (t) => {
  const fixture = new Fixture(t);
  fixture.registry.endingCount = 1;
  fixture.enter();
  fixture.enter();
  fixture.pass(ENDING - TRY);
  assert.equal(fixture.asked, 1);
  fixture.end();
  fixture.end();
  assert.deepEqual([fixture.served, fixture.asked], [2, 1]);
});

test('a session that takes long to end is not waited for: another is asked to', (t) => {
  const fixture = new Fixture(t);
  fixture.registry.endingCount = 1;
  fixture.enter();
  fixture.pass(ENDING);
  assert.equal(fixture.asked, 1);
  fixture.pass(ENDING);
  assert.deepEqual([fixture.asked, fixture.refused], [1, 0]);
});
