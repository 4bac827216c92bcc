import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asNamed, openFailure } from '../../../src/host/device.js';

test('a device that opens, and one that is missing', () => {
  assert.equal(openFailure('/dev/null'), null);
  assert.equal(openFailure('/dev/nonexistent'), 'ENOENT');
});

test("/dev/ppp is root's, whatever its mode: others get EPERM from the kernel", () => {
  assert.equal(asNamed('/dev/ppp', 'EPERM', false), 'EACCES');
  assert.equal(asNamed('/dev/ppp', 'EPERM', true), 'EPERM');
  assert.equal(asNamed('/dev/net/tun', 'EPERM', false), 'EPERM');
  assert.equal(asNamed('/dev/ppp', 'ENOENT', false), 'ENOENT');
});
