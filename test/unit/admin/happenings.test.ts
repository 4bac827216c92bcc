import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ending, happenings } from '../../../src/admin/happenings.js';
import { aStateUp } from '../session/a-state.js';

const connected = aStateUp({ phase: 'connected', user: null });
const pending = aStateUp({
  phase: 'negotiating',
  ppp: { authentication: { protocol: 'MS-CHAPv2', result: 'pending' } },
});
const authenticated = aStateUp({
  phase: 'negotiating',
  ppp: { authentication: { protocol: 'MS-CHAPv2', result: 'succeeded' } },
});
const up = aStateUp({
  phase: 'up',
  ppp: { ...authenticated.ppp, encryption: { method: 'mppe', bits: 128, stateless: true, oneWay: null } },
});
/** A failure as a worker of an older version reports it, and (`explained`) as a newer one does. */
const failed = (failure: object): ReturnType<typeof aStateUp> =>
  aStateUp({
    phase: 'ending',
    ending: { reason: 'pppdExited', detail: null, cause: null, text: null, remedy: null },
    ppp: { failure },
  });
const explained = aStateUp({
  phase: 'ending',
  ending: { reason: 'pppdExited', detail: null, cause: 'greNotReceived', text: 'no GRE came', remedy: null },
});

const told = (...args: Parameters<typeof happenings>): (readonly [string, string | null])[] =>
  happenings(...args).map(({ event, detail }) => [event, detail]);

test('each step of a login is reported once', () => {
  assert.deepEqual(told(null, connected), [['connected', null]]);
  assert.deepEqual(told(connected, pending), []);
  assert.deepEqual(told(pending, authenticated), [['authenticated', 'MS-CHAPv2']]);
  assert.deepEqual(told(authenticated, up), [['up', 'encryption MPPE 128 stateless']]);
  assert.deepEqual(told(up, { ...up, counters: { rxBytes: 1 } }), []);
});

test('a session that existed before has all its steps at once', () => {
  assert.deepEqual(
    happenings(null, up).map(({ event }) => event),
    ['connected', 'authenticated', 'up'],
  );
});

test('a failure is reported once, with its cause', () => {
  const refused = failed({ reason: 'encryptionRefused', by: 'client' });
  assert.deepEqual(told(connected, refused), [
    [
      'failed',
      'the client refused MPPE encryption, which the server requires; remedy: allow MPPE in the client, or remove require-mppe-128 ' +
        "from pppd's options",
    ],
  ]);
  assert.deepEqual(told(refused, refused), []);
  const [first] = happenings(connected, explained);
  assert.deepEqual([first?.event, first?.cause, first?.detail], ['failed', 'greNotReceived', 'no GRE came']);
  assert.deepEqual(told(explained, explained), []);
});

test('a warning of a live session is reported once, with its name', () => {
  const warned = { ...up, warning: { cause: 'mtuBlackHole', text: 'large frames are lost' } };
  assert.deepEqual(told(up, warned), [['warning', 'large frames are lost']]);
  assert.deepEqual(told(warned, warned), []);
});

test('a failure that only a newer version knows is reported by its name', () => {
  assert.deepEqual(told(connected, failed({ reason: 'moonPhase' })), [['failed', 'moonPhase']]);
});

test('an end has its reason as a name and as a sentence', () => {
  const { event, reason, detail } = ending(
    aStateUp({
      ending: { reason: 'clientSilent', detail: 'no Echo-Reply within 60 s', cause: null, text: null, remedy: null },
    }),
  );
  assert.deepEqual(
    [event, reason, detail],
    ['ended', 'clientSilent', 'the client answered no Echo-Request (no Echo-Reply within 60 s)'],
  );
});

test('a worker that died has given no reason', () => {
  const { reason, detail } = ending(up);
  assert.deepEqual([reason, detail], [null, 'its worker died without reporting a reason']);
});
