import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { recordLogin, recordLogout } from '../../src/sys/login-records.js';

const MINUTE_MS = 60_000;

test('who shows a connected client, and last shows it afterwards', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const files = { utmp: join(directory, 'utmp'), wtmp: join(directory, 'wtmp') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const login = { line: 'ppp12', user: 'alice', host: '192.0.2.7', pid: process.pid };
  const since = Date.now() - 5 * MINUTE_MS;

  recordLogin(login, since, files);
  assert.match(execFileSync('who', [files.utmp], { encoding: 'utf8' }), /^alice +ppp12 .*\(192\.0\.2\.7\)/);

  recordLogout(login, since + 3 * MINUTE_MS, files);
  assert.equal(execFileSync('who', [files.utmp], { encoding: 'utf8' }), '');
  assert.match(
    execFileSync('last', ['-f', files.wtmp], { encoding: 'utf8' }),
    /^alice +ppp12 +192\.0\.2\.7 .*\(00:03\)/,
  );
});

test('missing files are not created', () => {
  const files = { utmp: '/nonexistent/utmp', wtmp: '/nonexistent/wtmp' };
  recordLogin({ line: 'ppp0', user: 'bob', host: '192.0.2.8', pid: process.pid }, Date.now(), files);
  assert.throws(() => statSync(files.wtmp), /ENOENT/);
});
