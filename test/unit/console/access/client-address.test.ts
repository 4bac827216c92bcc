/** Whom a request is from: a proxy's word counts, a client's own does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ClientAddresses, countedAddress, type Peer } from '../../../../src/console/access/client-address.js';

const PROXIES = ['127.0.0.0/8', '192.0.2.7'];
const peer = (address: string | null): Peer => ({ address, isTls: false });
const withHeaders =
  (headers: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    headers[name];

const cases: readonly [name: string, peer: string | null, forwarded: string | undefined, address: string][] = [
  ['no proxy, and a header that it made up', '198.51.100.1', '203.0.113.1', '198.51.100.1'],
  ['a proxy', '127.0.0.1', '203.0.113.1', '203.0.113.1'],
  ['a proxy as IPv6 sockets show it', '::ffff:192.0.2.7', '203.0.113.1', '203.0.113.1'],
  ['a chain: the last that is no proxy', '127.0.0.1', '203.0.113.66, 203.0.113.1, 192.0.2.7', '203.0.113.1'],
  ['a proxy that names nobody', '127.0.0.1', undefined, '127.0.0.1'],
  ['a proxy with nonsense', '127.0.0.1', '203.0.113.1, <b>', '127.0.0.1'],
  ['only proxies', '127.0.0.1', '192.0.2.7', '127.0.0.1'],
  ['IPv6', '127.0.0.1', '2001:db8::1', '2001:db8::1'],
  ['a connection that is closed', null, '203.0.113.1', 'unknown'],
];
for (const [name, from, forwarded, address] of cases) {
  test(name, () => {
    const headers = withHeaders(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded });
    assert.equal(new ClientAddresses(PROXIES, false).of(peer(from), headers).address, address);
  });
}

test('behind a unix socket everybody is a proxy', () => {
  const clients = new ClientAddresses([], true);
  const headers = withHeaders({ 'x-forwarded-for': '203.0.113.1', 'x-forwarded-proto': 'https' });
  assert.deepEqual(clients.of(peer(null), headers), { address: '203.0.113.1', isHttps: true });
});

test('HTTPS is what the connection is, or what a proxy says', () => {
  const clients = new ClientAddresses(PROXIES, false);
  const https = withHeaders({ 'x-forwarded-proto': 'https' });
  assert.equal(clients.of(peer('127.0.0.1'), https).isHttps, true);
  assert.equal(clients.of(peer('198.51.100.1'), https).isHttps, false);
  assert.equal(clients.of({ address: '198.51.100.1', isTls: true }, withHeaders({})).isHttps, true);
});

test('no header lets a client that is no proxy be somebody else', () => {
  const clients = new ClientAddresses(PROXIES, false);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const headers = withHeaders({ 'x-forwarded-for': text, 'x-forwarded-proto': text });
      assert.deepEqual(clients.of(peer('198.51.100.1'), headers), { address: '198.51.100.1', isHttps: false });
    }),
  );
});

test('the addresses of one IPv6 client count as one', () => {
  assert.equal(countedAddress('192.0.2.1'), '192.0.2.1');
  assert.equal(countedAddress('2001:db8::1'), '2001:db8:0:0::/64');
  assert.equal(countedAddress('2001:db8:0:0:ffff::'), '2001:db8:0:0::/64');
  assert.equal(countedAddress('2001:0db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(countedAddress('::1'), '0:0:0:0::/64');
  assert.equal(countedAddress('64:ff9b::192.0.2.1'), '64:ff9b:0:0::/64');
  fc.assert(fc.property(fc.ipV6(), (text) => /^([0-9a-f]{1,4}:){4}:\/64$/.test(countedAddress(text))));
});
