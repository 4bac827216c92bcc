/** The judge of the soak's accounting sees what is lost, doubled, another's or nobody's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountRecord } from '../../../src/accounting/record.js';
import { type Attempt, audit } from '../../soak/ledger.js';

const NOON = Date.parse('2026-11-23T12:00:00.000Z');

const visit = (second: number, fields: Partial<Attempt> = {}): Attempt => ({
  address: '198.51.100.1',
  begun: NOON + second * 1000,
  session: 'yes',
  user: 'alice',
  ending: 'stops',
  reasons: ['clientStopped'],
  ...fields,
});

const record = (second: number, fields: Partial<AccountRecord> = {}): AccountRecord => ({
  record: 'ended',
  session: `s${String(second).padStart(5, '0')}`,
  host: 'server.example',
  user: 'alice',
  authenticated: true,
  client: '198.51.100.1',
  server: '192.0.2.1',
  tunnel: { local: '203.0.113.1', remote: '203.0.113.10' },
  start: new Date(NOON + second * 1000 + 5).toISOString(),
  end: new Date(NOON + second * 1000 + 900).toISOString(),
  seconds: 0.9,
  rxPackets: 1,
  rxBytes: 10,
  txPackets: 1,
  txBytes: 10,
  encryption: null,
  reason: 'clientStopped',
  detail: null,
  cause: null,
  ...fields,
});

const CASES: Readonly<Record<string, [readonly Attempt[], readonly AccountRecord[], RegExp | null]>> = {
  'each visit has its record': [[visit(0), visit(10)], [record(10), record(0)], null],
  'interim records do not count': [[visit(0)], [record(0, { record: 'interim', reason: null }), record(0)], null],
  'a record is missing': [
    [visit(0), visit(10)],
    [record(10)],
    /^no record of the session of 198\.51\.100\.1 at .*12:00:00/,
  ],
  'a record stands there twice': [[visit(0)], [record(0), record(0)], /^2 records for/],
  'a record that nobody had': [[visit(10)], [record(0), record(10)], /nobody had/],
  'a record of an address that never came': [
    [visit(0)],
    [record(0), record(0, { client: '198.51.100.9' })],
    /nobody had/,
  ],
  'a record for a visit that was no session': [[visit(0, { session: 'no' })], [record(0)], /which was no session/],
  'a start without an answer may be a session': [[visit(0, { session: 'unknown', user: null })], [record(0)], null],
  'or none': [[visit(0, { session: 'unknown', user: null })], [], null],
  "another user's record": [[visit(0)], [record(0, { user: 'bob' })], /another user's/],
  'a login that is not in the record': [[visit(0)], [record(0, { authenticated: false })], /another user's/],
  'a worker that failed by itself': [[visit(0)], [record(0, { reason: 'workerFailed' })], /another reason/],
  'a visit whose end is open': [[visit(0, { reasons: null })], [record(0, { reason: 'kicked' })], null],
};

for (const [name, [attempts, records, problem]] of Object.entries(CASES)) {
  test(name, () => {
    const { problems } = audit(attempts, records);
    assert.equal(problems.length, problem === null ? 0 : 1, problems.join('; '));
    if (problem !== null) assert.match(problems[0] ?? '', problem);
  });
}
