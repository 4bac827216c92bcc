/** Two passwords are checked at a time, sixteen wait, and more are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PasswordQueue } from '../../../../src/console/access/password-queue.js';

test('two at a time, sixteen wait, the rest is refused, and a failure frees its place', async () => {
  const queue = new PasswordQueue();
  let [running, most, begun] = [0, 0, 0];
  const work = async (): Promise<true> => {
    running += 1;
    most = Math.max(most, running);
    begun += 1;
    const isThird = begun === 3;
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (isThird) throw new Error('failed');
    return true;
  };
  const results = await Promise.all(Array.from({ length: 20 }, async () => queue.run(work).catch(() => false)));
  assert.deepEqual(results.slice(18), [null, null]);
  assert.equal(results.filter((result) => result === true).length, 17);
  assert.equal(results[2], false);
  assert.equal(most, 2);
  assert.equal(await queue.run(async () => Promise.resolve('free')), 'free');
});
