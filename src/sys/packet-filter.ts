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
  /** X = operand. */
  setX: 0x01,
  loadWordAtX: 0x40,
  loadHalfAtX: 0x48,
  loadOctetAtX: 0x50,
  /** The accumulator becomes X, and X the accumulator. */
  fromX: 0x87,
  toX: 0x07,
  /** The accumulator to and from the scratch memory's word k. */
  store: 0x02,
  loadStored: 0x60,
  add: 0x04,
  and: 0x54,
  /** By operand. */
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpAtLeast: 0x35,
  /** The accumulator has one of the operand's bits. */
  jumpAnyBit: 0x45,
  return: 0x06,
} as const;

/** The return value of a program that accepts the whole packet. */
export const WHOLE_PACKET = 0xffff_ffff;

/** A step of a program whose jumps go to marks further down; a test without a mark goes on with the next step. */
export type Step =
  | Instruction
  | { readonly mark: string }
  | { readonly goTo: string }
  | { readonly test: number; readonly operand: number; readonly yes?: string; readonly no?: string };

/** Puts distances in the place of marks. Throws for a mark that is not there. */
export function assemble(steps: readonly Step[]): Instruction[] {
  const marks = new Map<string, number>();
  let count = 0;
  for (const step of steps) {
    if ('mark' in step) marks.set(step.mark, count);
    else count += 1;
  }
  const instructions: Instruction[] = [];
  for (const step of steps) {
    const next = instructions.length + 1;
    const distance = (mark: string | undefined): number => {
      if (mark === undefined) return 0;
      const at = marks.get(mark) ?? -1;
      if (at < next) throw new Error(`a packet filter has no mark "${mark}" further down`);
      return at - next;
    };
    if ('goTo' in step) instructions.push({ code: BPF.jump, operand: distance(step.goTo) });
    else if ('test' in step) {
      const { test: code, operand, yes, no } = step;
      instructions.push({ code, operand, jumpTrue: distance(yes), jumpFalse: distance(no) });
    } else if ('code' in step) instructions.push(step);
  }
  return instructions;
}

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
