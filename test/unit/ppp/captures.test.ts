import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MppeOffer } from '../../../src/ppp/options.js';
import type { PppFailure } from '../../../src/ppp/reader.js';
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

test('a real client with nomppe agrees to encrypt what it sends, and requests nothing for the other direction', () => {
  const { state } = play(captures.oneWayMppe);
  assert.deepEqual(state.encryption, { method: 'mppe', bits: 128, stateless: true, oneWay: 'fromClient' });
  assert.equal(state.addresses?.remote, '198.51.100.13');
  assert.equal(state.phase, 'up');
});

test('a real client that refuses MS-CHAPv2: the failure is that, not MPPE, which its Terminate-Request names', () => {
  const { state } = play(captures.refusedMsChap);
  assert.deepEqual(state.failure, {
    reason: 'authProtocolRefused',
    by: 'client',
    protocol: 'MS-CHAPv2',
    proposed: 'EAP',
  });
  assert.equal(state.authentication.result, 'none');
});

test('a real client without CCP has refused the encryption', () => {
  const { state } = play(captures.withoutCcp);
  assert.deepEqual(state.failure, { reason: 'encryptionRefused', by: 'client', asked: null });
  assert.equal(state.authentication.result, 'succeeded');
  assert.deepEqual(state.encryption, { method: 'none', refusedBy: 'client' });
});

const STATELESS_128: MppeOffer = { keys: [128], stateless: true, mppc: false };
const STATEFUL_128: MppeOffer = { ...STATELESS_128, stateless: false };

const failures: readonly (readonly [string, readonly string[], PppFailure])[] = [
  [
    'a real user without an address is up for a moment, and not allowed the one she was given',
    captures.threeColumns,
    { reason: 'addressNotAllowed', user: 'carol', protocol: 'MS-CHAPv2', address: '198.51.100.11' },
  ],
  [
    'a real client that insists on its address gives it up in the end, and then the link',
    captures.ownAddress,
    {
      reason: 'addressRefused',
      by: 'server',
      whose: 'client',
      address: '203.0.113.9',
      proposed: '198.51.100.12',
      text: 'Refused our IP address',
    },
  ],
  [
    'a real client that wants another address of the server has our pppd give up',
    captures.otherServerAddress,
    {
      reason: 'addressRefused',
      by: 'client',
      whose: 'server',
      address: '198.51.100.1',
      proposed: '203.0.113.1',
      text: 'Refused our IP address',
    },
  ],
  [
    'a real client that is stateful only, which our pppd hangs up on',
    captures.statefulClient,
    { reason: 'encryptionModesDiffer', client: STATEFUL_128, server: STATELESS_128 },
  ],
  [
    'a real pppd that is stateful only, which the client hangs up on',
    captures.statefulServer,
    { reason: 'encryptionModesDiffer', client: STATELESS_128, server: STATEFUL_128 },
  ],
  [
    'a real client without IPv4 has not refused the MPPE that it was to carry',
    captures.withoutIpv4,
    { reason: 'noNetworkProtocol', by: 'client' },
  ],
  ['nor has a real pppd without IPv4', captures.serverWithoutIpv4, { reason: 'noNetworkProtocol', by: 'server' }],
  [
    'a real pppd has no keys for MPPE after CHAP-MD5',
    captures.chapMd5,
    { reason: 'encryptionUnavailable', by: 'server', protocol: 'CHAP-MD5', bothWays: false },
  ],
];
for (const [what, frames, failure] of failures) {
  test(what, () => assert.deepEqual(play(frames).state.failure, failure));
}

test('a real pppd with a wrong key rejects random protocols: reported once, and they are not refusals', () => {
  const link = play(captures.wrongReceiveKey);
  assert.deepEqual(
    link.events.filter(({ type }) => type === 'mppeKeysDiffer'),
    [{ type: 'mppeKeysDiffer', by: 'server' }],
  );
  assert.deepEqual(
    link.state.refusals.map(({ protocol }) => protocol).filter((protocol) => protocol !== 'IPCP'),
    [],
  );
});
