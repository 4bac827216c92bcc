/** Packet sockets (packet(7)) for low packet rates: packets are copied. */
import { constants } from 'node:os';
import { MSG_DONTWAIT } from './batch-io.js';
import { close } from './descriptor.js';
import { checked, lastErrno, libc } from './libc.js';
import type { Instruction } from './packet-filter.js';
import {
  AF_PACKET,
  attachFilter,
  bind,
  openSocket,
  readOption,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from './socket.js';

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
const { EMSGSIZE, ENETDOWN, ENODEV, ENXIO } = constants.errno;
/** The interface is down or gone; Node's table has all of these on Linux. */
const GONE: readonly number[] = [ENETDOWN, ENODEV, ENXIO];

/** Where a packet arrived: the needed fields of sockaddr_ll (linux/if_packet.h). */
export interface Arrival {
  /** Length of the packet, octets. */
  readonly length: number;
  readonly index: number;
  /** PACKET_BROADCAST, PACKET_OUTGOING etc. */
  readonly type: number;
}

export type Sending = 'sent' | 'tooBig' | 'interfaceGone' | 'failed';

/** A packet socket for IP packets without link header. Needs CAP_NET_RAW. */
export interface PacketSocketOptions {
  /** Number of the interface; 0: all interfaces. */
  readonly index: number;
  /** ETH_P_IP for received packets, ETH_P_ALL for received and sent ones. */
  readonly protocol: number;
  /** Packets that it rejects are not received. */
  readonly filter: readonly Instruction[];
}

export class PacketSocket {
  readonly fd: number;
  readonly #from = Buffer.alloc(SOCKADDR_LL_LENGTH);
  readonly #to = Buffer.alloc(SOCKADDR_LL_LENGTH);
  readonly #length = new Uint32Array(1);
  readonly #statistics = Buffer.alloc(8);

  /** Throws SystemCallFailed. */
  constructor({ index, protocol, filter }: PacketSocketOptions) {
    // With protocol 0 nothing is received before the filter is attached.
    const fd = openSocket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    this.fd = checked(fd, 'open a packet socket, which needs root or CAP_NET_RAW');
    try {
      checked(attachFilter(fd, filter), 'filter a packet socket');
      const address = Buffer.alloc(SOCKADDR_LL_LENGTH);
      address.writeUInt16LE(AF_PACKET, 0);
      address.writeUInt16BE(protocol, PROTOCOL_AT);
      address.writeInt32LE(index, INDEX_AT);
      checked(bind(fd, address, address.length), `bind to interface number ${index}`);
    } catch (error) {
      close(fd);
      throw error;
    }
    this.#to.writeUInt16LE(AF_PACKET, 0);
    this.#to.writeUInt16BE(ETH_P_IP, PROTOCOL_AT);
    this.#to.writeUInt8(ETHERNET_LENGTH, HARDWARE_LENGTH_AT);
    this.#to.fill(0xff, HARDWARE_ADDRESS_AT, HARDWARE_ADDRESS_AT + ETHERNET_LENGTH);
  }

  /** The next packet; null when there is none, or once when the interface is down or gone. */
  receive(into: Uint8Array): Arrival | null {
    this.#length[0] = SOCKADDR_LL_LENGTH;
    const length = recvfrom(this.fd, into, into.length, MSG_DONTWAIT, this.#from, this.#length);
    if (length < 0) return null;
    return { length, index: this.#from.readInt32LE(INDEX_AT), type: this.#from.readUInt8(PACKET_TYPE_AT) };
  }

  /** Sends a link-layer broadcast on the interface `index`. */
  broadcast(packet: Uint8Array, index: number): Sending {
    this.#to.writeInt32LE(index, INDEX_AT);
    if (sendto(this.fd, packet, packet.length, MSG_DONTWAIT, this.#to, this.#to.length) >= 0) return 'sent';
    const code = lastErrno();
    if (code === EMSGSIZE) return 'tooBig';
    return GONE.includes(code) ? 'interfaceGone' : 'failed';
  }

  /** Number of packets dropped since the last call because the socket's buffer was full. */
  takeDropped(): number {
    return readOption(this.fd, SOL_PACKET, PACKET_STATISTICS, this.#statistics) < 0
      ? 0
      : this.#statistics.readUInt32LE(4);
  }

  close(): void {
    close(this.fd);
  }
}
