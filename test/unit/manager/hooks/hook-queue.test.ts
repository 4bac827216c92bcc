import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Delivered } from '../../../../src/manager/hooks/delivery.js';
import { blockOf, type HookEvent } from '../../../../src/manager/hooks/hook-event.js';
import { HookQueue, MAX_WAITING, RETRY_MS } from '../../../../src/manager/hooks/hook-queue.js';
import { LogLines } from '../../ctrl/log-lines.js';

const event = (client: string): HookEvent => blockOf({ address: client, failedLogins: 3, remaining: 60 });
const AGAIN: Delivered = { ok: false, why: 'status 503', again: true };
const FAILED: Delivered = { ok: false, why: 'exit code 1', again: false };

/** A hook whose deliveries the test ends. */
class Slow {
  readonly told: string[] = [];
  readonly lines = new LogLines();
  dropped = 0;
  signal: AbortSignal | undefined;
  #end: ((result: Delivered) => void) | undefined;
  readonly queue = new HookQueue({
    name: 'hooks[0] (/x)',
    deliver: async ({ client }, signal) => {
      this.told.push(client);
      this.signal = signal;
      return new Promise((resolve) => (this.#end = resolve));
    },
    log: this.lines.log,
    onDropped: () => void (this.dropped += 1),
  });
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    t.mock.timers.enable({ apis: ['setTimeout'] });
  }

  async ends(result: Delivered = { ok: true }): Promise<void> {
    this.#end?.(result);
    await turn();
  }

  async passes(milliseconds: number): Promise<void> {
    this.#t.mock.timers.tick(milliseconds);
    await turn();
  }
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one event after the other, in their order', async (t) => {
  const hook = new Slow(t);
  for (const client of ['a', 'b', 'c']) hook.queue.offer(event(client));
  assert.deepEqual(hook.told, ['a']);
  await hook.ends();
  assert.deepEqual(hook.told, ['a', 'b']);
  await hook.ends();
  await hook.ends();
  await hook.queue.idle();
  hook.queue.offer(event('d'));
  assert.deepEqual(hook.told, ['a', 'b', 'c', 'd']);
  assert.equal(hook.dropped, 0);
});

test('what may succeed later is tried again, and given up after the last attempt', async (t) => {
  const hook = new Slow(t);
  hook.queue.offer(event('a'));
  hook.queue.offer(event('b'));
  for (const pause of RETRY_MS) {
    await hook.ends(AGAIN);
    await hook.passes(pause - 1);
    const before = hook.told.length;
    await hook.passes(1);
    assert.equal(hook.told.length, before + 1);
  }
  assert.deepEqual(hook.told, ['a', 'a', 'a', 'a']);
  await hook.ends(AGAIN);
  assert.deepEqual([hook.told.at(-1), hook.dropped], ['b', 1]);
  assert.deepEqual(hook.lines.at('warn'), ['hooks[0] (/x) did not get the event "blocked": status 503']);
});

test('a program that failed is not run again', async (t) => {
  const hook = new Slow(t);
  hook.queue.offer(event('a'));
  hook.queue.offer(event('b'));
  await hook.ends(FAILED);
  assert.deepEqual(hook.told, ['a', 'b']);
  assert.equal(hook.dropped, 1);
});

test('an attempt that throws is one that failed', async () => {
  const lines = new LogLines();
  const deliver = async (): Promise<Delivered> => Promise.reject(new Error('no descriptors left'));
  const queue = new HookQueue({ name: 'hooks[0] (/x)', deliver, log: lines.log, onDropped: () => undefined });
  queue.offer(event('a'));
  await queue.idle();
  assert.deepEqual(lines.at('warn'), ['hooks[0] (/x) did not get the event "blocked": no descriptors left']);
});

test('a queue that is full drops what comes, counts it, and says so twice', async (t) => {
  const hook = new Slow(t);
  for (let count = 0; count < MAX_WAITING + 3; count += 1) hook.queue.offer(event(String(count)));
  assert.equal(hook.dropped, 3);
  for (let count = 0; count < MAX_WAITING; count += 1) await hook.ends();
  assert.equal(hook.told.at(-1), String(MAX_WAITING - 1));
  assert.deepEqual(hook.lines.at('warn'), [
    `hooks[0] (/x): ${MAX_WAITING} events wait; dropping new ones`,
    'hooks[0] (/x): dropped 3 events; none wait now',
  ]);
});

test('closed: what runs is told to end, and what waits is given up, also between two attempts', async (t) => {
  const hook = new Slow(t);
  for (const client of ['a', 'b']) hook.queue.offer(event(client));
  await hook.ends(AGAIN);
  hook.queue.close();
  hook.queue.close();
  await hook.queue.idle();
  hook.queue.offer(event('c'));
  assert.deepEqual([hook.told, hook.signal?.aborted, hook.dropped], [['a'], true, 3]);
});
