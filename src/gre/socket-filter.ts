/**
 * The classic BPF program that lets the kernel sort GRE packets by call id, so that clients behind one address do not
 * wake each other's workers. A raw socket's packets begin with the IP header.
 */
import { BPF, type Instruction, WHOLE_PACKET } from '../sys/packet-filter.js';

/** GRE's version and protocol type, as one word with the flags (RFC 2637 §4.1). */
const VERSION_AND_PROTOCOL = 0x0007_ffff;
const ENHANCED_PPP = 0x0001_880b;

/** Lets version 1, protocol 0x880B, and a key whose call id is `callId` pass; nothing else reaches the socket. */
export const greFilter = (callId: number): readonly Instruction[] => [
  { code: BPF.loadHeaderLength, operand: 0 },
  { code: BPF.loadWordAtX, operand: 0 },
  { code: BPF.and, operand: VERSION_AND_PROTOCOL },
  { code: BPF.jumpEqual, jumpFalse: 3, operand: ENHANCED_PPP },
  { code: BPF.loadHalfAtX, operand: 6 },
  { code: BPF.jumpEqual, jumpFalse: 1, operand: callId },
  { code: BPF.return, operand: WHOLE_PACKET },
  { code: BPF.return, operand: 0 },
];
