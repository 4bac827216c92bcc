import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACK, bytes, CCP, CHAP, hex, IPCP, ipcp, LCP, Link, lcp, mppe, NAK, REJECT, REQUEST } from './frames.js';

test('a login with MS-CHAPv2, MPPE and clear IPCP is told step by step', () => {
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
  assert.deepEqual(link.state.encryption, { method: 'mppe', bits: 128, stateless: true });
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

test('the ACCM and MRU that a side asks for hold for what is sent to it', () => {
  const link = new Link();
  assert.deepEqual(link.state.accm, { toClient: 0xffffffff, fromClient: 0xffffffff });
  assert.deepEqual(link.state.mru, { toClient: 1500, fromClient: 1500 });
  link.open();
  assert.deepEqual(link.state.accm, { toClient: 0, fromClient: 0x000a0000 });
  assert.deepEqual(link.state.mru, { toClient: 1400, fromClient: 1500 });
});

test('addresses are those that were agreed after naks, with the name servers', () => {
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
    { by: 'client', protocol: 'IPCP', option: 'compression', how: 'reject' },
    { by: 'server', protocol: 'IPCP', option: 'primaryWins', how: 'reject' },
  ]);
});
