/** Which processes are signalled: those that are the recorded ones, and never our own, our parent or the first. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { identify, identifyOurselves, isAlive, isAnothers, signal } from '../../../src/host/process.js';

/** No system has that many. */
const NOBODY = 2 ** 30;
/** The one process besides the first and our parent that is surely there. */
const OURS = identifyOurselves();

/** Notes what is sent; `fails`: the system refuses. */
function sent(t: TestContext, fails = false): unknown[][] {
  const all: unknown[][] = [];
  t.mock.method(process, 'kill', (...parts: unknown[]) => {
    all.push(parts);
    if (fails) throw new Error('kill EPERM');
    return true;
  });
  return all;
}

/** Has this process be another one than whoever asks. */
const asAnother = (t: TestContext): void => {
  const { pid } = process;
  Object.defineProperty(process, 'pid', { value: NOBODY, configurable: true });
  t.after(() => Object.defineProperty(process, 'pid', { value: pid, configurable: true }));
};

test('a process is known by id and start time', () => {
  assert.equal(OURS.pid, process.pid);
  assert.match(OURS.startTime, /^[1-9][0-9]*$/);
  assert.deepEqual(identify(process.pid), OURS);
  assert.deepEqual([isAlive(OURS), isAlive({ ...OURS, startTime: '1' })], [true, false]);
});

test('who is not there is nobody', () => {
  assert.equal(identify(NOBODY), null);
  assert.equal(isAlive({ pid: NOBODY, startTime: '1' }), false);
});

test('the recorded process is signalled', (t) => {
  const all = sent(t);
  asAnother(t);
  assert.equal(signal(OURS, 'SIGTERM'), true);
  assert.deepEqual(all, [[OURS.pid, 'SIGTERM']]);
});

test('a signal that the system refuses was not sent', (t) => {
  const all = sent(t, true);
  asAnother(t);
  assert.equal(signal(OURS, 'SIGTERM'), false);
  assert.equal(all.length, 1);
});

test('a process that was started at another time is not', (t) => {
  const all = sent(t);
  asAnother(t);
  assert.equal(signal({ ...OURS, startTime: '1' }, 'SIGKILL'), false);
  assert.deepEqual(all, []);
});

for (const [who, pid] of Object.entries({
  'this process': process.pid,
  'its parent': process.ppid,
  'the first process': 1,
})) {
  test(`${who} is not, whatever a record says`, (t) => {
    const all = sent(t);
    const identity = identify(pid);
    if (identity === null) {
      t.skip(`/proc does not show process ${pid}`);
      return;
    }
    assert.equal(isAnothers(identity), false);
    assert.equal(signal(identity, 'SIGKILL'), false);
    assert.deepEqual(all, []);
  });
}
