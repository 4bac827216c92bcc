/**
 * The classic BPF program that lets the kernel sort GRE packets by call id, so that clients behind one address do not
 * wake each other's workers. A raw socket's packets begin with the IP header.
 */
import { BPF, type Instruction, WHOLE_PACKET } from '../sys/packet-filter.js';

/** GRE's version and protocol type, as one word with the flags (RFC 2637 §4.1). */
const VERSION_AND_PROTOCOL = 0x0007_ffff;
const ENHANCED_PPP = 0x0001_880b;

/** The longest IP header, GRE's and some more: enough to tell what a packet is. */
const HEADERS = 128;

/** Lets version 1, protocol 0x880B, and a key whose call id is `callId` pass; nothing else reaches the socket. */
export const greFilter = (callId: number): readonly Instruction[] => callFilter(callId, WHOLE_PACKET, 0);

/** The headers of everything that `greFilter` keeps out. */
export const strayFilter = (callId: number): readonly Instruction[] => callFilter(callId, 0, HEADERS);

/** How many octets to take of the packets of a call, and of others. */
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
