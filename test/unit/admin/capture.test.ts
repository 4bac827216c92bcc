import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notCaptured } from '../../../src/admin/capture.js';

for (const [link, name, note] of [
  ['kernel', 'ppp3', 'the data of this session travels in the kernel and is not captured; to see it: tcpdump -ni ppp3'],
  ['kernel', null, 'the data of this session travels in the kernel and is not captured'],
  ['tun', 'ppp3', null],
  ['pppd', null, null],
  [null, null, null],
] as const)
  test(`what capture says is missing: link ${link}, interface ${name}`, () =>
    assert.equal(notCaptured({ link, interface: name }), note));
