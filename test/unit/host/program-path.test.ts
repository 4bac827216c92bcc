import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programPath } from '../../../src/host/program-path.js';

test('the folders of system programs come after those of the PATH', () =>
  assert.equal(programPath('/opt/bin:/bin'), '/opt/bin:/bin:/usr/sbin:/usr/bin:/sbin:/bin'));

for (const [what, own] of [
  ['no PATH', undefined],
  ['an empty PATH', ''],
] as const)
  test(`with ${what} programs are not sought in the current folder`, () =>
    assert.equal(programPath(own), '/usr/sbin:/usr/bin:/sbin:/bin'));
