import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { recordLogin, recordLogout } from '../../src/sys/login-records.js';

const MINUTE_MS = 60_000;

/** A session of three minutes, as `recordLogin` and `recordLogout` keep it; `during` is called while it goes on. */
function record(t: TestContext, during: (utmp: string) => void): { readonly utmp: string; readonly wtmp: string } {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const files = { utmp: join(directory, 'utmp'), wtmp: join(directory, 'wtmp') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const login = { line: 'ppp12', user: 'alice', host: '192.0.2.7', pid: process.pid };
  const since = Date.now() - 5 * MINUTE_MS;

  recordLogin(login, since, files);
  during(files.utmp);
  recordLogout(login, since + 3 * MINUTE_MS, files);
  return files;
}

test('who shows a connected client', (t) => {
  const who = (utmp: string): string => execFileSync('who', [utmp], { encoding: 'utf8' });
  const { utmp } = record(t, (file) => assert.match(who(file), /^alice +ppp12 .*\(192\.0\.2\.7\)/));
  assert.equal(who(utmp), '');
});

const hasLast = spawnSync('last', ['--version']).error === undefined;
test('last shows it afterwards', { skip: hasLast ? false : 'last is not installed; Debian 13 has none' }, (t) => {
  const { wtmp } = record(t, () => undefined);
  assert.match(execFileSync('last', ['-f', wtmp], { encoding: 'utf8' }), /^alice +ppp12 +192\.0\.2\.7 .*\(00:03\)/);
});

test('missing files are not created', () => {
  const files = { utmp: '/nonexistent/utmp', wtmp: '/nonexistent/wtmp' };
  recordLogin({ line: 'ppp0', user: 'bob', host: '192.0.2.8', pid: process.pid }, Date.now(), files);
  assert.throws(() => statSync(files.wtmp), /ENOENT/);
});
