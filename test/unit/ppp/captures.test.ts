import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as captures from './captures.js';
import { hex, Link } from './frames.js';

function play(frames: readonly string[]): Link {
  const link = new Link();
  for (const line of frames) link.raw(line.startsWith('>') ? 'fromClient' : 'toClient', hex(line.slice(2)));
  assert.equal(link.state.malformed, 0);
  return link;
}

test("a real login with MPPE-128 is up with its addresses, and its end is the client's", () => {
  const link = play(captures.login);
  assert.deepEqual(link.types, ['linkOpened', 'userKnown', 'authenticated', 'encryption', 'up', 'terminated']);
  const { user, addresses, encryption, mru, accm, lcp, failure } = link.state;
  assert.equal(user, 'alice');
  assert.deepEqual(addresses, { local: '198.51.100.1', remote: '198.51.100.11', dns: [], wins: [] });
  assert.deepEqual(encryption, { method: 'mppe', bits: 128, stateless: true, oneWay: null });
  assert.deepEqual(mru, { toClient: 1500, fromClient: 1400 });
  assert.deepEqual(accm, { toClient: 0, fromClient: 0 });
  assert.deepEqual(lcp.termination, { by: 'client', text: 'MPPE disabled', windowsError: null });
  assert.equal(failure, null);
});

test('a real wrong password is E=691 although pppd only says that the authentication failed', () => {
  const { state } = play(captures.wrongPassword);
  assert.ok(state.failure?.reason === 'authenticationFailed');
  assert.deepEqual([state.failure.code, state.failure.user, state.failure.protocol], [691, 'alice', 'MS-CHAPv2']);
  assert.equal(state.lcp.termination?.text, 'Authentication failed');
});

test('a real client with nomppe agrees to encrypt what it sends, and asks for nothing the other way', () => {
  const { state } = play(captures.oneWayMppe);
  assert.deepEqual(state.encryption, { method: 'mppe', bits: 128, stateless: true, oneWay: 'fromClient' });
  assert.equal(state.addresses?.remote, '198.51.100.13');
  assert.equal(state.phase, 'up');
});

test('a real client that refuses MS-CHAPv2 is told so, not the MPPE that it speaks of', () => {
  const { state } = play(captures.refusedMsChap);
  assert.deepEqual(state.failure, { reason: 'authProtocolRefused', by: 'client', protocol: 'MS-CHAPv2' });
  assert.equal(state.authentication.result, 'none');
});

test('a real client without CCP has refused the encryption', () => {
  const { state } = play(captures.withoutCcp);
  assert.deepEqual(state.failure, { reason: 'encryptionRefused', by: 'client' });
  assert.equal(state.authentication.result, 'succeeded');
  assert.deepEqual(state.encryption, { method: 'none', refusedBy: 'client' });
});
