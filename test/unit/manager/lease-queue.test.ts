/** Clients that wait for a lease: who is served first, who gives up when, and who is asked to make room for them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LeaseQueue } from '../../../src/manager/lease-queue.js';
import type { Lease } from '../../../src/session/lease.js';
import { AClient } from './a-client.js';

/** How often it asks again for room, milliseconds; a client's longest wait is 40 times that. */
const TRY = 250;
const MAX_WAIT = 10_000;

class Fixture {
  /** Whether a session will go soon. */
  isHopeless = false;
  /** How many sessions can still be asked to make room. */
  askable = 0;
  asked = 0;
  /** Those that wait in vain, and those that have got a lease, by name. */
  readonly vain: string[] = [];
  readonly served: string[] = [];
  readonly clients = new Map<string, AClient>();
  readonly queue = new LeaseQueue(
    () => {
      if (this.askable === 0) return false;
      this.askable -= 1;
      this.asked += 1;
      return true;
    },
    () => this.isHopeless,
  );
  readonly #t: TestContext;
  #now = 1000;

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    t.mock.method(performance, 'now', () => this.#now);
    this.#t = t;
  }

  enter(name: string, most = Infinity): AClient {
    const client = new AClient();
    this.clients.set(name, client);
    this.queue.enter(client, most, () => void this.vain.push(name));
    return client;
  }

  /** So many leases are free. */
  lend(count: number): void {
    let left = count;
    this.queue.serve(
      () => (left-- > 0 ? ({ callId: left } as Lease) : null),
      (client) => {
        for (const [name, each] of this.clients) if (each === client) this.served.push(name);
      },
    );
  }

  pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += TRY) {
      this.#now += TRY;
      this.#t.mock.timers.tick(TRY);
    }
  }
}

test('where no session will go soon nobody waits', (t) => {
  const fixture = new Fixture(t);
  fixture.isHopeless = true;
  fixture.enter('a');
  assert.deepEqual([fixture.vain, fixture.asked], [['a'], 0]);
  fixture.lend(1);
  assert.deepEqual(fixture.served, []);
});

test('the client that came last is served first, as many as there are leases', (t) => {
  const fixture = new Fixture(t);
  for (const name of ['a', 'b', 'c']) fixture.enter(name);
  fixture.lend(2);
  assert.deepEqual(fixture.served, ['c', 'b']);
  fixture.lend(2);
  assert.deepEqual(fixture.served, ['c', 'b', 'a']);
  fixture.pass(MAX_WAIT);
  assert.deepEqual(fixture.vain, []);
});

test('a client that has left gets no lease, and the next one does', (t) => {
  const fixture = new Fixture(t);
  fixture.enter('a');
  fixture.enter('b').hasLeft = true;
  fixture.lend(1);
  assert.deepEqual([fixture.served, fixture.vain], [['a'], ['b']]);
});

test('a client that leaves while it waits is dismissed, and no session is asked to go for it', (t) => {
  const fixture = new Fixture(t);
  fixture.enter('a').hasLeft = true;
  fixture.askable = 1;
  fixture.pass(TRY);
  assert.deepEqual([fixture.vain, fixture.asked], [['a'], 0]);
});

test('the oldest makes place for one more than may wait', (t) => {
  const fixture = new Fixture(t);
  for (const name of ['a', 'b']) fixture.enter(name, 2);
  assert.deepEqual(fixture.vain, []);
  fixture.enter('c', 2);
  assert.deepEqual(fixture.vain, ['a']);
  fixture.lend(3);
  assert.deepEqual(fixture.served, ['c', 'b']);
});

test('one session is asked to go for each client, as soon as there is one', (t) => {
  const fixture = new Fixture(t);
  fixture.askable = 1;
  fixture.enter('a');
  assert.equal(fixture.asked, 1);
  fixture.enter('b');
  fixture.pass(TRY);
  assert.equal(fixture.asked, 1);
  fixture.askable = 5;
  fixture.pass(TRY - 1);
  assert.equal(fixture.asked, 2, 'for the one for whom there was none');
  fixture.pass(4 * TRY);
  assert.equal(fixture.asked, 2);
});

test('the client that came last is the first for whom a session is asked to go', (t) => {
  const fixture = new Fixture(t);
  for (const name of ['a', 'b']) fixture.enter(name);
  fixture.isHopeless = true;
  fixture.askable = 1;
  fixture.pass(TRY);
  assert.deepEqual(fixture.vain, ['a']);
});

test('a client waits ten seconds and no longer', (t) => {
  const fixture = new Fixture(t);
  fixture.enter('a');
  fixture.pass(MAX_WAIT / 2);
  fixture.enter('b');
  fixture.pass(MAX_WAIT / 2 - TRY);
  assert.deepEqual(fixture.vain, []);
  fixture.pass(TRY);
  assert.deepEqual(fixture.vain, ['a']);
  fixture.pass(MAX_WAIT / 2);
  assert.deepEqual(fixture.vain, ['a', 'b']);
});

test('a client for whom a session was asked to go waits on although none will go soon; others do not', (t) => {
  const fixture = new Fixture(t);
  fixture.askable = 1;
  fixture.enter('a');
  fixture.enter('b');
  fixture.isHopeless = true;
  fixture.pass(TRY);
  assert.deepEqual(fixture.vain, ['b']);
  fixture.lend(1);
  assert.deepEqual(fixture.served, ['a']);
});

test('nothing is looked for while nobody waits, and again when somebody does', (t) => {
  const fixture = new Fixture(t);
  const [start, stop] = [t.mock.method(globalThis, 'setInterval'), t.mock.method(globalThis, 'clearInterval')];
  fixture.enter('a');
  fixture.enter('b');
  fixture.lend(1);
  assert.deepEqual([start.mock.callCount(), stop.mock.callCount()], [1, 0]);
  fixture.lend(1);
  assert.deepEqual([start.mock.callCount(), stop.mock.callCount()], [1, 1]);
  fixture.enter('c');
  fixture.askable = 1;
  fixture.pass(TRY);
  assert.equal(fixture.asked, 1);
});

test('closing closes all who wait, without a word', (t) => {
  const fixture = new Fixture(t);
  const clients = ['a', 'b'].map((name) => fixture.enter(name));
  fixture.queue.close();
  assert.deepEqual(
    clients.map(({ connection }) => connection.destroyed),
    [true, true],
  );
  fixture.lend(2);
  fixture.pass(MAX_WAIT);
  assert.deepEqual([fixture.vain, fixture.served], [[], []]);
});
