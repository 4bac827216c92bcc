/** Why the monitor refused reaches the explanation as data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceCause, loginCause } from '../../../src/link/monitor-cause.js';
import { MonitorError, type MonitorFailure } from '../../../src/monitor/monitor-failure.js';

const FAILURES: readonly MonitorFailure[] = [
  { kind: 'unavailable', code: 'ETIMEDOUT' },
  { kind: 'refused', reason: 'tooManyGuesses' },
  { kind: 'failed', step: 'open /dev/net/tun', code: 'ENOENT' },
];

test('a failure of the monitor is kept, with its sentence', () => {
  for (const failure of FAILURES) {
    const error = new MonitorError(failure);
    assert.deepEqual(deviceCause(error), { kind: 'device', problem: error.message, failure });
    assert.deepEqual(loginCause(error), { kind: 'login', problem: error.message, failure });
  }
});

test('the sentence says whether the monitor is dead or stands still', () => {
  for (const [code, problem] of [
    ['ECONNREFUSED', 'neither the monitor nor its supervisor is running: ECONNREFUSED'],
    ['ETIMEDOUT', 'the monitor does not answer: ETIMEDOUT'],
    ['EACCES', 'the monitor cannot be reached: EACCES'],
  ] as const)
    assert.equal(new MonitorError({ kind: 'unavailable', code }).message, problem);
});

test('of any other error only the sentence is kept', () => {
  assert.deepEqual(deviceCause(new Error('no memory')), { kind: 'device', problem: 'no memory' });
  assert.deepEqual(loginCause('nothing'), { kind: 'login', problem: 'nothing' });
});
