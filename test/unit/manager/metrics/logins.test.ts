import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Logins, SETTLED_MS } from '../../../../src/manager/metrics/logins.js';
import type { PppState } from '../../../../src/ppp/reader.js';
import { PppReader } from '../../../../src/ppp/reader.js';
import type { SessionState } from '../../../../src/session/state.js';
import { IPCP, ipcp, LCP, Link, TERMINATE } from '../../ppp/frames.js';
import { aState } from '../../session/a-state.js';

/** The state of a session whose call has these parts; the others are those before the first frame. */
const call = (parts: Partial<PppState> = {}, phase: SessionState['phase'] = 'negotiating'): SessionState =>
  aState({ phase, ppp: { ...new PppReader().state, ...parts } });

const NO_TIMES = new PppReader().state.times;
const REFUSED: PppState['failure'] = { reason: 'encryptionRefused', by: 'client', asked: null };

const UP = call({ times: { ...NO_TIMES, up: 1 } }, 'up');
/** In ms; any time. */
const NOW = 5000;

test('a link that stays up is counted once, after a while', () => {
  const logins = new Logins();
  assert.equal(logins.changed(call(), NOW), null);
  assert.equal(logins.changed(UP, NOW), null);
  assert.equal(logins.changed(UP, NOW + 100), null);
  assert.equal(logins.settle(NOW + SETTLED_MS - 1), 0);
  assert.equal(logins.settle(NOW + SETTLED_MS), 1);
  assert.equal(logins.settle(NOW + SETTLED_MS), 0);
  assert.equal(logins.changed(call({ times: { ...NO_TIMES, up: 1 } }, 'ending'), NOW + SETTLED_MS), null);
  assert.equal(logins.over('abc123'), null);
});

test('a link that was up for less time and ends without a failure is counted at its end', () => {
  const logins = new Logins();
  logins.changed(UP, NOW);
  assert.equal(logins.over('abc123'), 'up');
  assert.equal(logins.settle(NOW + SETTLED_MS), 0);
});

test('a login whose address pppd does not allow was up for a moment, and is counted as addressNotAllowed', () => {
  const logins = new Logins();
  const ppp = new Link();
  ppp.login();
  ppp.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  assert.equal(logins.changed(call(ppp.state, 'up'), NOW), null);
  ppp.server(IPCP, TERMINATE, 2, 'Unauthorized remote IP address');
  ppp.server(LCP, TERMINATE, 3, 'No network protocols running');
  assert.equal(logins.changed(call(ppp.state, 'ending'), NOW + 40), null);
  assert.equal(logins.settle(NOW + SETTLED_MS), 0);
  assert.equal(logins.over('abc123'), 'addressNotAllowed');
});

test('a link that LCP takes down is not up, and its time begins again', () => {
  const logins = new Logins();
  logins.changed(UP, NOW);
  logins.changed(call(), NOW + 1);
  logins.changed(UP, NOW + 2);
  assert.equal(logins.settle(NOW + SETTLED_MS), 0);
  assert.equal(logins.settle(NOW + SETTLED_MS + 2), 1);
});

test('a failure is counted at the end of the session, with the last cause that the reader found', () => {
  const logins = new Logins();
  assert.equal(logins.changed(call({ failure: { reason: 'noNetworkProtocol', by: 'client' } }), NOW), null);
  assert.equal(logins.changed(call({ failure: REFUSED }), NOW), null);
  assert.equal(logins.over('abc123'), 'encryptionRefused');
  assert.equal(logins.over('abc123'), null);
});

test('a failure that the reader took back is not counted', () => {
  const logins = new Logins();
  logins.changed(call({ failure: REFUSED }), NOW);
  logins.changed(UP, NOW);
  assert.equal(logins.over('abc123'), 'up');
});

test('clearing a call ends it, and the next call on the same connection is another login', () => {
  const logins = new Logins();
  logins.changed(call({ failure: REFUSED }), NOW);
  assert.equal(logins.changed(aState(), NOW), 'encryptionRefused');
  logins.changed(UP, NOW);
  assert.equal(logins.changed(aState(), NOW), 'up');
});

test('a call that ends without a visible cause is unfinished; a session without a call is no login', () => {
  const logins = new Logins();
  logins.changed(call(), NOW);
  assert.equal(logins.over('abc123'), 'unfinished');
  logins.changed(aState(), NOW);
  assert.equal(logins.over('abc123'), null);
});

test('a state in another form, from a worker of another version, gives no cause', () => {
  const logins = new Logins();
  logins.changed(aState({ ppp: { failure: { reason: 'a sentence, with "quotes"\n' }, times: 7 } }), NOW);
  assert.equal(logins.over('abc123'), 'unfinished');
});

test('the login of a session that an earlier manager started is not counted again', () => {
  const logins = new Logins();
  logins.found('abc123');
  assert.equal(logins.changed(UP, NOW), null);
  assert.equal(logins.settle(NOW + SETTLED_MS), 0);
  assert.equal(logins.over('abc123'), null);
});
