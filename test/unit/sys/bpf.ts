/** A second interpreter of classic BPF, written from bpf(4): what a program lets pass, from its octets as the kernel gets them. */
import assert from 'node:assert/strict';
import { encodeFilter, type Instruction } from '../../../src/sys/packet-filter.js';

/** How many octets of `packet` pass; 0: none. A load beyond the packet ends the program with 0, as in the kernel. */
export function runFilter(program: readonly Instruction[], packet: Buffer): number {
  const octets = encodeFilter(program);
  try {
    return run(octets, packet);
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }
}

function run(program: Buffer, packet: Buffer): number {
  let [accumulator, index] = [0, 0];
  const scratch = new Uint32Array(16);
  for (let at = 0; at < program.length; at += 8) {
    const operand = program.readUInt32LE(at + 4);
    const jump = (isTrue: boolean): void => void (at += 8 * program.readUInt8(at + (isTrue ? 2 : 3)));
    switch (program.readUInt16LE(at)) {
      case 0xb1: // ldx 4 * ([k] & 0xf)
        index = 4 * (packet.readUInt8(operand) & 0xf);
        break;
      case 0x01: // ldx #k
        index = operand;
        break;
      case 0x20: // ld [k]
        accumulator = packet.readUInt32BE(operand);
        break;
      case 0x40: // ld [x + k]
        accumulator = packet.readUInt32BE(index + operand);
        break;
      case 0x48: // ldh [x + k]
        accumulator = packet.readUInt16BE(index + operand);
        break;
      case 0x50: // ldb [x + k]
        accumulator = packet.readUInt8(index + operand);
        break;
      case 0x02: // st M[k]
        scratch[operand] = accumulator;
        break;
      case 0x60: // ld M[k]
        accumulator = scratch[operand] ?? 0;
        break;
      case 0x87: // txa
        accumulator = index;
        break;
      case 0x07: // tax
        index = accumulator;
        break;
      case 0x04: // add #k
        accumulator += operand;
        break;
      case 0x54: // and #k
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x05: // ja k
        at += 8 * operand;
        break;
      case 0x15: // jeq #k, jt, jf
        jump(accumulator === operand);
        break;
      case 0x35: // jge #k, jt, jf
        jump(accumulator >= operand);
        break;
      case 0x45: // jset #k, jt, jf
        jump((accumulator & operand) !== 0);
        break;
      case 0x06: // ret #k
        return operand;
      default:
        assert.fail(`an instruction that this interpreter does not know: 0x${program.toString('hex', at, at + 8)}`);
    }
  }
  return assert.fail('the program has no end');
}
