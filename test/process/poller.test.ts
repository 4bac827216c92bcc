/** What becomes of a poll's callback, in a process of its own each: koffi drops what it throws. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';

/** When a promise has waited for too long; only a failure lasts as long. */
const LATE_MS = 10_000;

/** Runs `body` with a Poller that watches a descriptor with something to read; its exit code and what it has printed. */
function run(body: string): { readonly status: number | null; readonly printed: string } {
  const poller = pathToFileURL(resolve(import.meta.dirname, '../../src/sys/poller.js')).href;
  const program = `
    import { Poller } from ${JSON.stringify(poller)};
    const print = (text) => process.stdout.write(text + '\\n');
    // Standard input: readable, since it is at its end.
    const watch = (poller) => poller.watch(0, true, false);
    ${body}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    input: '',
    timeout: 3 * LATE_MS,
  });
  return { status, printed: `${stdout}${stderr}` };
}

test('what `ready` throws is an uncaught exception', () => {
  const { status, printed } = run(`
    process.on('uncaughtException', (error) => { print('uncaught: ' + error.message); process.exit(7); });
    setTimeout(() => print('nothing came'), ${LATE_MS}).unref();
    watch(new Poller(() => { throw new Error('a broken invariant'); }));`);
  assert.deepEqual([status, printed], [7, 'uncaught: a broken invariant\n']);
});

test('without anybody who catches it, it ends the process', () => {
  const { status, printed } = run(`
    setTimeout(() => print('nothing came'), ${LATE_MS}).unref();
    watch(new Poller(() => { throw new Error('a broken invariant'); }));`);
  assert.equal(status, 1);
  assert.match(printed, /Error: a broken invariant/);
});

test('promises that `ready` has settled go on before any other event', () => {
  const { status, printed } = run(`
    const late = setTimeout(() => { print('late'); process.exit(1); }, ${LATE_MS});
    const told = new Promise((resolve) => {
      const poller = new Poller(() => { poller.watch(0, false, false); resolve(); });
      watch(poller);
    });
    await told;
    await Promise.resolve();
    print('at once');
    process.exit(0);`);
  assert.deepEqual([status, printed], [0, 'at once\n']);
});
