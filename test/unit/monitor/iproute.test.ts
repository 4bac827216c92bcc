import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRoute } from '../../../src/monitor/iproute.js';

const line = (vrf: string | null, metric: number | null = null): string =>
  addRoute({ network: '198.51.100.0/24', metric }, 'ppp0', vrf).args.join(' ');

test('a route goes into the table of the VRF in which the interface is', () => {
  assert.equal(line(null), 'route add 198.51.100.0/24 dev ppp0');
  assert.equal(line('vrf-blue'), 'route add 198.51.100.0/24 dev ppp0 vrf vrf-blue');
  assert.equal(line('vrf-blue', 5), 'route add 198.51.100.0/24 dev ppp0 metric 5 vrf vrf-blue');
});
