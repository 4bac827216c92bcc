/** Which Host headers and origins are the console's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isOwnHost, isOwnOrigin } from '../../../../src/console/access/origin.js';

const strict = { names: ['vpn.example.net'], isStrict: true };
const lax = { names: [], isStrict: false };

test('on loopback: localhost, addresses and the names of the configuration', () => {
  for (const host of [
    'localhost',
    'LOCALHOST:8723',
    '127.0.0.1:8723',
    '[::1]:80',
    '192.0.2.1',
    'vpn.example.net',
    'VPN.example.net:443',
  ])
    assert(isOwnHost(host, strict), host);
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    'vpn.example.net.evil.example',
    'localhost@evil.example',
    '127.0.0.1.evil.example',
  ])
    assert(!isOwnHost(host, strict), host);
});

test('elsewhere every name, but no nonsense', () => {
  assert(isOwnHost('anything.example', lax));
  for (const host of [undefined, '', ':80', 'a b', 'a/b', 'a\u0000', '<b>', 'a:b:c', '[::1', 'x'.repeat(300)])
    assert(!isOwnHost(host, lax), String(host));
});

test("the page's own requests, and those of programs that are no browsers", () => {
  const host = '127.0.0.1:8723';
  const own: readonly (readonly [origin: string | undefined, fetchSite: string | undefined])[] = [
    [undefined, undefined],
    [undefined, 'none'],
    ['http://127.0.0.1:8723', undefined],
    ['http://127.0.0.1:8723', 'same-origin'],
    ['https://vpn.example.net', undefined],
  ];
  for (const [origin, fetchSite] of own)
    assert(isOwnOrigin({ host, origin, fetchSite }, strict), `${origin} ${fetchSite}`);
  const foreign: readonly (readonly [origin: string | undefined, fetchSite: string | undefined])[] = [
    ['http://evil.example', undefined],
    ['http://127.0.0.1:9999', undefined],
    ['http://127.0.0.1:8723.evil.example', undefined],
    ['null', undefined],
    ['', undefined],
    [undefined, 'cross-site'],
    [undefined, 'same-site'],
    ['http://127.0.0.1:8723', 'cross-site'],
    [undefined, 'nonsense'],
  ];
  for (const [origin, fetchSite] of foreign)
    assert(!isOwnOrigin({ host, origin, fetchSite }, strict), `${origin} ${fetchSite}`);
});

test('no text of a Host header or origin is more than refused', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (host, origin) => {
      if (isOwnHost(host, strict))
        assert.match(host, /^(?:localhost|vpn\.example\.net|[\d.]+|\[[\da-f:.]+\])(?::\d+)?$/i);
      isOwnOrigin({ host, origin, fetchSite: undefined }, strict);
    }),
  );
});
