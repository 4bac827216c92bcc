/** The accounting file with concurrent writers, a disk that truncates records, and rotation. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { appendRecord } from '../../../src/accounting/append.js';
import { hasEnd, readRecords } from '../../../src/accounting/read.js';
import { type AccountRecord, parseRecord } from '../../../src/accounting/record.js';

const record: AccountRecord = {
  record: 'ended',
  session: 'abc123',
  host: 'vpn1',
  user: 'alice',
  authenticated: true,
  client: '192.0.2.7',
  server: '192.0.2.1',
  tunnel: { local: '203.0.113.1', remote: '203.0.113.10' },
  start: '2026-11-23T10:00:00.000Z',
  end: '2026-11-23T11:00:00.000Z',
  seconds: 3600,
  rxPackets: 3,
  rxBytes: 300,
  txPackets: 4,
  txBytes: 400,
  encryption: 'MPPE 128 stateless',
  reason: 'clientStopped',
  detail: null,
  cause: null,
};

function newFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'folder', 'accounting.jsonl');
}

async function recordsIn(file: string): Promise<AccountRecord[]> {
  const records: AccountRecord[] = [];
  for await (const each of readRecords(file)) records.push(each);
  return records;
}

const sessionsIn = async (file: string): Promise<string[]> => (await recordsIn(file)).map(({ session }) => session);

test('a record is read as it was written; only owner and group may read the file', async (t) => {
  const file = newFile(t);
  await appendRecord(file, record);
  assert.equal(readFileSync(file, 'utf8'), `${JSON.stringify(record)}\n`);
  assert.equal((statSync(file).mode & 0o777) | 0o040, 0o640);
  assert.deepEqual(await recordsIn(file), [record]);
});

test('records of many writers never mix', async (t) => {
  const file = newFile(t);
  const ids = Array.from({ length: 100 }, (_, number) => `s${String(number).padStart(5, '0')}`);
  await Promise.all(ids.map(async (session) => appendRecord(file, { ...record, session, detail: 'x'.repeat(5000) })));
  assert.deepEqual((await sessionsIn(file)).toSorted(), ids);
});

test('after a truncated record the next one begins a new line', async (t) => {
  const file = newFile(t);
  await appendRecord(file, record);
  appendFileSync(file, JSON.stringify(record).slice(0, 100));
  await appendRecord(file, { ...record, session: 'def456' });
  assert.deepEqual(await sessionsIn(file), ['abc123', 'def456']);
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 4);
});

test('a truncated record is never read, and does not hide the record after it', () => {
  const line = JSON.stringify({ ...record, user: '{"record":"ended"' });
  assert.deepEqual(parseRecord(line)?.user, '{"record":"ended"');
  for (let length = 0; length < line.length; length += 1) {
    assert.equal(parseRecord(line.slice(0, length)), null);
    assert.equal(parseRecord(line.slice(0, length) + line)?.session, 'abc123');
  }
});

test('lines that are not records are skipped', async (t) => {
  const file = newFile(t);
  await appendRecord(file, record);
  appendFileSync(file, `\n\0\0\nnull\n[]\n{}\n{"record":"begun"}\n{"record":"ended","session":7}\n`);
  await appendRecord(file, { ...record, session: 'def456' });
  assert.deepEqual(await sessionsIn(file), ['abc123', 'def456']);
});

test('the rotated file is read first; missing files have no records', async (t) => {
  const file = newFile(t);
  assert.deepEqual(await sessionsIn(file), []);
  await appendRecord(file, record);
  renameSync(file, `${file}.1`);
  assert.deepEqual(await sessionsIn(file), ['abc123']);
  await appendRecord(file, { ...record, session: 'def456' });
  assert.deepEqual(await sessionsIn(file), ['abc123', 'def456']);
});

test('an ended record is distinguished from interim records and from another session with the same id', async (t) => {
  const file = newFile(t);
  await appendRecord(file, { ...record, record: 'interim' });
  await appendRecord(file, { ...record, start: '2025-01-01T00:00:00.000Z' });
  await appendRecord(file, { ...record, host: 'vpn2' });
  assert.equal(await hasEnd(file, record), false);
  await appendRecord(file, record);
  assert.equal(await hasEnd(file, record), true);
});

test('a record that cannot be written rejects', async (t) => {
  const file = newFile(t);
  await appendRecord(file, record);
  writeFileSync(join(file, '..', 'file'), '');
  await assert.rejects(appendRecord(join(file, '..', 'file', 'accounting.jsonl'), record));
  await assert.rejects(appendRecord('/dev/full', record), { code: 'ENOSPC' });
});
