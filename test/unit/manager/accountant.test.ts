/** Accounts that workers leave owed, closed by the manager: what their last record says, and when it is tried again. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { keepAccount } from '../../../src/accounting/open-account.js';
import type { AccountRecord } from '../../../src/accounting/record.js';
import { Accountant } from '../../../src/manager/accountant.js';
import { runPaths, sessionRecordPath } from '../../../src/session/paths.js';
import { LogLines } from '../ctrl/log-lines.js';
import { aState } from '../session/a-state.js';

const RETRY = 10_000;
const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

class Fixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  readonly runDirectory = join(this.directory, 'run');
  readonly file = join(this.directory, 'accounting.jsonl');
  readonly lines = new LogLines();
  readonly accountant = new Accountant(this.runDirectory, this.lines.log);
  readonly #t: TestContext;
  /** Monotonic seconds. */
  now = 5000;

  constructor(t: TestContext, { canWrite = true } = {}) {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
    t.mock.method(process, 'hrtime', () => [Math.floor(this.now), Math.round((this.now % 1) * 1e9)]);
    this.#t = t;
    const { sessions, accounts } = runPaths(this.runDirectory);
    for (const folder of [sessions, accounts]) mkdirSync(folder, { recursive: true });
    // Where it is to be there is a folder.
    if (!canWrite) mkdirSync(this.file);
    t.after(async () => {
      await this.accountant.close();
      rmSync(this.directory, { recursive: true });
    });
  }

  makeWay(): void {
    rmSync(this.file, { recursive: true });
  }

  record(session: string, parts: Partial<AccountRecord> = {}): AccountRecord {
    return {
      record: 'interim',
      session,
      host: hostname(),
      user: 'alice',
      authenticated: true,
      client: '198.51.100.7',
      server: '192.0.2.1',
      tunnel: { local: null, remote: null },
      start: '2026-11-23T10:00:00.000Z',
      end: '2026-11-23T11:00:00.000Z',
      seconds: 3600,
      rxPackets: 7,
      rxBytes: 700,
      txPackets: 0,
      txBytes: 0,
      encryption: null,
      reason: null,
      detail: null,
      cause: null,
      ...parts,
    };
  }

  /** An account that its worker has left. */
  owe(session: string, startedAt = 4000): void {
    keepAccount(this.runDirectory, { file: this.file, startedAt, record: this.record(session) });
  }

  get owed(): string[] {
    return readdirSync(runPaths(this.runDirectory).accounts);
  }

  get written(): AccountRecord[] {
    if (!existsSync(this.file) || statSync(this.file).isDirectory()) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AccountRecord);
  }

  /** Sessions that have their end in the file. */
  get ended(): string[] {
    return this.written.filter(({ record }) => record === 'ended').map(({ session }) => session);
  }

  pass(milliseconds: number): void {
    this.#t.mock.timers.tick(milliseconds);
  }
}

/** Gives the file system its turns until it is so. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000; turn += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`it never was: ${what}`);
}

test('a worker that was seen to die ends its account then, with the amounts that it has written last', async (t) => {
  const fixture = new Fixture(t);
  fixture.owe('died11', 4000);
  fixture.now = 7600.25;
  fixture.accountant.over('died11', aState(), true);
  await until('closed', () => fixture.owed.length === 0);
  assert.deepEqual(fixture.written, [
    fixture.record('died11', {
      record: 'ended',
      end: '2026-11-23T12:00:00.000Z',
      seconds: 3600.25,
      reason: 'workerFailed',
      detail: 'amounts of 2026-11-23T11:00:00.000Z',
    }),
  ]);
  assert.deepEqual(fixture.lines.all, []);
});

for (const [what, last, died] of [
  ['that has told nothing to this manager', null, true],
  ['whose session was over', aState(), false],
] as const) {
  test(`a worker ${what} ends its account as it has written last`, async (t) => {
    const fixture = new Fixture(t);
    fixture.owe('other1');
    fixture.accountant.over('other1', last, died);
    await until('closed', () => fixture.owed.length === 0);
    const [{ end, seconds, reason } = fixture.record('none11')] = fixture.written;
    assert.deepEqual([end, seconds, reason], ['2026-11-23T11:00:00.000Z', 3600, 'workerFailed']);
  });
}

test('the account of a session that lives is not touched', async (t) => {
  const fixture = new Fixture(t);
  fixture.owe('living');
  fixture.owe('dead11');
  writeFileSync(sessionRecordPath(fixture.runDirectory, 'living'), '{}');
  fixture.accountant.work();
  await until('closed', () => fixture.owed.length === 1);
  assert.deepEqual([fixture.owed, fixture.ended], [['living.json'], ['dead11']]);
});

test('what cannot be written is tried again, ends as it was seen to, and is complained of once', async (t) => {
  const fixture = new Fixture(t, { canWrite: false });
  fixture.owe('died11');
  fixture.accountant.over('died11', aState(), true);
  await until('a warning', () => fixture.lines.at('warn').length > 0);
  fixture.pass(RETRY);
  fixture.pass(RETRY);
  fixture.makeWay();
  await until('closed', () => {
    fixture.pass(RETRY);
    return fixture.owed.length === 0;
  });
  assert.deepEqual(
    fixture.written.map(({ session, end }) => [session, end]),
    [['died11', '2026-11-23T12:00:00.000Z']],
  );
  assert.equal(fixture.lines.at('warn').length, 1);
  await until('word that it is over', () => fixture.lines.at('info').length > 0);
});

test('nothing is tried again before its time', async (t) => {
  const fixture = new Fixture(t, { canWrite: false });
  fixture.owe('died11');
  fixture.accountant.work();
  await until('a warning', () => fixture.lines.at('warn').length > 0);
  fixture.makeWay();
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  fixture.pass(RETRY - 1);
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([fixture.owed, fixture.ended], [['died11.json'], []]);
});

test('closing tries once more, and never again', async (t) => {
  const fixture = new Fixture(t, { canWrite: false });
  fixture.owe('died11');
  fixture.accountant.work();
  await until('a warning', () => fixture.lines.at('warn').length > 0);
  fixture.makeWay();
  await fixture.accountant.close();
  assert.deepEqual(fixture.ended, ['died11']);
  fixture.owe('later1');
  fixture.pass(10 * RETRY);
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(fixture.ended, ['died11']);
});

test('sessions of before the machine stopped end as their last interim record, once a run directory', async (t) => {
  const fixture = new Fixture(t);
  const lost = fixture.record('lost11');
  const records = [
    lost,
    fixture.record('ended1'),
    fixture.record('ended1', { record: 'ended', reason: 'kicked' }),
    fixture.record('living'),
    fixture.record('owed11'),
    fixture.record('others', { host: 'other-host' }),
  ];
  const lines = records.map((record) => JSON.stringify(record));
  writeFileSync(fixture.file, `${lines.join('\n')}\n`);
  writeFileSync(sessionRecordPath(fixture.runDirectory, 'living'), '{}');
  fixture.owe('owed11');
  await fixture.accountant.recover(fixture.file);
  await until('closed', () => fixture.owed.length === 0);
  const added = fixture.written.slice(records.length);
  assert.deepEqual(added.map(({ session }) => session).toSorted(), ['lost11', 'owed11']);
  assert.deepEqual(
    added.find(({ session }) => session === 'lost11'),
    { ...lost, record: 'ended', reason: 'workerFailed', detail: `amounts of ${lost.end}` },
  );
  // Whoever recovers later, there is nothing left of before.
  rmSync(sessionRecordPath(fixture.runDirectory, 'living'));
  await fixture.accountant.recover(fixture.file);
  await fixture.accountant.close();
  assert.equal(fixture.written.length, records.length + 2);
});

test('a file that cannot be read is tried again until it can', async (t) => {
  const fixture = new Fixture(t, { canWrite: false });
  await fixture.accountant.recover(fixture.file);
  assert.equal(fixture.lines.at('warn').length, 1);
  assert.equal(existsSync(runPaths(fixture.runDirectory).accountsRecovered), false);
  fixture.makeWay();
  writeFileSync(fixture.file, `${JSON.stringify(fixture.record('lost11'))}\n`);
  fixture.pass(RETRY);
  await until('recovered', () => fixture.ended.length === 1);
  assert.equal(existsSync(runPaths(fixture.runDirectory).accountsRecovered), true);
});
