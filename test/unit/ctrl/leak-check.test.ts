import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { isClean, LeakCheck } from '../../../src/ctrl/leak-check.js';

const open = (descriptors: readonly string[], resources: readonly string[] = []) => ({
  descriptors: new Set(descriptors),
  resources,
});

const BEFORE = open(['0 /dev/null', '20 pipe:[4711]'], ['PipeWrap', 'Timeout', 'Timeout']);
const { descriptors, resources } = { descriptors: [...BEFORE.descriptors], resources: BEFORE.resources };

/** Whether a session has left something open, and another client may follow. */
const TABLE: Readonly<Record<string, readonly [now: Parameters<typeof isClean>[0], clean: boolean]>> = {
  'the same': [open(descriptors, resources), true],
  'the same in another order': [open(descriptors.toReversed(), resources.toReversed()), true],
  'something was closed': [open(['0 /dev/null'], ['Timeout']), true],
  'one descriptor more': [open([...descriptors, '21 socket:[99]'], resources), false],
  'one descriptor leaked and one closed': [open(['0 /dev/null', '21 socket:[99]'], resources), false],
  'a descriptor that is another file now': [open(['0 /dev/null', '20 pipe:[4712]'], resources), false],
  'a resource of a kind that was not there': [open(descriptors, [...resources, 'TCPSocketWrap']), false],
  'a kind of resource more often': [open(descriptors, [...resources, 'Timeout']), false],
  'a kind of resource more often, and another one gone': [open(descriptors, ['Timeout', 'Timeout', 'Timeout']), false],
};

for (const [what, [now, clean]] of Object.entries(TABLE)) {
  test(`${what}: ${clean ? 'clean' : 'something is open'}`, () => assert.equal(isClean(now, BEFORE), clean));
}

/** A clock that advances by this, milliseconds, whenever it is read. */
function hurry(t: TestContext, step: number): void {
  let now = 0;
  t.mock.method(process, 'hrtime', () => [Math.floor((now += step) / 1000), (now % 1000) * 1e6]);
}

test('a descriptor of this process that stays open is found after a second', async (t) => {
  hurry(t, 100);
  const check = new LeakCheck();
  const descriptor = openSync('/dev/null', 'r');
  t.after(() => closeSync(descriptor));
  assert.equal(await check.isClean(), false);
});

test('a descriptor that closes a moment later is waited for', async (t) => {
  hurry(t, 10);
  const check = new LeakCheck();
  assert.equal(await check.isClean(), true);
  const descriptor = openSync('/dev/null', 'r');
  const clean = check.isClean();
  closeSync(descriptor);
  assert.equal(await clean, true);
});
