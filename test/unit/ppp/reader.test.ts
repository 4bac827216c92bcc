import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACK, bytes, CCP, CHAP, hex, IPCP, IPV6CP, ipcp, LCP, Link, lcp, mppe, NAK, option } from './frames.js';
import { REJECT, REQUEST, TERMINATE } from './frames.js';

test('each step of a login with MS-CHAPv2, MPPE and IPCP is an event', () => {
  const link = new Link();
  assert.equal(link.state.phase, 'dead');
  link.server(LCP, REQUEST, 1, lcp.accm('00000000'), lcp.msChapV2);
  assert.equal(link.state.phase, 'establish');
  link.open();
  assert.equal(link.state.phase, 'authenticate');
  link.challenge();
  assert.deepEqual(link.respond('CORP\\alice'), [{ type: 'userKnown', user: 'CORP\\alice', protocol: 'MS-CHAPv2' }]);
  assert.deepEqual(link.server(CHAP, 3, 7, 'S=0123456789ABCDEF0123456789ABCDEF01234567 M=Access granted'), [
    { type: 'authenticated', user: 'CORP\\alice', protocol: 'MS-CHAPv2', message: 'Access granted' },
  ]);
  assert.equal(link.state.phase, 'network');
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  assert.equal(link.state.phase, 'up');
  link.agree(CCP, mppe('01000040'), mppe('01000040'));
  assert.deepEqual(link.types, ['linkOpened', 'userKnown', 'authenticated', 'up', 'encryption']);
  assert.deepEqual(link.state.encryption, { method: 'mppe', bits: 128, stateless: true, oneWay: null });
  assert.deepEqual(link.state.addresses, { local: '192.0.2.1', remote: '192.0.2.10', dns: [], wins: [] });
  assert.equal(link.state.failure, null);
});

test('a real LCP Configure-Request of Windows is read option by option', () => {
  const link = new Link();
  link.raw('fromClient', hex('c021 0100 0015 0104 0578 0506 5dc2 4ac6 0702 0802 0d03 06'));
  assert.deepEqual(link.state.lcp.client.requested, {
    mru: 1400,
    magicNumber: 0x5dc24ac6,
    protocolFieldCompression: true,
    addressControlCompression: true,
    callback: 6,
  });
});

test('the ACCM and MRU that a side requests apply to what is sent to it', () => {
  const link = new Link();
  assert.deepEqual(link.state.accm, { toClient: 0xffffffff, fromClient: 0xffffffff });
  assert.deepEqual(link.state.mru, { toClient: 1500, fromClient: 1500 });
  link.open();
  assert.deepEqual(link.state.accm, { toClient: 0, fromClient: 0x000a0000 });
  assert.deepEqual(link.state.mru, { toClient: 1400, fromClient: 1500 });
});

test('addresses and name servers are those agreed after Naks', () => {
  const link = new Link();
  link.login();
  link.server(IPCP, REQUEST, 1, ipcp.vj, ipcp.address('192.0.2.1'));
  link.client(
    IPCP,
    REQUEST,
    5,
    ipcp.address('0.0.0.0'),
    ipcp.dns1('0.0.0.0'),
    ipcp.dns2('0.0.0.0'),
    ipcp.wins1('0.0.0.0'),
  );
  link.client(IPCP, REJECT, 1, ipcp.vj);
  link.server(IPCP, REJECT, 5, ipcp.wins1('0.0.0.0'));
  link.server(IPCP, REQUEST, 2, ipcp.address('192.0.2.1'));
  link.client(IPCP, REQUEST, 6, ipcp.address('0.0.0.0'), ipcp.dns1('0.0.0.0'), ipcp.dns2('0.0.0.0'));
  link.client(IPCP, ACK, 2, ipcp.address('192.0.2.1'));
  const offered = bytes(ipcp.address('192.0.2.77'), ipcp.dns1('198.51.100.53'), ipcp.dns2('203.0.113.53'));
  link.server(IPCP, NAK, 6, offered);
  assert.equal(link.state.addresses, null);
  link.client(IPCP, REQUEST, 7, offered);
  const addresses = { local: '192.0.2.1', remote: '192.0.2.77', dns: ['198.51.100.53', '203.0.113.53'], wins: [] };
  assert.deepEqual(link.server(IPCP, ACK, 7, offered), [{ type: 'up', addresses, encryption: null }]);
  assert.equal(link.state.ipcp.server.agreed?.compression, undefined);
  assert.deepEqual(link.state.refusals.slice(0, 2), [
    { by: 'client', protocol: 'IPCP', option: 'compression', how: 'reject', asked: 'VJ', proposed: null },
    { by: 'server', protocol: 'IPCP', option: 'primaryWins', how: 'reject', asked: '0.0.0.0', proposed: null },
  ]);
});

test('MPPE is agreed after a Nak, and does not bring the link up by itself', () => {
  const link = new Link();
  link.login();
  link.server(CCP, REQUEST, 1, mppe('01000060'));
  link.client(CCP, NAK, 1, mppe('01000040'));
  link.client(CCP, REQUEST, 1, mppe('01000040'));
  link.server(CCP, ACK, 1, mppe('01000040'));
  link.server(CCP, REQUEST, 2, mppe('01000040'));
  assert.deepEqual(link.client(CCP, ACK, 2, mppe('01000040')), [
    { type: 'encryption', encryption: { method: 'mppe', bits: 128, stateless: true, oneWay: null } },
  ]);
  assert.equal(link.state.phase, 'network');
});

const strengths: [bits: string, encryption: object][] = [
  ['01000020', { method: 'mppe', bits: 40, stateless: true, oneWay: null }],
  ['00000080', { method: 'mppe', bits: 56, stateless: false, oneWay: null }],
  ['01000040', { method: 'mppe', bits: 128, stateless: true, oneWay: null }],
  ['00000001', { method: 'none', refusedBy: null }],
];
for (const [bits, encryption] of strengths) {
  test(`MPPE supported bits ${bits} are ${JSON.stringify(encryption)}`, () => {
    const link = new Link();
    link.login();
    link.agree(CCP, mppe(bits), mppe(bits));
    assert.deepEqual(link.state.encryption, encryption);
  });
}

const ways: [who: string, client: Uint8Array, server: Uint8Array, oneWay: string | null][] = [
  // Each side requests what it wants to receive.
  ['the client alone', mppe('01000040'), bytes(), 'toClient'],
  ['the server alone', bytes(), mppe('01000040'), 'fromClient'],
  ['both', mppe('01000040'), mppe('01000040'), null],
];
for (const [who, client, server, oneWay] of ways) {
  test(`MPPE that ${who} requested is ${oneWay ?? 'both ways'}`, () => {
    const link = new Link();
    link.login();
    link.agree(CCP, client, server);
    assert.deepEqual(link.state.encryption, { method: 'mppe', bits: 128, stateless: true, oneWay });
  });
}

test('the shorter of two key lengths counts, and stateless only if both directions are', () => {
  for (const [client, server] of [
    ['01000040', '00000020'],
    ['00000020', '01000040'],
  ] as const) {
    const link = new Link();
    link.login();
    link.agree(CCP, mppe(client), mppe(server));
    assert.deepEqual(link.state.encryption, { method: 'mppe', bits: 40, stateless: false, oneWay: null });
  }
});

test('a refusal in CCP is kept, with the requested value', () => {
  const link = new Link();
  link.login();
  link.client(CCP, REQUEST, 1, mppe('01000040'), option(26, hex('7800')));
  link.server(CCP, REJECT, 1, option(26, hex('7800')));
  link.client(CCP, REQUEST, 2, mppe('01000040'));
  link.server(CCP, NAK, 2, mppe('00000020'));
  const asked = { keys: [128], stateless: true, mppc: false };
  assert.deepEqual(link.state.refusals, [
    { by: 'server', protocol: 'CCP', option: 'deflate', how: 'reject', asked: true, proposed: null },
    {
      by: 'server',
      protocol: 'CCP',
      option: 'mppe',
      how: 'nak',
      asked,
      proposed: { keys: [40], stateless: false, mppc: false },
    },
  ]);
  assert.equal(link.state.encryption, null);
});

test('Deflate and BSD are compression, not encryption', () => {
  const link = new Link();
  link.login();
  link.agree(CCP, option(26, hex('7800')), bytes(option(21, hex('2f')), option(24, hex('7800'))));
  assert.deepEqual(link.state.encryption, { method: 'none', refusedBy: null });
  assert.deepEqual(link.state.ccp.client.agreed, { deflate: true });
  assert.deepEqual(link.state.ccp.server.agreed, { bsd: true, oldDeflate: true });
});

test('IPV6CP without IPCP brings a link up, with interface identifiers', () => {
  const link = new Link();
  link.login();
  link.agree(IPV6CP, option(1, hex('0a0027fffe123456')), option(1, hex('0000000000000001')));
  assert.deepEqual(link.events.at(-1), { type: 'up', addresses: null, encryption: null });
  assert.equal(link.state.ipv6cp.client.agreed?.interfaceIdentifier, 'a00:27ff:fe12:3456');
  assert.equal(link.state.ipv6cp.server.agreed?.interfaceIdentifier, '0:0:0:1');
});

test('IPV6CP does not bring the link up after IPCP has begun, until IPCP is rejected', () => {
  const link = new Link();
  link.login();
  link.server(IPCP, REQUEST, 1, ipcp.address('192.0.2.1'));
  link.agree(IPV6CP, option(1, hex('0a0027fffe123456')), option(1, hex('0000000000000001')));
  assert.equal(link.state.phase, 'network');
  link.client(LCP, 8, 2, hex('8021'));
  assert.equal(link.state.phase, 'up');
});

test('IPCP after IPV6CP emits up again, with the addresses', () => {
  const link = new Link();
  link.login();
  link.agree(IPV6CP, option(1, hex('0a0027fffe123456')), option(1, hex('0000000000000001')));
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  const addresses = { local: '192.0.2.1', remote: '192.0.2.10', dns: [], wins: [] };
  assert.deepEqual(link.events.slice(-2), [
    { type: 'up', addresses: null, encryption: null },
    { type: 'up', addresses, encryption: null },
  ]);
});

test('frames with and without address and control fields, and with padding, are equivalent', () => {
  for (const prefix of ['ff03', '']) {
    const link = new Link();
    link.raw('fromClient', hex(`${prefix} c021 0101 0008 0104 0578 000000`));
    assert.deepEqual(link.state.lcp.client.requested, { mru: 1400 });
  }
});

test('data, compressed protocol fields and unknown protocols are ignored', () => {
  const link = new Link();
  for (const digits of ['ff030021450000', '21450000', 'fd900012', '00fd9000', 'ff03c02d01', '8281 0101 0004', '8281']) {
    assert.deepEqual(link.raw('fromClient', hex(digits)), []);
  }
  assert.equal(link.state.malformed, 0);
  assert.equal(link.state.frames.fromClient, 7);
  assert.equal(link.state.phase, 'dead');
});

const malformed: [title: string, digits: string][] = [
  ['nothing', ''],
  ['one octet', 'c0'],
  ['address without control', 'ff'],
  ['wrong control', 'ff04c021'],
  ['an even protocol number', 'c0200101000400'],
  ['no length', 'c0210101'],
  ['length below its header', 'c02101010003'],
  ['length past the end', 'c021010100080104'],
  ['an option without length', 'c0210101000501'],
  ['an option shorter than its header', 'c021010100060101'],
  ['an option past the end', 'c02101010006010a'],
  ['a Protocol-Reject without protocol', 'c0210801000580'],
];
for (const [title, digits] of malformed) {
  test(`counted as malformed: ${title}`, () => {
    const link = new Link();
    assert.deepEqual(link.raw('fromClient', hex(digits)), []);
    assert.equal(link.state.malformed, 1);
    assert.equal(link.state.lcp.client.requested, null);
  });
}

test('an option of a wrong length is listed by its type and not read', () => {
  const link = new Link();
  link.client(LCP, REQUEST, 1, option(1, [5]), option(3, [0xc2]), option(99, [1, 2]), lcp.pfc);
  assert.deepEqual(link.state.lcp.client.requested, { protocolFieldCompression: true, other: [1, 3, 99] });
});

test('an Ack with an old identifier or other options is ignored', () => {
  const link = new Link();
  link.client(LCP, REQUEST, 1, lcp.mru(1400));
  link.client(LCP, REQUEST, 2, lcp.mru(1300));
  link.server(LCP, ACK, 1, lcp.mru(1400));
  assert.equal(link.state.lcp.client.agreed, null);
  link.server(LCP, ACK, 2, lcp.mru(1400));
  assert.equal(link.state.lcp.client.agreed, null);
  link.server(LCP, ACK, 2, lcp.mru(1300));
  assert.deepEqual(link.state.lcp.client.agreed, { mru: 1300 });
});

test('a client cannot bring the link up or encrypt it with Acks to requests that were not sent', () => {
  const link = new Link();
  link.open();
  link.client(CCP, REQUEST, 1, mppe('01000040'));
  link.client(CCP, ACK, 1, mppe('01000040'));
  link.client(IPCP, REQUEST, 1, ipcp.address('192.0.2.66'));
  link.client(IPCP, ACK, 1, ipcp.address('192.0.2.1'));
  assert.equal(link.state.phase, 'authenticate');
  assert.equal(link.state.encryption, null);
  assert.equal(link.state.addresses, null);
});

test('an LCP request on a link that is up restarts everything', () => {
  const link = new Link();
  link.login();
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  link.client(LCP, REQUEST, 9, lcp.mru(1400));
  link.server(LCP, REQUEST, 9, lcp.mru(1400));
  const { phase, user, addresses, authentication, accm } = link.state;
  assert.deepEqual(
    { phase, user, addresses, result: authentication.result, accm },
    {
      phase: 'establish',
      user: null,
      addresses: null,
      result: 'none',
      accm: { toClient: 0xffffffff, fromClient: 0xffffffff },
    },
  );
  link.login();
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  assert.equal(link.state.phase, 'up');
});

test('echoes change nothing', () => {
  const link = new Link();
  link.login();
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  const before = link.state;
  assert.deepEqual(link.client(LCP, 9, 1, hex('21d6ac10')), []);
  assert.deepEqual(link.server(LCP, 10, 1, hex('64e10b9c')), []);
  assert.deepEqual({ ...link.state, frames: null }, { ...before, frames: null });
});

test('the end of a link that was up is reported with its text and is not a failure', () => {
  const link = new Link();
  link.login();
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  assert.deepEqual(link.server(LCP, TERMINATE, 3, 'Connect time expired'), [
    { type: 'terminated', by: 'server', text: 'Connect time expired', windowsError: null },
  ]);
  assert.deepEqual(link.server(LCP, TERMINATE, 4, 'Connect time expired'), []);
  const { phase, failure, addresses, user, lcp: negotiated } = link.state;
  assert.equal(phase, 'terminate');
  assert.equal(failure, null);
  assert.equal(negotiated.termination?.text, 'Connect time expired');
  assert.deepEqual([user, addresses?.remote], ['alice', '192.0.2.10']);
});

test('after a Terminate-Request a link comes up only after LCP opens again', () => {
  const link = new Link();
  link.login();
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  link.client(LCP, TERMINATE, 3);
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'), 2);
  assert.equal(link.state.phase, 'terminate');
  link.login();
  assert.equal(link.state.phase, 'network');
  assert.equal(link.state.addresses, null);
});

test('a late Ack after the end opens nothing', () => {
  const link = new Link();
  link.login();
  link.client(LCP, TERMINATE, 3);
  const asked = bytes(lcp.accm('000a0000'), lcp.msChapV2, lcp.magic('64e10b9c'), lcp.pfc, lcp.acfc);
  assert.deepEqual(link.client(LCP, ACK, 1, asked), []);
  assert.equal(link.state.phase, 'terminate');
});

test('closing IPCP takes the link down, and closing CCP ends the encryption', () => {
  const link = new Link();
  link.login();
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  link.agree(CCP, mppe('01000040'), mppe('01000040'));
  link.server(CCP, TERMINATE, 2, 'Too many errors');
  assert.equal(link.state.encryption, null);
  assert.equal(link.state.phase, 'up');
  link.server(IPCP, TERMINATE, 2);
  assert.equal(link.state.phase, 'network');
});

test("Windows's identification has its version and computer name", () => {
  const link = new Link();
  link.open();
  link.client(LCP, 12, 2, hex('21d6ac10'), 'MSRASV5.20');
  link.client(LCP, 12, 3, hex('21d6ac10'), 'MSRAS-0-DESKTOP');
  link.client(LCP, 12, 3, hex('21d6ac10'), 'MSRAS-0-DESKTOP');
  assert.deepEqual(link.state.identification, ['MSRASV5.20', 'MSRAS-0-DESKTOP']);
});

test('an identification of binary data is shown in hexadecimal, and one of text with a stray octet as text', () => {
  const link = new Link();
  link.open();
  // Sent by two Windows 7 machines.
  link.client(LCP, 12, 4, hex('0c6f3548'), hex('0cdc79f6c5cc464ba2ecd0e20e25b44a'));
  link.client(LCP, 12, 4, hex('29776363'), hex('6cee6c674848f74fb6b5828f1547180d'));
  link.client(LCP, 12, 5, hex('0c6f3548'), 'MSRAS-0-B', [0xdc], 'RO', [0]);
  link.client(LCP, 12, 6, hex('0c6f3548'), new Uint8Array(300).fill(0x1b));
  assert.deepEqual(link.state.identification, [
    '0x0cdc79f6c5cc464ba2ecd0e20e25b44a',
    '0x6cee6c674848f74fb6b5828f1547180d',
    'MSRAS-0-B\u00dcRO\\x00',
    `0x${'1b'.repeat(32)}…`,
  ]);
});

test('a Terminate-Request of binary data is shown in hexadecimal too', () => {
  const link = new Link();
  link.open();
  link.client(LCP, TERMINATE, 4, hex('0c6f35480003cd740000'));
  assert.equal(link.state.lcp.termination?.text, '0x0c6f35480003cd740000');
});

test('names and messages contain no invisible characters and none that change the writing direction', () => {
  const link = new Link();
  link.open();
  link.respond('al\u0007i\u202ece\u2028\u2029\u0085');
  assert.equal(link.state.user, 'al\\x07i\\u{202e}ce\\u{2028}\\u{2029}\\x85');
});

test('the times of the steps are those of the frames', () => {
  const link = new Link();
  link.now = 1000;
  link.login();
  link.agree(IPCP, ipcp.address('192.0.2.10'), ipcp.address('192.0.2.1'));
  link.server(LCP, TERMINATE, 3);
  assert.deepEqual(link.state.times, {
    firstFrame: 1001,
    linkOpened: 1004,
    authenticated: 1007,
    up: 1011,
    terminated: 1012,
  });
});

test('the state is a snapshot and survives JSON', () => {
  const link = new Link();
  link.login();
  const before = link.state;
  const copy = structuredClone(before);
  link.agree(IPCP, ipcp.address('192.0.2.10'), bytes(ipcp.vj, ipcp.address('192.0.2.1')));
  link.agree(CCP, mppe('01000040'), mppe('01000040'));
  assert.deepEqual(before, copy);
  assert.deepEqual(JSON.parse(JSON.stringify(link.state)), link.state);
});
