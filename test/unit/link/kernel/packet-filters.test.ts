import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { guard, type GuardState, SAMPLE_LENGTH, sampling } from '../../../../src/link/kernel/packet-filters.js';
import { assemble, BPF } from '../../../../src/sys/packet-filter.js';
import { runFilter } from '../../sys/bpf.js';

const CALL_ID = 0x1234;
const WHOLE = 0xffff_ffff;

/** GRE as RFC 2637 §4.1 has it, and behind it the octets `frame` (hexadecimal). */
function gre(frame: string, { sequence = 7, acknowledges = false, callId = CALL_ID, flags = 0x3001 } = {}): Buffer {
  const header = Buffer.alloc(acknowledges ? 16 : 12);
  header.writeUInt16BE(flags | (acknowledges ? 0x0080 : 0), 0);
  header.writeUInt16BE(0x880b, 2);
  header.writeUInt16BE(frame.length / 2, 4);
  header.writeUInt16BE(callId, 6);
  header.writeUInt32BE(sequence, 8);
  return Buffer.concat([header, Buffer.from(frame, 'hex')]);
}
const alone = (): Buffer => {
  const octets = gre('').subarray(0, 12);
  octets.writeUInt16BE(0x2081, 0);
  return octets;
};
const ip = (packet: Buffer, words = 5): Buffer => Buffer.concat([Buffer.alloc(words * 4, 0x40 | words), packet]);

const IP = '45000014';
/** A frame, and whether it passes in each state. */
const FRAMES: readonly [what: string, frame: string, open: boolean, encrypted: boolean, sealed: boolean][] = [
  ['an encrypted packet', 'ff0300fd9000', true, true, true],
  ['an encrypted packet without address and control', '00fd9000', true, true, true],
  ['an encrypted packet with a compressed protocol field', 'fd9000', true, true, true],
  ['all of it compressed but the address', 'ff03fd9000', true, true, true],
  ['IPv4', `ff030021${IP}`, true, false, false],
  ['IPv4 with a compressed protocol field', `21${IP}`, true, false, false],
  ['IPv4 without address and control', `0021${IP}`, true, false, false],
  ['IPv6', 'ff03005760000000', true, false, false],
  ['a compressed packet of another kind', 'ff0300fb9000', true, false, false],
  ['LCP', 'ff03c02109010008', true, true, true],
  ['LCP without address and control', 'c02109010008', true, true, true],
  ['IPCP', 'ff03802101010004', true, true, true],
  ['a CCP Configure-Request', 'ff0380fd0101000a1206010000400000', true, true, false],
  ['a CCP Configure-Request without address and control', '80fd0101000a1206010000400000', true, true, false],
  ['a CCP Configure-Ack', '80fd0201000a', true, true, true],
  ['a CCP Terminate-Request', '80fd05010004', true, true, false],
  ['a CCP Terminate-Ack', '80fd06010004', true, true, false],
  ['a CCP Reset-Request', '80fd0e010004', true, true, true],
  ['a CCP Reset-Ack', 'ff0380fd0f010004', true, true, true],
  ['the beginning of a protocol field', '00', true, false, false],
];

describe('what the kernel’s socket is given', () => {
  for (const [what, frame, ...passes] of FRAMES)
    test(what, () => {
      for (const [index, state] of (['open', 'encrypted', 'sealed'] as const satisfies GuardState[]).entries()) {
        const expected = passes[index] ? WHOLE : 0;
        assert.equal(runFilter(guard(state), gre(frame)), expected, state);
        assert.equal(runFilter(guard(state), gre(frame, { acknowledges: true })), expected, state);
      }
    });

  test('an acknowledgment without data', () => {
    for (const state of ['open', 'encrypted', 'sealed'] as const) assert.equal(runFilter(guard(state), alone()), WHOLE);
  });
});

describe('what the worker sees', () => {
  const DATA = `fd${'90'.repeat(40)}`;

  test('every n-th packet', () => {
    for (const every of [1, 2, 16])
      for (let sequence = 0; sequence < 64; sequence += 1)
        for (const acknowledges of [true, false])
          assert.equal(
            runFilter(sampling(CALL_ID, every, 'sealed'), ip(gre(DATA, { sequence, acknowledges }))),
            sequence % every === 0 ? SAMPLE_LENGTH : 0,
          );
  });

  test('behind an IP header with options', () =>
    assert.equal(runFilter(sampling(CALL_ID, 1, 'sealed'), ip(gre(DATA), 15)), SAMPLE_LENGTH));

  test('nothing of others', () => {
    const others: Readonly<Record<string, Buffer>> = {
      'another call': gre(DATA, { callId: CALL_ID + 1 }),
      'plain GRE': gre(DATA, { flags: 0x3000 }),
      'an acknowledgment without data': alone(),
    };
    for (const [what, packet] of Object.entries(others))
      assert.equal(runFilter(sampling(CALL_ID, 1, 'open'), ip(packet)), 0, what);
  });

  test('nothing that the kernel is not given, or a forged packet would be acknowledged', () => {
    for (const [what, frame, open, encrypted] of FRAMES)
      for (const [state, passes] of [
        ['open', open],
        ['encrypted', encrypted],
        ['sealed', encrypted],
      ] as const)
        if (what !== 'the beginning of a protocol field')
          assert.equal(
            runFilter(sampling(CALL_ID, 1, state), ip(gre(frame))),
            passes ? SAMPLE_LENGTH : 0,
            `${what}, ${state}`,
          );
  });

  test('without sampling only what the kernel must not see of CCP', () => {
    for (const [what, frame, , encrypted, sealed] of FRAMES)
      for (const acknowledges of [true, false])
        assert.equal(
          runFilter(sampling(CALL_ID, null, 'sealed'), ip(gre(frame, { acknowledges }))),
          encrypted && !sealed ? SAMPLE_LENGTH : 0,
          what,
        );
  });
});

test('a mark must come after the jump to it', () => {
  const back = [{ mark: 'here' }, { code: BPF.return, operand: 0 }, { goTo: 'here' }];
  assert.throws(() => assemble(back), /no mark "here" further down/);
  assert.throws(() => assemble([{ goTo: 'nowhere' }]), /no mark "nowhere"/);
});
