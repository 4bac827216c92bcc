/**
 * Accounts that a worker left open: each is recorded in the accounting file exactly once, wherever its worker stopped.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { appendRecord } from '../../../src/accounting/append.js';
import { closeAccount, keepAccount, type OpenAccount } from '../../../src/accounting/open-account.js';
import { closeOwed, listOwed } from '../../../src/accounting/owed.js';
import { readRecords } from '../../../src/accounting/read.js';
import { runPaths } from '../../../src/session/paths.js';

function account(t: TestContext, record: OpenAccount['record']['record']): [runDirectory: string, OpenAccount] {
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(runDirectory, { recursive: true }));
  for (const folder of [runPaths(runDirectory).accounts, runPaths(runDirectory).sessions]) mkdirSync(folder);
  return [
    runDirectory,
    {
      file: join(runDirectory, 'accounting.jsonl'),
      startedAt: 100,
      record: {
        record,
        session: 'abc123',
        host: 'vpn1',
        user: null,
        authenticated: false,
        client: '192.0.2.7',
        server: '192.0.2.1',
        tunnel: { local: null, remote: null },
        start: '2026-11-23T10:00:00.000Z',
        end: '2026-11-23T11:00:00.000Z',
        seconds: 3600,
        rxPackets: 0,
        rxBytes: 0,
        txPackets: 0,
        txBytes: 0,
        encryption: null,
        reason: record === 'ended' ? 'clientStopped' : null,
        detail: null,
        cause: null,
      },
    },
  ];
}

const died = ({ record }: OpenAccount): OpenAccount['record'] => ({
  ...record,
  record: 'ended',
  reason: 'workerFailed',
});

async function reasonsIn(file: string): Promise<(string | null)[]> {
  const reasons: (string | null)[] = [];
  for await (const { reason } of readRecords(file)) reasons.push(reason);
  return reasons;
}

const filesOf = (runDirectory: string): string[] => readdirSync(runPaths(runDirectory).accounts);

test('the account of a living session is not owed', (t) => {
  const [runDirectory, open] = account(t, 'interim');
  keepAccount(runDirectory, open);
  writeFileSync(join(runPaths(runDirectory).sessions, 'abc123.json'), '{}');
  assert.deepEqual(listOwed(runDirectory), []);
  rmSync(join(runPaths(runDirectory).sessions, 'abc123.json'));
  assert.deepEqual(listOwed(runDirectory), [open]);
});

test('a worker that closes its account leaves no file behind', async (t) => {
  const [runDirectory, open] = account(t, 'ended');
  await closeAccount(runDirectory, open);
  assert.deepEqual(await reasonsIn(open.file), ['clientStopped']);
  assert.deepEqual(filesOf(runDirectory), []);
});

test('the account of a dead worker is closed with what the manager knows', async (t) => {
  const [runDirectory, open] = account(t, 'interim');
  keepAccount(runDirectory, open);
  for (const each of listOwed(runDirectory)) await closeOwed(runDirectory, each, died);
  assert.deepEqual(await reasonsIn(open.file), ['workerFailed']);
  assert.deepEqual(filesOf(runDirectory), []);
});

for (const written of [false, true]) {
  test(`a worker killed ${written ? 'after' : 'before'} its last record is accounted once, with its own record`, async (t) => {
    const [runDirectory, open] = account(t, 'ended');
    keepAccount(runDirectory, open);
    if (written) await appendRecord(open.file, open.record);
    for (const each of listOwed(runDirectory)) await closeOwed(runDirectory, each, died);
    assert.deepEqual(await reasonsIn(open.file), ['clientStopped']);
    assert.deepEqual(filesOf(runDirectory), []);
  });
}

test('an account stays owed on a full disk, and foreign files are left alone', async (t) => {
  const [runDirectory, { record, startedAt }] = account(t, 'interim');
  keepAccount(runDirectory, { file: '/dev/full', startedAt, record });
  for (const foreign of ['README', 'xyz789.json']) writeFileSync(join(runPaths(runDirectory).accounts, foreign), '{"');
  for (const each of listOwed(runDirectory)) await assert.rejects(closeOwed(runDirectory, each, died));
  const [owed] = listOwed(runDirectory);
  assert.equal(owed?.record.reason, 'workerFailed');
  assert.deepEqual(filesOf(runDirectory).toSorted(), ['README', 'abc123.json', 'xyz789.json']);
});
