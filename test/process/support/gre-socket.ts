/**
 * A raw socket that hears the GRE packets for one address, or for a network of them, and no others: a namespace's floods
 * would reach every test socket in it, and drown what is awaited there.
 */
import koffi from 'koffi';
import raw from 'raw-socket';
import { writeFilter } from '../../../src/gre/socket-filter.js';

const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IPPROTO_GRE = 47;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const DESTINATION = 16;
// linux/bpf_common.h
const [LOAD_WORD, AND, JUMP_EQUAL, RETURN] = [0x20, 0x54, 0x15, 0x06];
const INSTRUCTION = 8;

const word = (address: string): number => Buffer.from(address.split('.').map(Number)).readUInt32BE();

/** Sends packets with IP headers of their own; `prefix`: the network's length in bits. */
export function openGreSocket(network: string, prefix = 32): InstanceType<typeof raw.Socket> {
  const mask = (0xffff_ffff << (32 - prefix)) >>> 0;
  const program = [
    { code: LOAD_WORD, operand: DESTINATION },
    { code: AND, operand: mask },
    { code: JUMP_EQUAL, jumpFalse: 1, operand: (word(network) & mask) >>> 0 },
    { code: RETURN, operand: 0xffff_ffff },
    { code: RETURN, operand: 0 },
  ];
  const instructions = Buffer.alloc(program.length * INSTRUCTION);
  writeFilter(new DataView(instructions.buffer, instructions.byteOffset), 0, program);
  // struct sock_fprog
  const header = Buffer.alloc(16);
  header.writeUInt16LE(program.length);
  header.writeBigUInt64LE(koffi.address(instructions), 8);
  const socket = new raw.Socket({ protocol: IPPROTO_GRE });
  socket.setOption(SOL_SOCKET, SO_ATTACH_FILTER, header, header.length);
  socket.setOption(IPPROTO_IP, IP_HDRINCL, 1);
  return socket;
}
