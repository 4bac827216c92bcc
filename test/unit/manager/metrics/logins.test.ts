import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Logins } from '../../../../src/manager/metrics/logins.js';
import type { PppState } from '../../../../src/ppp/reader.js';
import { PppReader } from '../../../../src/ppp/reader.js';
import type { SessionState } from '../../../../src/session/state.js';
import { aState } from '../../session/a-state.js';

/** A call of which the reader says this; the rest as it is before the first frame. */
const call = (parts: Partial<PppState> = {}, phase: SessionState['phase'] = 'negotiating'): SessionState =>
  aState({ phase, ppp: { ...new PppReader().state, ...parts } });

const NO_TIMES = new PppReader().state.times;
const REFUSED: PppState['failure'] = { reason: 'encryptionRefused', by: 'client', asked: null };

test('a link that comes up is counted then, and once', () => {
  const logins = new Logins();
  assert.equal(logins.changed(call()), null);
  assert.equal(logins.changed(call({ times: { ...NO_TIMES, up: 1 } }, 'up')), 'up');
  assert.equal(logins.changed(call({ times: { ...NO_TIMES, up: 1 } }, 'ending')), null);
  assert.equal(logins.over('abc123'), null);
});

test('a failure is counted when the session is over, as the reader had it last', () => {
  const logins = new Logins();
  assert.equal(logins.changed(call({ failure: { reason: 'noNetworkProtocol', by: 'client' } })), null);
  assert.equal(logins.changed(call({ failure: REFUSED })), null);
  assert.equal(logins.over('abc123'), 'encryptionRefused');
  assert.equal(logins.over('abc123'), null);
});

test('a guess that was taken back is not counted', () => {
  const logins = new Logins();
  logins.changed(call({ failure: REFUSED }));
  assert.equal(logins.changed(call({ times: { ...NO_TIMES, up: 1 } }, 'up')), 'up');
  assert.equal(logins.over('abc123'), null);
});

test('a call that is cleared is over, and the next one on the same connection is another', () => {
  const logins = new Logins();
  logins.changed(call({ failure: REFUSED }));
  assert.equal(logins.changed(aState()), 'encryptionRefused');
  assert.equal(logins.changed(call({ times: { ...NO_TIMES, up: 1 } }, 'up')), 'up');
  assert.equal(logins.changed(aState()), null);
});

test('one that ends with no failure in sight is unfinished; a session without a call is no login', () => {
  const logins = new Logins();
  logins.changed(call());
  assert.equal(logins.over('abc123'), 'unfinished');
  logins.changed(aState());
  assert.equal(logins.over('abc123'), null);
});

test('what a worker of another version says in another shape is no reason', () => {
  const logins = new Logins();
  logins.changed(aState({ ppp: { failure: { reason: 'a sentence, with "quotes"\n' }, times: 7 } }));
  assert.equal(logins.over('abc123'), 'unfinished');
});

test('a session that was there before was counted then', () => {
  const logins = new Logins();
  logins.found('abc123');
  assert.equal(logins.changed(call({ times: { ...NO_TIMES, up: 1 } }, 'up')), null);
  assert.equal(logins.over('abc123'), null);
});
