/** Classic BPF programs in the kernel's format (linux/filter.h): they decide which packets reach a socket. */

export interface Instruction {
  readonly code: number;
  readonly jumpTrue?: number;
  readonly jumpFalse?: number;
  readonly operand: number;
}

// linux/bpf_common.h
export const BPF = {
  loadWord: 0x20,
  loadHalf: 0x28,
  loadOctet: 0x30,
  /** X = 4 * (octet[k] & 0xf): the length of an IPv4 header. */
  loadHeaderLength: 0xb1,
  loadWordAtX: 0x40,
  loadHalfAtX: 0x48,
  and: 0x54,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  return: 0x06,
} as const;

/** The return value of a program that accepts the whole packet. */
export const WHOLE_PACKET = 0xffff_ffff;

/** Length of one `struct sock_filter`, octets: u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION_LENGTH = 8;

/** Encodes each instruction as a `struct sock_filter` of a little-endian machine. */
export function encodeFilter(program: readonly Instruction[]): Buffer {
  const octets = Buffer.alloc(program.length * INSTRUCTION_LENGTH);
  for (const [index, { code, jumpTrue = 0, jumpFalse = 0, operand }] of program.entries()) {
    const at = index * INSTRUCTION_LENGTH;
    octets.writeUInt16LE(code, at);
    octets.writeUInt8(jumpTrue, at + 2);
    octets.writeUInt8(jumpFalse, at + 3);
    octets.writeUInt32LE(operand, at + 4);
  }
  return octets;
}
