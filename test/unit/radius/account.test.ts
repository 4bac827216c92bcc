/** What a RADIUS server is told about a session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountAttributes } from '../../../src/radius/account.js';
import { decodeAttributes, encodeAttributes, valueOf, valuesOf } from '../../../src/radius/attributes.js';
import type { AccountRecord } from '../../../src/radius/protocol.js';

const GIGA = 2 ** 32;
const record: AccountRecord = {
  status: 'interim',
  id: '1kzdpy-6747a3f0-7',
  name: Buffer.from('trent').toString('hex'),
  classes: ['c1a5', '00'],
  port: 3,
  client: '198.51.100.7',
  address: '203.0.113.77',
  at: 1_700_000_000,
  seconds: 60,
  received: { octets: 3 * GIGA + 5, packets: 7 },
  sent: { octets: 11, packets: GIGA + 13 },
  cause: null,
};
/** Of the server itself. */
test('a server that begins or ceases to serve says no more than who it is, and when', () => {
  for (const [status, type] of [
    ['on', 7],
    ['off', 8],
  ] as const)
    assert.deepEqual(accountAttributes({ status, id: 'server-1', at: 100 }, 'server1', 130), [
      ['Acct-Status-Type', type],
      ['Acct-Session-Id', 'server-1'],
      ['NAS-Identifier', 'server1'],
      ['Event-Timestamp', 100],
      ['Acct-Delay-Time', 30],
    ]);
});

const told = (change: Partial<AccountRecord> = {}, now = record.at) =>
  decodeAttributes(encodeAttributes(accountAttributes({ ...record, ...change }, 'server1', now))) ?? assert.fail();

test('who, where, and what went through, with Gigawords', () => {
  const attributes = told();
  const of = (name: Parameters<typeof valueOf>[1]) => valueOf(attributes, name);
  assert.deepEqual(
    [of('Acct-Session-Id'), of('NAS-Identifier'), of('NAS-Port'), of('Calling-Station-Id'), of('Framed-IP-Address')],
    [record.id, 'server1', 3, '198.51.100.7', '203.0.113.77'],
  );
  assert.deepEqual([of('Acct-Input-Octets'), of('Acct-Input-Gigawords'), of('Acct-Input-Packets')], [5, 3, 7]);
  assert.deepEqual([of('Acct-Output-Octets'), of('Acct-Output-Gigawords'), of('Acct-Output-Packets')], [11, 0, 13]);
  assert.deepEqual([of('Acct-Status-Type'), of('Acct-Session-Time'), of('Acct-Terminate-Cause')], [3, 60, null]);
  assert.deepEqual(valuesOf(attributes, 'Class'), [Uint8Array.of(0xc1, 0xa5), Uint8Array.of(0)]);
});

test('a start has no amounts, and a stop has its cause', () => {
  assert.equal(valueOf(told({ status: 'start' }), 'Acct-Input-Octets'), null);
  const stop = told({ status: 'stop', cause: 5, address: null });
  assert.deepEqual(
    [valueOf(stop, 'Acct-Status-Type'), valueOf(stop, 'Acct-Terminate-Cause'), valueOf(stop, 'Framed-IP-Address')],
    [2, 5, null],
  );
});

test('a record says when it was so, and how late it comes', () => {
  const late = told({}, record.at + 90);
  assert.deepEqual([valueOf(late, 'Event-Timestamp'), valueOf(late, 'Acct-Delay-Time')], [record.at, 90]);
  assert.equal(valueOf(told({}, record.at - 90), 'Acct-Delay-Time'), 0, 'the clock was set back');
});
