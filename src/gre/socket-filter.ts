/**
 * A classic BPF program with which the kernel selects GRE packets by call id, so that clients behind one address do not
 * wake each other's workers. Packets of a raw socket begin with the IP header.
 */
import { BPF, type Instruction, WHOLE_PACKET } from '../sys/packet-filter.js';

/** GRE version and protocol type, in one word with the flags (RFC 2637 §4.1). */
const VERSION_AND_PROTOCOL = 0x0007_ffff;
const ENHANCED_PPP = 0x0001_880b;

/** Octets to keep of a stray packet: the longest IP header, the GRE header and a few more. */
export const STRAY_LENGTH = 128;

/** Accepts version 1, protocol 0x880B and call id `callId`; the kernel drops everything else. */
export const greFilter = (callId: number): readonly Instruction[] => callFilter(callId, WHOLE_PACKET, 0);

/** Accepts the headers of the packets that `greFilter` drops. */
export const strayFilter = (callId: number): readonly Instruction[] => callFilter(callId, 0, STRAY_LENGTH);

/** `ofCall`, `ofOthers`: octets to keep of the call's packets and of others; 0 drops them. */
const callFilter = (callId: number, ofCall: number, ofOthers: number): readonly Instruction[] => [
  { code: BPF.loadHeaderLength, operand: 0 },
  { code: BPF.loadWordAtX, operand: 0 },
  { code: BPF.and, operand: VERSION_AND_PROTOCOL },
  { code: BPF.jumpEqual, jumpFalse: 3, operand: ENHANCED_PPP },
  { code: BPF.loadHalfAtX, operand: 6 },
  { code: BPF.jumpEqual, jumpFalse: 1, operand: callId },
  { code: BPF.return, operand: ofCall },
  { code: BPF.return, operand: ofOthers },
];
