import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { recordLogin, recordLogout } from '../../src/sys/login-records.js';
import { WtmpdbEntry } from '../../src/sys/wtmpdb.js';

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

// Debian 13's `last` is wtmpdb, and reads its database only.
const wtmpdb = spawnSync('wtmpdb', ['--version']).error === undefined;
const hasLast = !wtmpdb && spawnSync('last', ['--version']).error === undefined;
test('last shows it afterwards', { skip: hasLast ? false : 'there is no last that reads wtmp (Debian 13)' }, (t) => {
  const { wtmp } = record(t, () => undefined);
  assert.match(execFileSync('last', ['-f', wtmp], { encoding: 'utf8' }), /^alice +ppp12 +192\.0\.2\.7 .*\(00:03\)/);
});

test('missing files are not created', () => {
  const files = { utmp: '/nonexistent/utmp', wtmp: '/nonexistent/wtmp' };
  recordLogin({ line: 'ppp0', user: 'bob', host: '192.0.2.8', pid: process.pid }, Date.now(), files);
  assert.throws(() => statSync(files.wtmp), /ENOENT/);
});

describe("Debian 13's last", { skip: wtmpdb ? false : 'wtmpdb is not installed (Debian 13 and later)' }, () => {
  const LOGIN = { line: 'ppp12', user: 'alice', host: '192.0.2.7' };
  const since = Date.now() - 5 * MINUTE_MS;
  const entryIn = (file: string): WtmpdbEntry =>
    new WtmpdbEntry({ onFailure: (message) => assert.fail(message), file });
  const last = (file: string): string => execFileSync('last', ['--service', '-f', file], { encoding: 'utf8' });
  function database(t: TestContext): string {
    const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
    t.after(() => rmSync(directory, { recursive: true }));
    return join(directory, 'wtmp.db');
  }

  test('shows a connected client, and its session afterwards', async (t) => {
    const file = database(t);
    const entry = entryIn(file);
    entry.begin(LOGIN, since);
    await entry.written;
    assert.match(last(file), /^alice +ppp12 +192\.0\.2\.7 +pptpd-ts .* still logged in/);
    entry.end(LOGIN.line, since + 3 * MINUTE_MS);
    await entry.written;
    assert.match(last(file), /^alice +ppp12 +192\.0\.2\.7 +pptpd-ts .*\(00:03\)/);
  });

  test('shows the end that another process has written', async (t) => {
    const file = database(t);
    const before = entryIn(file);
    before.begin(LOGIN, since);
    await before.written;
    const after = entryIn(file);
    after.end(LOGIN.line, since + 3 * MINUTE_MS);
    await after.written;
    assert.match(last(file), /^alice +ppp12 .*\(00:03\)/);
  });

  test('a database that cannot be written is reported', async () => {
    const failures: string[] = [];
    const entry = new WtmpdbEntry({ onFailure: (message) => failures.push(message), file: tmpdir() });
    entry.begin(LOGIN, since);
    await entry.written;
    assert.equal(failures.length, 1);
  });
});
