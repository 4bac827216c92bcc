import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure } from '../../../src/ppp/reader.js';
import {
  ACK,
  CCP,
  CHAP,
  hex,
  IPCP,
  ipcp,
  LCP,
  Link,
  lcp,
  mppe,
  NAK,
  REJECT,
  REQUEST,
  TERMINATE,
  TERMINATE_ACK,
} from './frames.js';

const PROTOCOL_REJECT = 8;

test("pppd's Terminate-Request after a wrong password fails with the password, not with the termination", () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.respond('alice');
  link.server(CHAP, 4, 7, 'E=691 R=1 C=00 V=0 M=Access denied');
  const [terminated, failed] = link.server(LCP, TERMINATE, 2, 'Authentication failed');
  assert.deepEqual(terminated, { type: 'terminated', by: 'server', text: 'Authentication failed', windowsError: null });
  assert.ok(failed?.type === 'failed');
  assert.deepEqual(failed.failure, {
    reason: 'authenticationFailed',
    user: 'alice',
    protocol: 'MS-CHAPv2',
    code: 691,
    cause: 'authentication failure: wrong user name or password',
    message: 'Access denied',
  });
  assert.match(failed.text, /^MS-CHAPv2: .*wrong user name or password \(E=691\) for user "alice"/);
  assert.equal(link.state.phase, 'terminate');
  assert.deepEqual(link.state.failure, failed.failure);
});

test('MPPE that is required but rejected by the client is refused by the client', () => {
  const link = new Link();
  link.login();
  link.server(CCP, REQUEST, 1, mppe('01000040'));
  link.client(CCP, REQUEST, 1);
  assert.deepEqual(link.client(CCP, REJECT, 1, mppe('01000040')), [
    { type: 'encryption', encryption: { method: 'none', refusedBy: 'client' } },
  ]);
  link.server(LCP, TERMINATE, 2, 'MPPE required but peer refused');
  assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: 'client' });
});

test('a client that knows no CCP has refused encryption', () => {
  const link = new Link();
  link.login();
  link.server(CCP, REQUEST, 1, mppe('01000040'));
  link.client(LCP, PROTOCOL_REJECT, 2, hex('80fd'), [1, 1, 0, 10], mppe('01000040'));
  link.server(LCP, TERMINATE, 2, 'MPPE required but peer negotiation failed');
  assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: 'client' });
  assert.deepEqual(link.state.refusals, [{ by: 'client', protocol: 'CCP', option: null, how: 'reject', asked: null }]);
});

test('encryption that both sides refuse is told once, by the first', () => {
  const link = new Link();
  link.login();
  link.server(CCP, REQUEST, 1, mppe('01000040'));
  link.client(CCP, REQUEST, 1, mppe('01000001'));
  link.client(CCP, REJECT, 1, mppe('01000040'));
  assert.deepEqual(link.server(CCP, REJECT, 1, mppe('01000001')), []);
  assert.deepEqual(link.state.encryption, { method: 'none', refusedBy: 'client' });
});

test('Windows that wants encryption from a server without it ends with error 742, although IPCP was up', () => {
  const link = new Link();
  link.login();
  link.client(CCP, REQUEST, 4, mppe('01000001'));
  link.server(LCP, PROTOCOL_REJECT, 2, hex('80fd'), [1, 4, 0, 10], mppe('01000001'));
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  const events = link.client(LCP, TERMINATE, 6, hex('5a1b063c 003ccd74 000002e6'));
  assert.deepEqual(events[0], { type: 'terminated', by: 'client', text: '', windowsError: 742 });
  assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: 'server' });
});

test('an optional MPPE that was refused is no failure of a link that is up', () => {
  const link = new Link();
  link.login();
  link.server(CCP, REQUEST, 1, mppe('01000040'));
  link.client(CCP, REJECT, 1, mppe('01000040'));
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  assert.equal(link.state.phase, 'up');
  assert.deepEqual(link.client(LCP, TERMINATE, 6, hex('5a1b063c 003ccd74 00000000')), [
    { type: 'terminated', by: 'client', text: '', windowsError: null },
  ]);
  assert.equal(link.state.failure, null);
});

test('a client that rejects the authentication has refused it, also when LCP opened without', () => {
  for (const opens of [false, true]) {
    const link = new Link();
    link.server(LCP, REQUEST, 1, lcp.msChapV2, lcp.magic('01020304'));
    link.client(LCP, REJECT, 1, lcp.msChapV2);
    if (opens) link.agree(LCP, lcp.magic('0a0b0c0d'), lcp.magic('01020304'), 2);
    link.server(LCP, TERMINATE, 3, 'peer refused to authenticate');
    assert.deepEqual(link.state.failure, { reason: 'authProtocolRefused', by: 'client', protocol: 'MS-CHAPv2' });
  }
});

test('a client that wants the server to log in is refused by the server', () => {
  const link = new Link();
  link.client(LCP, REQUEST, 1, lcp.eap);
  link.server(LCP, REJECT, 1, lcp.eap);
  link.client(LCP, TERMINATE, 2, 'peer refused to authenticate');
  assert.deepEqual(link.state.failure, { reason: 'authProtocolRefused', by: 'server', protocol: 'EAP' });
});

test('an authentication that was agreed after a nak is not the reason of a later failure', () => {
  const link = new Link();
  link.server(LCP, REQUEST, 1, lcp.eap);
  link.client(LCP, NAK, 1, lcp.msChapV2);
  link.open();
  link.server(LCP, TERMINATE, 2, 'No response to PAP/CHAP');
  assert.deepEqual(link.state.failure, {
    reason: 'terminated',
    by: 'server',
    text: 'No response to PAP/CHAP',
    windowsError: null,
  });
});

test('the address that pppd does not have or allow is told with its own words', () => {
  const link = new Link();
  link.login();
  link.server(IPCP, REQUEST, 1, ipcp.address('192.0.2.1'));
  link.server(IPCP, TERMINATE, 2, 'Could not determine remote IP address');
  link.server(LCP, TERMINATE, 2, 'No network protocols running');
  assert.deepEqual(link.state.failure, {
    reason: 'addressRefused',
    by: 'server',
    text: 'Could not determine remote IP address',
  });
});

test('the server that rejects the address of a client, and the client that disputes ours, refuse it', () => {
  for (const [by, asker] of [
    ['server', 'client'],
    ['client', 'server'],
  ] as const) {
    const link = new Link();
    link.login();
    link[asker](IPCP, REQUEST, 1, ipcp.address('203.0.113.9'));
    link[by](IPCP, by === 'server' ? REJECT : NAK, 1, ipcp.address('203.0.113.9'));
    link.server(LCP, TERMINATE, 2);
    assert.deepEqual(link.state.failure, { reason: 'addressRefused', by, text: '' });
  }
});

test('ten LCP requests of a client that answers nothing mean that ours do not get through', () => {
  const link = new Link();
  const asked = lcp.magic('01020304');
  link.times(10, (turn) => {
    link.server(LCP, REQUEST, 1, lcp.accm('00000000'), lcp.msChapV2);
    link.client(LCP, REQUEST, turn, asked);
    link.server(LCP, ACK, turn, asked);
    if (turn === 2) assert.equal(link.state.failure?.reason, 'lcpTimeout');
    if (turn === 8) assert.deepEqual(link.types, []);
  });
  const [failed, ...more] = link.events;
  assert.ok(failed?.type === 'failed');
  assert.deepEqual(failed.failure, { reason: 'lcpTimeout', lost: 'toClient', clientRequests: 9, serverRequests: 10 });
  assert.match(failed.text, /protocol 47/);
  assert.deepEqual(more, []);
});

test('requests that the client has sent before our pppd was there, and that come all at once, are no failure', () => {
  const link = new Link();
  link.server(LCP, REQUEST, 1, lcp.accm('00000000'), lcp.msChapV2);
  link.times(10, (turn) => link.client(LCP, REQUEST, turn, lcp.magic('01020304')));
  assert.equal(link.state.failure, null);
  assert.deepEqual(link.types, []);
});

test('only our requests, and not one frame of the client: nothing gets through to us', () => {
  const link = new Link();
  link.times(10, () => link.server(LCP, REQUEST, 1, lcp.accm('00000000')));
  assert.deepEqual(link.state.failure, {
    reason: 'lcpTimeout',
    lost: 'fromClient',
    clientRequests: 0,
    serverRequests: 10,
  });
});

test('one request of the client and then nothing: it may hang, and no way is blamed', () => {
  const link = new Link();
  link.client(LCP, REQUEST, 1, lcp.magic('01020304'));
  link.times(10, () => link.server(LCP, REQUEST, 1, lcp.accm('00000000')));
  assert.deepEqual(link.state.failure, {
    reason: 'lcpTimeout',
    lost: null,
    clientRequests: 1,
    serverRequests: 10,
  });
});

test('requests that change are a negotiation, not a timeout', () => {
  const link = new Link();
  link.times(20, (turn) => link.client(LCP, REQUEST, turn, lcp.mru(1000 + turn)));
  assert.equal(link.state.failure, null);
  assert.equal(link.state.lcp.client.requests, 20);
});

test('a link that opens after all has no failure any more', () => {
  const link = new Link();
  link.times(12, () => link.server(LCP, REQUEST, 1, lcp.accm('00000000')));
  link.open();
  assert.equal(link.state.failure, null);
  assert.deepEqual(link.types, ['failed', 'linkOpened']);
});

test('every failure has a sentence of its own', () => {
  const failures: Parameters<typeof describeFailure>[0][] = [
    {
      reason: 'authenticationFailed',
      user: null,
      protocol: null,
      code: null,
      cause: 'login refused',
      message: null,
    },
    { reason: 'authProtocolRefused', by: 'client', protocol: 'EAP' },
    { reason: 'authProtocolRefused', by: 'server', protocol: null },
    { reason: 'encryptionRefused', by: 'client' },
    { reason: 'encryptionRefused', by: 'server' },
    { reason: 'addressRefused', by: 'client', text: '' },
    { reason: 'addressRefused', by: 'server', text: 'none' },
    { reason: 'lcpTimeout', lost: 'toClient', clientRequests: 1, serverRequests: 2 },
    { reason: 'lcpTimeout', lost: 'fromClient', clientRequests: 1, serverRequests: 2 },
    { reason: 'lcpTimeout', lost: null, clientRequests: 1, serverRequests: 2 },
    { reason: 'terminated', by: 'client', text: '', windowsError: 718 },
    { reason: 'terminated', by: 'server', text: 'bye', windowsError: null },
  ];
  const sentences = failures.map((failure) => describeFailure(failure));
  assert.equal(new Set(sentences).size, failures.length);
  for (const sentence of sentences) assert.doesNotMatch(sentence, /undefined|null|\[object/);
});

test('Terminate-Ack of a closed protocol is no refusal', () => {
  const link = new Link();
  link.login();
  link.client(IPCP, REQUEST, 1, ipcp.address('0.0.0.0'));
  link.server(IPCP, TERMINATE_ACK, 1);
  assert.equal(link.state.ipcp.termination, null);
  assert.deepEqual(link.state.refusals, []);
});
