import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { whileValid } from '../../../../src/console/api/while-valid.js';

test('a long answer ends when its reader may read no longer, not while nobody can tell', async (t) => {
  const answers = [async () => true, async () => Promise.reject(new Error('root does not answer')), async () => false];
  let looks = 0;
  const permission = whileValid(async () => {
    looks += 1;
    assert.equal(permission.over.aborted, false);
    return (answers.shift() ?? assert.fail('asked once more'))();
  }, 1);
  // A timer that keeps this process running.
  const patience = setTimeout(() => undefined, 60_000);
  t.after(() => clearTimeout(patience));
  await once(permission.over, 'abort');
  permission.close();
  assert.equal(looks, 3);
});
