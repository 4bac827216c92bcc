/**
 * The classic BPF program that lets the kernel sort GRE packets by call id, so that clients behind one address do not
 * wake each other's workers (DESIGN §5). A raw socket's packets begin with the IP header.
 */

interface Instruction {
  readonly code: number;
  readonly jumpTrue?: number;
  readonly jumpFalse?: number;
  readonly operand: number;
}

/** Octets of one `struct sock_filter`: u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION_LENGTH = 8;

// linux/bpf_common.h
const LOAD_HEADER_LENGTH = 0xb1; // X = 4 * (octet[k] & 0xf)
const LOAD_WORD_AT_X = 0x40;
const LOAD_HALF_AT_X = 0x48;
const AND = 0x54;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;

const WHOLE_PACKET = 0xffff_ffff;
/** The longest IP header, GRE's and some more: enough to tell what a packet is. */
const HEADERS = 128;
/** GRE's version and protocol type, as one word with the flags (RFC 2637 §4.1). */
const VERSION_AND_PROTOCOL = 0x0007_ffff;
const ENHANCED_PPP = 0x0001_880b;

/** Version 1, protocol 0x880B, key's call id is `callId`; all else stays out of the socket. */
export const greFilter = (callId: number): readonly Instruction[] => callFilter(callId, WHOLE_PACKET, 0);

/** The headers of everything that `greFilter` keeps out. */
export const strayFilter = (callId: number): readonly Instruction[] => callFilter(callId, 0, HEADERS);

/** How many octets to take of the packets of a call, and of others. */
function callFilter(callId: number, ofCall: number, ofOthers: number): readonly Instruction[] {
  return [
    { code: LOAD_HEADER_LENGTH, operand: 0 },
    { code: LOAD_WORD_AT_X, operand: 0 },
    { code: AND, operand: VERSION_AND_PROTOCOL },
    { code: JUMP_EQUAL, jumpFalse: 3, operand: ENHANCED_PPP },
    { code: LOAD_HALF_AT_X, operand: 6 },
    { code: JUMP_EQUAL, jumpFalse: 1, operand: callId },
    { code: RETURN, operand: ofCall },
    { code: RETURN, operand: ofOthers },
  ];
}

/** Writes `program` at `at` as the kernel reads it on a little-endian machine. */
export function writeFilter(view: DataView, at: number, program: readonly Instruction[]): void {
  for (const [index, { code, jumpTrue = 0, jumpFalse = 0, operand }] of program.entries()) {
    const to = at + index * INSTRUCTION_LENGTH;
    view.setUint16(to, code, true);
    view.setUint8(to + 2, jumpTrue);
    view.setUint8(to + 3, jumpFalse);
    view.setUint32(to + 4, operand, true);
  }
}
