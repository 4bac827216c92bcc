/** A worker that was taken over, or one of another version, may say anything about PPP: nobody who reads it may fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ending, happenings } from '../../../src/admin/happenings.js';
import { encryptionText, failureText, pppOf } from '../../../src/admin/ppp-texts.js';
import { sectionsOf } from '../../../src/admin/session-description.js';
import { aStateUp } from '../session/a-state.js';

/** Cannot be made text. */
const NO_TEXT = { toString: 1 };
const REASONS = [
  'authenticationFailed',
  'mppeMismatch',
  'toString',
  'constructor',
  '__proto__',
  'from a newer version',
];

const NONSENSE: readonly unknown[] = [null, 7, 'text', [NO_TEXT], NO_TEXT, { method: 'none', refusedBy: NO_TEXT }];
const FIELDS = [
  'phase',
  'authentication',
  'encryption',
  'addresses',
  'mru',
  'accm',
  'identification',
  'refusals',
  'failure',
];

test('a field of another form is as one that is missing', () => {
  const states = NONSENSE.flatMap((value) => FIELDS.map((field) => ({ [field]: value }))).concat([
    { encryption: { method: 'mppe', bits: NO_TEXT, stateless: true, oneWay: null } },
    { authentication: { protocol: NO_TEXT, method: null, result: 'succeeded' } },
    { addresses: { local: NO_TEXT, remote: null, dns: 'all' } },
    { mru: { toClient: NO_TEXT, fromClient: 1 } },
    { accm: { toClient: null, fromClient: null } },
    { refusals: [{ by: NO_TEXT }] },
  ]);
  for (const ppp of states) {
    const state = aStateUp({ ppp });
    for (const { detail } of happenings(null, state)) assert(detail === null || typeof detail === 'string');
    for (const { rows } of sectionsOf(state, { interfaceName: null, quota: null, now: 0 }))
      for (const row of rows) for (const cell of row) assert.equal(typeof cell, 'string');
    assert.notEqual(typeof encryptionText(pppOf(state).encryption), 'undefined');
  }
});

test('a failure without the fields of its reason is told by its reason', () => {
  for (const reason of REASONS)
    for (const rest of [{}, { problem: NO_TEXT, remedy: null }, { user: NO_TEXT, client: NO_TEXT, server: [] }]) {
      const state = aStateUp({
        ppp: { failure: { ...rest, reason } },
        phase: 'ending',
        ending: { reason: 'loginFailed', detail: null, cause: null, text: null, remedy: null },
      });
      const failed = happenings(null, state).find(({ event }) => event === 'failed');
      assert.equal(typeof failed?.detail, 'string', reason);
      assert.equal(typeof ending(state).detail, 'string');
    }
  assert.equal(failureText({ reason: 'toString', problem: NO_TEXT, remedy: null }, 'tun'), 'toString');
});
