import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MppeOffer } from '../../../src/ppp/options.js';
import { describeFailure, type PppFailure, type SettingPlaces } from '../../../src/ppp/reader.js';
import {
  ACK,
  bytes,
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

const PLACES: SettingPlaces = {
  engine: 'pppd',
  optionsFile: '/etc/ppp/options.pptpd',
  written: new Set(),
  secrets: '/etc/ppp/chap-secrets',
  radius: false,
};
const sentenceOf = (failure: PppFailure): string => describeFailure(failure, PLACES);

const ANY_KEY: MppeOffer = { keys: [40, 128], stateless: false, mppc: false };
const STATELESS_128: MppeOffer = { keys: [128], stateless: true, mppc: false };

test('a client that rejects CHAP as a protocol has refused to log in, and is not waiting for a password', () => {
  const link = new Link();
  link.open();
  link.challenge();
  link.client(LCP, PROTOCOL_REJECT, 3, [CHAP >> 8, CHAP & 0xff, 1]);
  link.server(LCP, TERMINATE, 2, 'Authentication failed');
  assert.deepEqual(link.state.failure, {
    reason: 'authProtocolRefused',
    by: 'client',
    protocol: 'MS-CHAPv2',
    proposed: null,
  });
});

test("after a wrong password the failure is the password, not pppd's Terminate-Request", () => {
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
  assert.match(sentenceOf(failed.failure), /^MS-CHAPv2: .*wrong user name or password \(E=691\) for user "alice"/);
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
  assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: 'client', asked: STATELESS_128 });
});

test('a client without CCP has refused encryption', () => {
  const link = new Link();
  link.login();
  link.server(CCP, REQUEST, 1, mppe('01000040'));
  link.client(LCP, PROTOCOL_REJECT, 2, hex('80fd'), [1, 1, 0, 10], mppe('01000040'));
  link.server(LCP, TERMINATE, 2, 'MPPE required but peer negotiation failed');
  assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: 'client', asked: null });
  assert.deepEqual(link.state.refusals, [
    { by: 'client', protocol: 'CCP', option: null, how: 'reject', asked: null, proposed: null },
  ]);
});

test('encryption that both sides refuse is reported once, as refused by the first', () => {
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
  assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: 'server', asked: null });
});

test('a refusal of optional MPPE is not a failure of a link that is up', () => {
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
    assert.deepEqual(link.state.failure, {
      reason: 'authProtocolRefused',
      by: 'client',
      protocol: 'MS-CHAPv2',
      proposed: null,
    });
  }
});

test('a client that wants the server to log in is refused by the server', () => {
  const link = new Link();
  link.client(LCP, REQUEST, 1, lcp.eap);
  link.server(LCP, REJECT, 1, lcp.eap);
  link.client(LCP, TERMINATE, 2, 'peer refused to authenticate');
  assert.deepEqual(link.state.failure, {
    reason: 'authProtocolRefused',
    by: 'server',
    protocol: 'EAP',
    proposed: null,
  });
});

test('an authentication that was agreed after a Nak is not the cause of a later failure', () => {
  const link = new Link();
  link.server(LCP, REQUEST, 1, lcp.eap);
  link.client(LCP, NAK, 1, lcp.msChapV2);
  link.open();
  link.respond('alice');
  link.server(LCP, TERMINATE, 2, 'Connect time expired');
  assert.deepEqual(link.state.failure, {
    reason: 'terminated',
    by: 'server',
    text: 'Connect time expired',
    windowsError: null,
  });
});

test('an address that pppd does not have or allow: the failure has pppd’s text', () => {
  const link = new Link();
  link.login();
  link.server(IPCP, REQUEST, 1, ipcp.address('192.0.2.1'));
  link.server(IPCP, TERMINATE, 2, 'Could not determine remote IP address');
  link.server(LCP, TERMINATE, 2, 'No network protocols running');
  assert.deepEqual(link.state.failure, {
    reason: 'addressRefused',
    by: 'server',
    whose: null,
    address: null,
    proposed: null,
    text: 'Could not determine remote IP address',
  });
});

test('a server that rejects the client’s address, or a client that rejects the server’s, has refused it', () => {
  for (const [by, whose] of [
    ['server', 'client'],
    ['client', 'server'],
  ] as const) {
    const link = new Link();
    link.login();
    link[whose](IPCP, REQUEST, 1, ipcp.address('203.0.113.9'));
    link[by](IPCP, by === 'server' ? REJECT : NAK, 1, ipcp.address('192.0.2.10'));
    link.server(LCP, TERMINATE, 2);
    const proposed = by === 'server' ? null : '192.0.2.10';
    assert.deepEqual(link.state.failure, {
      reason: 'addressRefused',
      by,
      whose,
      address: '203.0.113.9',
      proposed,
      text: '',
    });
  }
});

test('a client that requests its last address, accepts another, and hangs up was not refused', () => {
  for (const closesIpcp of [false, true]) {
    const link = new Link();
    link.login();
    link.client(IPCP, REQUEST, 1, ipcp.address('203.0.113.9'));
    link.server(IPCP, NAK, 1, ipcp.address('192.0.2.10'));
    link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'), 2);
    assert.equal(link.state.phase, 'up');
    if (closesIpcp) link.client(IPCP, TERMINATE, 3);
    link.client(LCP, TERMINATE, 4, 'User request');
    assert.equal(link.state.failure, null);
  }
});

test('a client that omits the address after a Nak, is up, and closes IPCP when it hangs up was not refused', () => {
  const link = new Link();
  link.login();
  link.client(IPCP, REQUEST, 1, ipcp.address('203.0.113.9'));
  link.server(IPCP, NAK, 1, ipcp.address('192.0.2.10'));
  link.agree(IPCP, bytes(), ipcp.address('192.0.2.1'), 2);
  link.client(IPCP, TERMINATE, 3);
  link.client(LCP, TERMINATE, 4);
  assert.equal(link.state.failure, null);
});

test('a refusal of optional encryption is not the cause of refused addresses', () => {
  const link = new Link();
  link.login();
  link.client(CCP, REQUEST, 1, mppe('01000040'));
  link.server(CCP, REJECT, 1, mppe('01000040'));
  link.client(IPCP, REQUEST, 1, ipcp.address('203.0.113.9'));
  link.server(IPCP, NAK, 1, ipcp.address('192.0.2.10'));
  link.client(LCP, TERMINATE, 2);
  assert.equal(link.state.failure?.reason, 'addressRefused');
});

test('if encryption was refused and the requesting side hangs up without a reason, that refusal is the cause', () => {
  const link = new Link();
  link.login();
  link.client(CCP, REQUEST, 1, mppe('01000040'));
  link.server(CCP, REJECT, 1, mppe('01000040'));
  link.client(LCP, TERMINATE, 2);
  assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: 'server', asked: STATELESS_128 });
});

const REQUIRED = 'MPPE required but peer negotiation failed';
const modes: readonly (readonly [string, client: string, server: string, boolean])[] = [
  ['stateful and stateless', '00000040', '01000040', true],
  ['stateless and stateful', '01000040', '00000040', true],
  ['40 and 128 bit', '01000020', '01000040', true],
  ['128 and 40 bit', '01000040', '01000020', true],
  ['56 and 128 bit', '01000080', '01000040', true],
  ['40 or 128 and 128 bit', '01000060', '01000040', false],
];
for (const [what, client, server, differ] of modes) {
  test(`MPPE of ${what} ${differ ? 'cannot' : 'can'} be agreed, whichever side hangs up`, () => {
    for (const by of ['client', 'server'] as const) {
      const link = new Link();
      link.login();
      link.server(CCP, REQUEST, 1, mppe(server));
      link.client(CCP, REQUEST, 1, mppe(client));
      link[by](LCP, TERMINATE, 2, REQUIRED);
      const { failure } = link.state;
      assert.equal(failure?.reason, differ ? 'encryptionModesDiffer' : 'encryptionRefused');
    }
  });
}

test('the side that hangs up without MPPE did not refuse it; a side that requested only compression did', () => {
  for (const [by, refuser] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const link = new Link();
    link.login();
    link[by](CCP, REQUEST, 1, mppe('01000040'));
    link[refuser](CCP, REQUEST, 1, mppe('00000001'));
    link[by](LCP, TERMINATE, 2, REQUIRED);
    assert.deepEqual(link.state.failure, { reason: 'encryptionRefused', by: refuser, asked: STATELESS_128 });
  }
});

test('MPPE has no keys if both sides log in to each other', () => {
  const link = new Link();
  link.agree(LCP, lcp.msChapV2, lcp.msChapV2);
  link.challenge();
  link.respond('alice');
  link.server(CHAP, 3, 7, 'S=00');
  link.client(LCP, TERMINATE, 2, 'MPPE required but not available');
  const protocol = 'MS-CHAPv2';
  assert.deepEqual(link.state.failure, { reason: 'encryptionUnavailable', by: 'client', protocol, bothWays: true });
});

test('a client that never answers a challenge is loginUnanswered, whatever pppd’s text is', () => {
  const link = new Link();
  link.open();
  link.times(3, () => link.challenge());
  link.server(LCP, TERMINATE, 2, 'Authentication failed');
  assert.deepEqual(link.state.failure, { reason: 'loginUnanswered', protocol: 'MS-CHAPv2', challenges: 3 });
});

test('a client that falls silent after its login has not refused anything', () => {
  for (const [protocol, number, asked, text] of [
    ['CCP', CCP, mppe('01000040'), REQUIRED],
    ['IPCP', IPCP, ipcp.address('192.0.2.1'), 'No network protocols running'],
  ] as const) {
    const link = new Link();
    link.login();
    link.times(10, () => link.server(number, REQUEST, 1, asked));
    link.server(LCP, TERMINATE, 2, text);
    assert.deepEqual(link.state.failure, { reason: 'negotiationTimeout', protocol, requests: 10 });
  }
});

test('a client may refuse the login of the server, whichever side ends the link', () => {
  for (const [by, text] of [
    ['client', 'Authentication failed'],
    ['server', 'Failed to authenticate ourselves to peer'],
  ] as const) {
    const link = new Link();
    link.agree(LCP, lcp.chapMd5, lcp.msChapV2);
    link.challenge();
    link.respond('alice');
    link.server(CHAP, 3, 7, 'S=00');
    link[by](LCP, TERMINATE, 2, text);
    assert.deepEqual(link.state.failure, { reason: 'serverLoginRefused', protocol: 'CHAP-MD5' });
  }
});

test('a client without IPCP requests no IPv4', () => {
  const link = new Link();
  link.login();
  link.server(IPCP, REQUEST, 1, ipcp.address('192.0.2.1'));
  link.client(LCP, PROTOCOL_REJECT, 2, hex('8021'), [1, 1, 0, 10], ipcp.address('192.0.2.1'));
  link.server(LCP, TERMINATE, 2, 'No network protocols running');
  assert.deepEqual(link.state.failure, { reason: 'noNetworkProtocol', by: 'client' });
});

test('repeated LCP requests of a client that answers nothing: our frames do not reach it', () => {
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
  assert.match(sentenceOf(failed.failure), /protocol 47/);
  assert.deepEqual(more, []);
});

test('requests that the client sent before our pppd started and that arrive all at once are not a failure', () => {
  const link = new Link();
  link.server(LCP, REQUEST, 1, lcp.accm('00000000'), lcp.msChapV2);
  link.times(10, (turn) => link.client(LCP, REQUEST, turn, lcp.magic('01020304')));
  assert.equal(link.state.failure, null);
  assert.deepEqual(link.types, []);
});

test('only our requests and no frame of the client: its frames do not reach us', () => {
  const link = new Link();
  link.times(10, () => link.server(LCP, REQUEST, 1, lcp.accm('00000000')));
  assert.deepEqual(link.state.failure, {
    reason: 'lcpTimeout',
    lost: 'fromClient',
    clientRequests: 0,
    serverRequests: 10,
  });
});

test('one request of the client and then nothing: it may hang, and neither direction is blamed', () => {
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

test('a link that opens later has no failure', () => {
  const link = new Link();
  link.times(12, () => link.server(LCP, REQUEST, 1, lcp.accm('00000000')));
  link.open();
  assert.equal(link.state.failure, null);
  assert.deepEqual(link.types, ['failed', 'linkOpened']);
});

test('every failure has its own sentence', () => {
  const failures: PppFailure[] = [
    {
      reason: 'authenticationFailed',
      user: null,
      protocol: null,
      code: null,
      cause: 'login refused',
      message: null,
    },
    { reason: 'loginUnanswered', protocol: null, challenges: 0 },
    { reason: 'loginUnanswered', protocol: 'MS-CHAPv2', challenges: 1 },
    { reason: 'authProtocolRefused', by: 'client', protocol: 'EAP', proposed: null },
    { reason: 'authProtocolRefused', by: 'client', protocol: 'EAP', proposed: 'PAP' },
    { reason: 'authProtocolRefused', by: 'server', protocol: null, proposed: null },
    { reason: 'encryptionRefused', by: 'client', asked: null },
    { reason: 'encryptionRefused', by: 'client', asked: ANY_KEY },
    { reason: 'encryptionRefused', by: 'server', asked: ANY_KEY },
    { reason: 'encryptionModesDiffer', client: ANY_KEY, server: { ...ANY_KEY, stateless: true } },
    { reason: 'encryptionModesDiffer', client: { ...ANY_KEY, stateless: true }, server: ANY_KEY },
    { reason: 'encryptionModesDiffer', client: { ...ANY_KEY, keys: [40] }, server: { ...ANY_KEY, keys: [128] } },
    { reason: 'encryptionModesDiffer', client: { ...ANY_KEY, keys: [56] }, server: { ...ANY_KEY, keys: [128] } },
    { reason: 'encryptionModesDiffer', client: { ...ANY_KEY, keys: [128] }, server: { ...ANY_KEY, keys: [40] } },
    { reason: 'encryptionUnavailable', by: 'client', protocol: null, bothWays: false },
    { reason: 'encryptionUnavailable', by: 'client', protocol: 'MS-CHAPv2', bothWays: false },
    { reason: 'encryptionUnavailable', by: 'server', protocol: 'MS-CHAPv2', bothWays: false },
    { reason: 'encryptionUnavailable', by: 'server', protocol: 'MS-CHAPv2', bothWays: true },
    { reason: 'encryptionUnavailable', by: 'server', protocol: 'CHAP-MD5', bothWays: false },
    { reason: 'addressNotAllowed', user: null, protocol: 'PAP', address: null },
    { reason: 'addressNotAllowed', user: 'carol', protocol: 'MS-CHAPv2', address: '198.51.100.11' },
    { reason: 'addressRefused', by: 'client', whose: null, address: null, proposed: null, text: '' },
    { reason: 'addressRefused', by: 'server', whose: null, address: null, proposed: null, text: 'none' },
    { reason: 'addressRefused', by: 'server', whose: 'client', address: '203.0.113.9', proposed: null, text: '' },
    { reason: 'addressRefused', by: 'client', whose: 'server', address: '203.0.113.9', proposed: null, text: '' },
    { reason: 'serverLoginRefused', protocol: 'CHAP-MD5' },
    { reason: 'negotiationTimeout', protocol: 'CCP', requests: 10 },
    { reason: 'noNetworkProtocol', by: 'client' },
    { reason: 'noNetworkProtocol', by: 'server' },
    { reason: 'lcpTimeout', lost: 'toClient', clientRequests: 1, serverRequests: 2 },
    { reason: 'lcpTimeout', lost: 'fromClient', clientRequests: 1, serverRequests: 2 },
    { reason: 'lcpTimeout', lost: null, clientRequests: 1, serverRequests: 2 },
    { reason: 'terminated', by: 'client', text: '', windowsError: 718 },
    { reason: 'terminated', by: 'server', text: 'bye', windowsError: null },
  ];
  for (const engine of ['pppd', 'builtin'] as const) {
    const sentences = failures.map((failure) => describeFailure(failure, { ...PLACES, engine }));
    assert.equal(new Set(sentences).size, failures.length);
    for (const sentence of sentences) assert.doesNotMatch(sentence, /undefined|null|\[object/);
  }
});

test('a Terminate-Ack of a closed protocol is not a refusal', () => {
  const link = new Link();
  link.login();
  link.client(IPCP, REQUEST, 1, ipcp.address('0.0.0.0'));
  link.server(IPCP, TERMINATE_ACK, 1);
  assert.equal(link.state.ipcp.termination, null);
  assert.deepEqual(link.state.refusals, []);
});
