/** Queries network interfaces by name (netdevice(7)). */
import { close } from './descriptor.js';
import { checked, libc } from './libc.js';
import { AF_INET, openSocket, SOCK_CLOEXEC, SOCK_DGRAM } from './socket.js';

// linux/sockios.h, linux/if.h
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFDSTADDR = 0x8917;
const SIOCGIFBRDADDR = 0x8919;
const SIOCGIFINDEX = 0x8933;
const IFREQ_LENGTH = 40;
const IFREQ_VALUE_AT = 16;
/** Offset of the address in a result, after family and port. */
const IFREQ_ADDRESS_AT = 20;
export const IFF_UP = 0x1;
export const IFF_POINTOPOINT = 0x10;
export const IFF_RUNNING = 0x40;

const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);

/** An IPv4 address as an unsigned 32-bit number. */
type Address = number;

/** Each result is null when there is no such interface or address. */
export class InterfaceQueries {
  readonly #fd = checked(openSocket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'open a socket to query interfaces');
  readonly #request = Buffer.alloc(IFREQ_LENGTH);

  index(name: string): number | null {
    return this.#ask(name, SIOCGIFINDEX)?.readInt32LE(IFREQ_VALUE_AT) ?? null;
  }

  /** The IFF_ bits. */
  flags(name: string): number | null {
    return this.#ask(name, SIOCGIFFLAGS)?.readUInt16LE(IFREQ_VALUE_AT) ?? null;
  }

  /** The peer address of a point-to-point interface. */
  peer(name: string): Address | null {
    return this.#ask(name, SIOCGIFDSTADDR)?.readUInt32BE(IFREQ_ADDRESS_AT) ?? null;
  }

  /** The broadcast address of its network. */
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
