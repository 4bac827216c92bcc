/** Framed-Route: the forms of RFC 2865 §5.22, and what administrators get wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFramedRoute } from '../../../src/radius/framed-route.js';

const RIGHT: readonly [text: string, network: string, gateway: string | null, metric: number | null][] = [
  ['192.168.1.0/24 192.168.1.1 1 2 -1 3 400', '192.168.1.0/24', '192.168.1.1', 1],
  ['198.51.100.0/24 0.0.0.0 1', '198.51.100.0/24', null, 1],
  ['198.51.100.0/24', '198.51.100.0/24', null, null],
  ['198.51.100.0/24 0.0.0.0', '198.51.100.0/24', null, null],
  ['198.51.100.0/24 0.0.0.0 -1', '198.51.100.0/24', null, null],
  ['198.51.100.7/32  203.0.113.1\t20 ', '198.51.100.7/32', '203.0.113.1', 20],
  ['10.0.0.0', '10.0.0.0/8', null, null],
  ['172.16.0.0', '172.16.0.0/16', null, null],
  ['198.51.100.0', '198.51.100.0/24', null, null],
  ['128.0.0.0/1', '128.0.0.0/1', null, null],
];
for (const [text, network, gateway, metric] of RIGHT)
  test(`"${text}"`, () => assert.deepEqual(parseFramedRoute(text), { ok: true, route: { network, gateway, metric } }));

const WRONG: readonly [text: string, problem: RegExp][] = [
  ['', /not NETWORK\/BITS/],
  ['198.51.100.0/24 gateway', /not NETWORK\/BITS/],
  ['198.51.100.0/24 0.0.0.0 high', /not NETWORK\/BITS/],
  ['198.51.100.0/255.255.255.0', /not NETWORK\/BITS/],
  ['198.51.100.0/24/25', /not NETWORK\/BITS/],
  ['198.51.100.256/24', /not NETWORK\/BITS/],
  ['2001:db8::/64', /not NETWORK\/BITS/],
  ['198.51.100.0/33', /longer than 32 bits/],
  ['198.51.100.1/24', /198\.51\.100\.1 has host bits for a prefix of 24 bits/],
  ['0.0.0.0/0', /default route/],
  ['127.0.0.0/8', /no client can have/],
  ['224.0.0.0/4', /no client can have/],
];
for (const [text, problem] of WRONG)
  test(`"${text}" is none`, () => {
    const parsed = parseFramedRoute(text);
    assert(!parsed.ok);
    assert.match(parsed.problem, problem);
  });
