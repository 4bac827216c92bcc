/** A test file in which tests fail and leave things open, run by Node.js: all its hooks run, and it ends. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SUPPORT = JSON.stringify(fileURLToPath(new URL('support/at-end.js', import.meta.url)));
const FILE = `
  import { createServer } from 'node:net';
  import { test } from 'node:test';
  import { atEnd, endWithLastTest } from ${SUPPORT};
  endWithLastTest(100);
  test('fails at its end', (t) => {
    atEnd(t, () => Promise.reject(new Error('the first hook')));
    t.after(() => console.log('the second hook has run'));
    createServer().listen(0);
  });
  test('the next', () => undefined);
`;

test('a hook that fails keeps no other from running, and what is left open does not keep the file from ending', () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const options = ['--test-reporter=tap', '--input-type=module', '--eval', FILE];
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8', env });
  assert.match(stdout, /the second hook has run/);
  assert.match(stdout, /^not ok 1 - fails at its end$[^]*error: 'the first hook'[^]*^ok 2 - the next$/m);
  assert.match(stderr, /^still open after the last test: .*TCPSERVERWRAP/im);
  assert.equal(status, 1);
});
