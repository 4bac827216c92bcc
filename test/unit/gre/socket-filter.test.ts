/** The kernel's filter program, run by a second interpreter of classic BPF. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greFilter } from '../../../src/gre/socket-filter.js';
import { runFilter } from '../sys/bpf.js';

const CALL_ID = 0x1234;

/** An IPv4 packet with `words` of header, and GRE as RFC 2637 §4.1 has it behind it. */
function aPacket(parts: { words?: number; flags?: number; protocol?: number; callId?: number } = {}): Buffer {
  const { words = 5, flags = 0x3081, protocol = 0x880b, callId = CALL_ID } = parts;
  const octets = Buffer.alloc(words * 4 + 16, 0xff);
  octets.writeUInt8(0x40 | words, 0);
  octets.writeUInt16BE(flags, words * 4);
  octets.writeUInt16BE(protocol, words * 4 + 2);
  octets.writeUInt16BE(64, words * 4 + 4);
  octets.writeUInt16BE(callId, words * 4 + 6);
  return octets;
}

const filter = greFilter(CALL_ID);

const PASS: Readonly<Record<string, Buffer>> = {
  'data with an acknowledgment': aPacket(),
  'data without one': aPacket({ flags: 0x3001 }),
  'an acknowledgment alone': aPacket({ flags: 0x2081 }),
  // What is wrong with them is counted by its kind.
  'flags that nobody knows': aPacket({ flags: 0xfff9 }),
  'behind a header with options': aPacket({ words: 15 }),
};
const STAY: Readonly<Record<string, Buffer>> = {
  'another call id': aPacket({ callId: CALL_ID + 1 }),
  'the call id in the place of the length': aPacket({ callId: 64 }),
  'plain GRE (version 0)': aPacket({ flags: 0x3000 }),
  'a version that nobody knows': aPacket({ flags: 0x3003 }),
  'another protocol': aPacket({ protocol: 0x0800 }),
  'another call id behind a header with options': aPacket({ words: 15, callId: CALL_ID - 1 }),
};
for (const [what, octets] of Object.entries(PASS))
  test(`${what}: passes whole`, () => assert.equal(runFilter(filter, octets), 0xffff_ffff));
for (const [what, octets] of Object.entries(STAY))
  test(`${what}: stays in the kernel`, () => assert.equal(runFilter(filter, octets), 0));
