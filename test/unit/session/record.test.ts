import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runPaths, sessionRecordPath } from '../../../src/session/paths.js';
import { listSessionIds, readRecord, type SessionRecord } from '../../../src/session/record.js';
import { removeSessionFiles, writeRecord } from '../../../src/session/record-writer.js';

const record: SessionRecord = {
  session: 'abc123',
  lease: { local: '192.0.2.1', remote: '198.51.100.1', callId: 4711 },
  worker: { pid: 17, startTime: '4711' },
  pppd: null,
};

function runDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  mkdirSync(runPaths(directory).sessions);
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('a record is read as it was written, and writing leaves no other file', (t) => {
  const directory = runDirectory(t);
  writeRecord(directory, record);
  assert.deepEqual(readRecord(directory, 'abc123'), record);
  assert.deepEqual(readdirSync(runPaths(directory).sessions), ['abc123.json']);
  assert.deepEqual(listSessionIds(directory), ['abc123']);
});

test('removing a session leaves no file, and removing it again is no error', (t) => {
  const directory = runDirectory(t);
  writeRecord(directory, record);
  removeSessionFiles(directory, 'abc123');
  removeSessionFiles(directory, 'abc123');
  assert.deepEqual(readdirSync(runPaths(directory).sessions), []);
});

for (const [title, text] of [
  ['an empty file', ''],
  ['half a record', '{"session":"abc123","lease":{'],
  [
    'a record with a process id that would signal everybody',
    JSON.stringify({ ...record, worker: { pid: -1, startTime: '1' } }),
  ],
  ['a record with a call id out of range', JSON.stringify({ ...record, lease: { ...record.lease, callId: 0 } })],
] as const) {
  test(`${title} is not a record`, (t) => {
    const directory = runDirectory(t);
    writeFileSync(sessionRecordPath(directory, 'abc123'), text);
    assert.equal(readRecord(directory, 'abc123'), null);
  });
}
