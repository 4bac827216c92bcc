import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enhancedPacket, interfaceDescription, LINK_TYPE, sectionHeader } from '../../../src/pcap/pcapng.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a section header', () => {
  assert.equal(
    hex(sectionHeader('me')),
    '0a0d0d0a' +
      '28000000' +
      '4d3c2b1a' +
      '01000000' +
      'ffffffffffffffff' +
      '04000200' +
      '6d650000' +
      '00000000' +
      '28000000',
  );
});

test('an interface with its name and time resolution', () => {
  const description = interfaceDescription({ linkType: LINK_TYPE.raw, name: 'a', description: 'wxyz' });
  assert.equal(
    hex(description),
    '01000000' +
      '30000000' +
      '6500' +
      '0000' +
      '00000000' +
      '0200010061000000' +
      '030004007778797a' +
      '0900010006000000' +
      '00000000' +
      '30000000',
  );
});

const TIME = 0x0006_4321 * 2 ** 32 + 0x89ab_cdef;

test('a packet with its time in two halves, padding and direction', () => {
  const packet = { interface: 1, time: TIME, direction: 'sent', bytes: Buffer.from('abcde'), lost: 0 } as const;
  assert.equal(
    hex(enhancedPacket(packet)),
    '06000000' +
      '34000000' +
      '01000000' +
      '21430600' +
      'efcdab89' +
      '05000000' +
      '05000000' +
      '6162636465000000' +
      '0200040002000000' +
      '00000000' +
      '34000000',
  );
});

test('a packet records how many were lost before it', () => {
  const packet = { interface: 0, time: 0, direction: 'received', bytes: Buffer.alloc(4), lost: 258 } as const;
  assert.match(hex(enhancedPacket(packet)), /0200040001000000040008000201000000000000000000003c000000$/);
});
