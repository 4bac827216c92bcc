/**
 * A raw socket that receives GRE packets for one address, or for one network, and no others. Otherwise a flood in the
 * namespace would reach every test socket and drown the awaited packets.
 */
import koffi from 'koffi';
import raw from 'raw-socket';
import { settlePromises } from '../../../src/sys/native-callback.js';
import { BPF, encodeFilter, WHOLE_PACKET } from '../../../src/sys/packet-filter.js';

const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IPPROTO_GRE = 47;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const DESTINATION = 16;

const word = (address: string): number => Buffer.from(address.split('.').map(Number)).readUInt32BE();

/** Sends packets that include their IP header; `prefix` is the network's length in bits. */
export function openGreSocket(network: string, prefix = 32): InstanceType<typeof raw.Socket> {
  const mask = (0xffff_ffff << (32 - prefix)) >>> 0;
  const program = [
    { code: BPF.loadWord, operand: DESTINATION },
    { code: BPF.and, operand: mask },
    { code: BPF.jumpEqual, jumpFalse: 1, operand: (word(network) & mask) >>> 0 },
    { code: BPF.return, operand: WHOLE_PACKET },
    { code: BPF.return, operand: 0 },
  ];
  const instructions = encodeFilter(program);
  // struct sock_fprog
  const header = Buffer.alloc(16);
  header.writeUInt16LE(program.length);
  header.writeBigUInt64LE(koffi.address(instructions), 8);
  const socket = new raw.Socket({ protocol: IPPROTO_GRE });
  socket.setOption(SOL_SOCKET, SO_ATTACH_FILTER, header, header.length);
  socket.setOption(IPPROTO_IP, IP_HDRINCL, 1);
  socket.on('message', settlePromises);
  return socket;
}
