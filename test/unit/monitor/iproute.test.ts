import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRoute } from '../../../src/monitor/iproute.js';

const line = (vrf: string | null): string => addRoute('198.51.100.0/24', 'ppp0', vrf).args.join(' ');

test('a route goes into the table of the VRF in which the interface is', () => {
  assert.equal(line(null), 'route add 198.51.100.0/24 dev ppp0');
  assert.equal(line('vrf-blue'), 'route add 198.51.100.0/24 dev ppp0 vrf vrf-blue');
});
