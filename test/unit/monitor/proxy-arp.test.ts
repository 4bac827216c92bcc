import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { proxyArpInterface } from '../../../src/monitor/proxy-arp.js';

const on = (address: string, netmask: string, mac = '02:00:00:00:00:01', internal = false): NetworkInterfaceInfo => ({
  family: 'IPv4',
  address,
  netmask,
  mac,
  internal,
  cidr: null,
});

const ALL = {
  lo: [on('203.0.113.1', '255.255.255.0', '00:00:00:00:00:00', true)],
  ppp0: [on('203.0.113.1', '255.255.255.255', '00:00:00:00:00:00')],
  eth0: [on('203.0.113.1', '255.255.255.0')],
  'eth1:2': [on('203.0.113.129', '255.255.255.128')],
  eth2: undefined,
};

test('the smallest network that has the address', () => {
  assert.equal(proxyArpInterface('203.0.113.10', ALL), 'eth0');
  assert.equal(proxyArpInterface('203.0.113.200', ALL), 'eth1');
  assert.equal(proxyArpInterface('192.0.2.1', ALL), null);
  assert.equal(proxyArpInterface('203.0.113.10', {}), null);
});
