/** What a process's log costs when it cannot be written. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

test('many lines into a full disk cost no memory, and one sentence on standard error', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const module = pathToFileURL(join(import.meta.dirname, '../../src/log/logger.js')).href;
  symlinkSync('/dev/full', join(directory, 'manager.log'));
  const program = `
    const { openLog } = await import(${JSON.stringify(module)});
    const { log } = openLog('manager', { level: 'info', directory: ${JSON.stringify(directory)}, file: 'manager.log' });
    const fill = () => { for (let line = 0; line < 20_000; line += 1) log.info({ text: 'x'.repeat(1000) }, 'line'); };
    fill();
    gc();
    const before = process.memoryUsage().heapUsed;
    fill();
    gc();
    console.log(process.memoryUsage().heapUsed - before);`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', program],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^pptpd-ts: cannot write the log to \S+ \(ENOSPC\); sessions go on.*\n$/);
  // 20 MB of lines.
  assert(Number(stdout) < 5_000_000, `grown by ${stdout.trim()} bytes`);
});
