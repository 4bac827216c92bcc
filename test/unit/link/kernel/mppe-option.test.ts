import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ccpPacket, compressorOf, isForSending } from '../../../../src/link/kernel/mppe-option.js';

const frame = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const KEYS = { send: Buffer.alloc(16, 0x11), receive: Buffer.alloc(16, 0x22), weak: null };
const WEAK = { ...KEYS, weak: Buffer.alloc(8, 0x33) };

/** A CCP frame, its code, and MPPE's option in it. */
const FRAMES: readonly [what: string, frame: string, code: number, mppe: string | null][] = [
  ['a Configure-Request', 'ff03 80fd 01 01 000a 120601000040', 1, '120601000040'],
  ['a Configure-Ack without address and control', '80fd 02 01 000a 120601000020', 2, '120601000020'],
  ['an option behind another', '80fd 01 01 000d 1a0378 120601000040', 1, '120601000040'],
  ['a Configure-Nak', '80fd 03 01 000a 120601000040', 3, null],
  ['no option', '80fd 01 01 0004', 1, null],
  ['an option of another length', '80fd 01 01 0009 1205010000', 1, null],
  ['an option that is cut off', '80fd 01 01 0008 12060100', 1, null],
  ['an option of no length', '80fd 01 01 000a 010012060100', 1, null],
  ['a Reset-Request', '80fd 0e 01 0004', 14, null],
];
for (const [what, octets, code, mppe] of FRAMES)
  test(what, () => {
    const packet = ccpPacket(frame(octets)) ?? assert.fail('no CCP');
    assert.equal(packet.code, code);
    assert.equal(packet.mppe === null ? null : Buffer.from(packet.mppe).toString('hex'), mppe);
  });

test('other frames', () => {
  for (const octets of ['ff03 c021 01 01 0004', '8021 01 01 0004', '80fd 01', '', '0021 45'])
    assert.equal(ccpPacket(frame(octets)), null);
});

test('a Configure-Ack is about what we send', () => {
  assert.equal(isForSending({ code: 2, mppe: null }), true);
  assert.equal(isForSending({ code: 1, mppe: null }), false);
});

/** The option, what it is for, and the key behind it. */
const STATES: readonly [what: string, option: string, sends: boolean, keys: typeof KEYS | typeof WEAK, key: string][] =
  [
    ['128 bits, sending', '120601000040', true, KEYS, '11'.repeat(16)],
    ['128 bits, receiving', '120601000040', false, KEYS, '22'.repeat(16)],
    ['128 bits with other keys for less', '120600000040', true, WEAK, '11'.repeat(16)],
    ['40 bits', '120600000020', false, KEYS, '22'.repeat(8) + '00'.repeat(8)],
    ['40 bits with a key of their own', '120600000020', true, WEAK, '33'.repeat(8) + '00'.repeat(8)],
    ['both: the kernel takes the stronger', '120601000060', true, WEAK, '11'.repeat(16)],
  ];
for (const [what, option, sends, keys, key] of STATES)
  test(`what the kernel is given: ${what}`, () =>
    assert.equal(Buffer.from(compressorOf(frame(option), keys, sends)).toString('hex'), option + key));
