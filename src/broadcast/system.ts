/**
 * The system calls of the broadcast relay, through koffi: packet sockets (packet(7)) and questions about interfaces
 * (netdevice(7)). Few calls a second, so that plain buffers do.
 */
import { constants } from 'node:os';
import koffi from 'koffi';
import type { Address } from './packet.js';

// sys/socket.h, asm-generic/socket.h
const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_ERROR = 4;
// linux/if_packet.h
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const SOCKADDR_LL_LENGTH = 20;
const PROTOCOL_AT = 2;
const INDEX_AT = 4;
const PACKET_TYPE_AT = 10;
const HARDWARE_LENGTH_AT = 11;
const HARDWARE_ADDRESS_AT = 12;
const ETHERNET_LENGTH = 6;
export const PACKET_BROADCAST = 1;
export const PACKET_OUTGOING = 4;
// linux/if_ether.h
export const ETH_P_ALL = 0x0003;
export const ETH_P_IP = 0x0800;
// linux/sockios.h, linux/if.h
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFDSTADDR = 0x8917;
const SIOCGIFBRDADDR = 0x8919;
const SIOCGIFINDEX = 0x8933;
const IFREQ_LENGTH = 40;
const IFREQ_VALUE_AT = 16;
/** Of the address in an answer: behind family and port. */
const IFREQ_ADDRESS_AT = 20;
export const IFF_UP = 0x1;
export const IFF_POINTOPOINT = 0x10;
export const IFF_RUNNING = 0x40;

const libc = koffi.load(null);
const openSocket: (family: number, type: number, protocol: number) => number = libc.func('socket', 'int', [
  'int',
  'int',
  'int',
]);
const bind: (fd: number, address: Buffer, length: number) => number = libc.func('bind', 'int', [
  'int',
  'void *',
  'uint32_t',
]);
const setsockopt: (fd: number, level: number, option: number, value: unknown, length: number) => number = libc.func(
  'setsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'uint32_t'],
);
const getsockopt: (fd: number, level: number, option: number, value: Buffer, length: Uint32Array) => number =
  libc.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']);
const recvfrom: (
  fd: number,
  into: Uint8Array,
  length: number,
  flags: number,
  from: Buffer,
  fromLength: Uint32Array,
) => number = libc.func('recvfrom', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'void *']);
const sendto: (
  fd: number,
  packet: Uint8Array,
  length: number,
  flags: number,
  to: Buffer,
  toLength: number,
) => number = libc.func('sendto', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t']);
const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);
const closeDescriptor: (fd: number) => number = libc.func('close', 'int', ['int']);
