import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { collectGarbageSoon, WAIT_MS } from '../../../src/ctrl/collect-garbage.js';

test('garbage is collected after the last call only, and not while the process is busy', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const load = { idle: 0, active: 0, utilization: 0.5 };
  t.mock.method(performance, 'eventLoopUtilization', () => load);
  const collect = t.mock.fn();
  globalThis.gc = collect as unknown as NodeJS.GCFunction;

  collectGarbageSoon();
  t.mock.timers.tick(WAIT_MS - 1);
  collectGarbageSoon();
  t.mock.timers.tick(10 * WAIT_MS);
  assert.equal(collect.mock.callCount(), 0);
  load.utilization = 0.05;
  t.mock.timers.tick(WAIT_MS);
  const collected = collect.mock.callCount();
  assert.ok(collected > 0);
  t.mock.timers.tick(10 * WAIT_MS);
  assert.equal(collect.mock.callCount(), collected);
});
