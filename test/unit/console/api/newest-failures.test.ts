import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NewestFailures } from '../../../../src/console/api/newest-failures.js';
import type { Failure } from '../../../../src/console/api/schemas.js';

const failure = (time: number, cause: string | null): Failure => ({
  time,
  session: 'abc123',
  user: null,
  client: '192.0.2.7',
  cause,
  text: 'it failed',
  remedy: null,
});

test('the newest are kept in whatever order they come, and all are counted', () => {
  for (const order of [1, 7, 993]) {
    const found = new NewestFailures(undefined, 10);
    let most = 0;
    for (let at = 0; at < 1000; at += 1) {
      found.add(failure((at * order) % 1000, 'wrongPassword'));
      most = Math.max(most, found.size);
    }
    assert.deepEqual(
      found.newest.map(({ time }) => time),
      [999, 998, 997, 996, 995, 994, 993, 992, 991, 990],
    );
    assert.deepEqual([...found.byCause], [['wrongPassword', 1000]]);
    assert(most < 20);
  }
});

test('only those of the wanted cause are kept', () => {
  const found = new NewestFailures('unknown', 10);
  for (const cause of ['wrongPassword', null, '__proto__']) found.add(failure(1, cause));
  assert.deepEqual(
    found.newest.map(({ cause }) => cause),
    [null],
  );
  assert.deepEqual([...found.byCause.keys()], ['wrongPassword', 'unknown', '__proto__']);
});
