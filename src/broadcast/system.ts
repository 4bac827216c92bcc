/**
 * The system calls of the broadcast relay, through koffi: packet sockets (packet(7)) and questions about interfaces
 * (netdevice(7)). Few calls a second, so that plain buffers do.
 */
import { constants } from 'node:os';
import koffi from 'koffi';
import { lastErrorName } from '../gre/system.js';
import { INSTRUCTION_LENGTH } from './filter.js';
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
export const PACKET_HOST = 0;
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

// sys/epoll.h
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 0x01;
const EPOLL_EVENT_LENGTH = 16;

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
const filterProgram = koffi.struct({ length: 'uint16_t', instructions: 'void *' });
const attachFilter: (
  fd: number,
  level: number,
  option: number,
  program: { length: number; instructions: Buffer },
  length: number,
) => number = libc.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(filterProgram), 'uint32_t']);
const getsockopt: (fd: number, level: number, option: number, value: Buffer, length: Uint32Array) => number = libc.func(
  'getsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'void *'],
);
const recvfrom: (
  fd: number,
  into: Uint8Array,
  length: number,
  flags: number,
  from: Buffer,
  fromLength: Uint32Array,
) => number = libc.func('recvfrom', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'void *']);
const sendto: (fd: number, packet: Uint8Array, length: number, flags: number, to: Buffer, toLength: number) => number =
  libc.func('sendto', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t']);
const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);
const epollCreate: (flags: number) => number = libc.func('epoll_create1', 'int', ['int']);
const epollControl: (epoll: number, operation: number, fd: number, event: Buffer) => number = libc.func(
  'epoll_ctl',
  'int',
  ['int', 'int', 'int', 'void *'],
);
const close: (fd: number) => number = libc.func('close', 'int', ['int']);

/** Throws a sentence when the call that returned `result` has failed; closes `fd` then. */
function checked(result: number, what: string, fd = -1): number {
  if (result >= 0) return result;
  const why = lastErrorName();
  if (fd >= 0) close(fd);
  throw new Error(`cannot ${what}: ${why}`);
}

const { EMSGSIZE, ENETDOWN, ENODEV, ENXIO } = constants.errno;
/** The interface's number is no longer anyone's; Node's table lacks none of these on Linux. */
const GONE: readonly number[] = [ENETDOWN, ENODEV, ENXIO];

/** Where a packet came in: linux/if_packet.h's sockaddr_ll, as far as it matters. */
export interface Arrival {
  /** Octets of the packet. */
  readonly length: number;
  readonly index: number;
  /** PACKET_BROADCAST, PACKET_OUTGOING and so on. */
  readonly type: number;
}

export type Sending = 'sent' | 'tooBig' | 'interfaceGone' | 'failed';

/** A packet socket that gives and takes IP packets, without the link's header. Needs CAP_NET_RAW. */
export class PacketSocket {
  readonly fd: number;
  readonly #from = Buffer.alloc(SOCKADDR_LL_LENGTH);
  readonly #to = Buffer.alloc(SOCKADDR_LL_LENGTH);
  readonly #length = new Uint32Array(1);
  readonly #statistics = Buffer.alloc(8);

  /**
   * Receives packets of `protocol` (ETH_P_IP: received ones; ETH_P_ALL: sent ones too) on the interface `index`, 0 for
   * all, that pass `filter` (classic BPF). Throws a sentence.
   */
  constructor(index: number, protocol: number, filter: Buffer) {
    // Protocol 0: nothing comes in before the filter is in its place.
    const fd = openSocket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    this.fd = checked(fd, 'open a packet socket, which needs root or CAP_NET_RAW');
    const program = { length: filter.length / INSTRUCTION_LENGTH, instructions: filter };
    const attached = attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, koffi.sizeof(filterProgram));
    checked(attached, 'filter broadcasts', fd);
    const address = Buffer.alloc(SOCKADDR_LL_LENGTH);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(protocol, PROTOCOL_AT);
    address.writeInt32LE(index, INDEX_AT);
    checked(bind(fd, address, address.length), `bind to interface number ${index}`, fd);
    this.#to.writeUInt16LE(AF_PACKET, 0);
    this.#to.writeUInt16BE(ETH_P_IP, PROTOCOL_AT);
    this.#to.writeUInt8(ETHERNET_LENGTH, HARDWARE_LENGTH_AT);
    this.#to.fill(0xff, HARDWARE_ADDRESS_AT, HARDWARE_ADDRESS_AT + ETHERNET_LENGTH);
  }

  /** The next packet; null when there is none. An error, told once, means that the interface is down or gone: none too. */
  receive(into: Uint8Array): Arrival | null {
    this.#length[0] = SOCKADDR_LL_LENGTH;
    const length = recvfrom(this.fd, into, into.length, MSG_DONTWAIT, this.#from, this.#length);
    if (length < 0) return null;
    return { length, index: this.#from.readInt32LE(INDEX_AT), type: this.#from.readUInt8(PACKET_TYPE_AT) };
  }

  /** Sends to everyone on the link of the interface `index`. */
  broadcast(packet: Uint8Array, index: number): Sending {
    this.#to.writeInt32LE(index, INDEX_AT);
    if (sendto(this.fd, packet, packet.length, MSG_DONTWAIT, this.#to, this.#to.length) >= 0) return 'sent';
    const code = koffi.errno();
    if (code === EMSGSIZE) return 'tooBig';
    return GONE.includes(code) ? 'interfaceGone' : 'failed';
  }

  /** Packets that did not fit into the socket's buffer since the last call. */
  takeDropped(): number {
    this.#length[0] = this.#statistics.length;
    const result = getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, this.#statistics, this.#length);
    return result < 0 ? 0 : this.#statistics.readUInt32LE(4);
  }

  close(): void {
    close(this.fd);
  }
}

/**
 * Calls `ready` while one of the sockets added has packets. libuv ends a poll on a socket's first error, and an
 * interface that goes down is one; an epoll set around them is readable or not, and knows no error.
 */
export class Readiness {
  readonly #epoll = checked(epollCreate(SOCK_CLOEXEC), 'make an epoll set');
  readonly #poll: ReturnType<typeof koffi.node.poll>;

  constructor(ready: () => void) {
    this.#poll = koffi.node.poll(this.#epoll, { readable: true }, ready);
  }

  /** Until it is closed. */
  add(socket: PacketSocket): void {
    const event = Buffer.alloc(EPOLL_EVENT_LENGTH);
    event.writeUInt32LE(EPOLLIN, 0);
    checked(epollControl(this.#epoll, EPOLL_CTL_ADD, socket.fd, event), 'watch a packet socket');
  }

  close(): void {
    this.#poll.close();
    close(this.#epoll);
  }
}

/** What the kernel says of interfaces, by name. Each answer is null when there is no such interface or address. */
export class InterfaceQuestions {
  readonly #fd = checked(openSocket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'open a socket to ask about interfaces');
  readonly #request = Buffer.alloc(IFREQ_LENGTH);

  index(name: string): number | null {
    return this.#ask(name, SIOCGIFINDEX)?.readInt32LE(IFREQ_VALUE_AT) ?? null;
  }

  /** IFF_ bits. */
  flags(name: string): number | null {
    return this.#ask(name, SIOCGIFFLAGS)?.readUInt16LE(IFREQ_VALUE_AT) ?? null;
  }

  /** The other end's address of a point-to-point interface. */
  peer(name: string): Address | null {
    return this.#ask(name, SIOCGIFDSTADDR)?.readUInt32BE(IFREQ_ADDRESS_AT) ?? null;
  }

  /** Its network's broadcast address. */
  broadcast(name: string): Address | null {
    return this.#ask(name, SIOCGIFBRDADDR)?.readUInt32BE(IFREQ_ADDRESS_AT) ?? null;
  }

  close(): void {
    close(this.#fd);
  }

  #ask(name: string, request: number): Buffer | null {
    this.#request.fill(0);
    this.#request.write(name, 'latin1');
    return ioctl(this.#fd, request, 'void *', this.#request) < 0 ? null : this.#request;
  }
}
