/**
 * Configures network interfaces by ioctl (netdevice(7), arp(7), ipv6(7)) and rtnetlink: no program is needed, which a small
 * container may not have. Every step throws SystemCallFailed. Needs CAP_NET_ADMIN.
 */
import { writeFileSync } from 'node:fs';
import { close } from './descriptor.js';
import { checked, libc, SystemCallFailed } from './libc.js';
import { deleteLink, setMaster } from './rtnetlink.js';
import { AF_INET, internetAddress, openSocket, SOCK_CLOEXEC, SOCK_DGRAM } from './socket.js';

// linux/sockios.h
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFDSTADDR = 0x8918;
const SIOCSIFNETMASK = 0x891c;
const SIOCSIFMTU = 0x8922;
const SIOCGIFINDEX = 0x8933;
const SIOCDIFADDR = 0x8936;
const SIOCDARP = 0x8953;
const SIOCSARP = 0x8955;
const AF_INET6 = 10;
/** struct ifreq: a name and a union. */
const NAME_LENGTH = 16;
const VALUE_AT = NAME_LENGTH;
const IFREQ_LENGTH = 40;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
/** struct in6_ifreq. */
const IN6_IFREQ_LENGTH = 24;
const PREFIX_AT = 16;
const INDEX_AT = 20;
/** As RFC 4291 §2.5.6 has it. */
const LINK_LOCAL_PREFIX = 64;
const LINK_LOCAL = 0xfe80;
/** struct arpreq. */
const ARPREQ_LENGTH = 68;
const ARP_FLAGS_AT = 32;
const ARP_DEVICE_AT = 52;
const ATF_PERM = 0x04;
const ATF_PUBL = 0x08;

const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);

export class NetworkConfiguration {
  readonly #ipv4 = checked(openSocket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'open a socket to configure interfaces');
  /** Opened when it is needed: a kernel may have no IPv6. */
  #ipv6: number | null = null;

  /** The interface's number, which no other one gets as long as it exists; null when there is none of that name. */
  index(name: string): number | null {
    const request = named(name);
    return ioctl(this.#ipv4, SIOCGIFINDEX, 'void *', request) < 0 ? null : request.readInt32LE(VALUE_AT);
  }

  /** In octets. */
  setMtu(name: string, mtu: number): void {
    const request = named(name);
    request.writeInt32LE(mtu, VALUE_AT);
    this.#set(SIOCSIFMTU, request, `set the MTU of ${name} to ${mtu}`);
  }

  /** Point to point, dotted quads; the route to `peer` comes when the interface is up. */
  setAddresses(name: string, local: string, peer: string): void {
    this.#set(SIOCSIFADDR, withAddress(name, local), `set the address of ${name} to ${local}`);
    this.#set(SIOCSIFDSTADDR, withAddress(name, peer), `set the peer's address of ${name} to ${peer}`);
    this.#set(SIOCSIFNETMASK, withAddress(name, '255.255.255.255'), `set the netmask of ${name}`);
  }

  /** Puts the interface into a VRF, with all the addresses and routes that it gets. */
  enterVrf(index: number, vrf: string): void {
    const step = `put the interface into the VRF ${vrf}`;
    const master = this.index(vrf);
    // As the kernel has it.
    if (master === null) throw new SystemCallFailed(step, 'EINVAL');
    setMaster(index, master, step);
  }

  remove(index: number, name: string): void {
    deleteLink(index, `remove the interface ${name}`);
  }

  removeAddresses(name: string): void {
    this.#set(SIOCSIFADDR, withAddress(name, '0.0.0.0'), `remove the address of ${name}`);
  }

  setUp(name: string, isUp: boolean): void {
    const step = `${isUp ? 'bring up' : 'take down'} ${name}`;
    const request = named(name);
    this.#set(SIOCGIFFLAGS, request, step);
    const others = request.readUInt16LE(VALUE_AT) & ~(IFF_UP | IFF_RUNNING);
    request.writeUInt16LE(isUp ? others | IFF_UP | IFF_RUNNING : others, VALUE_AT);
    this.#set(SIOCSIFFLAGS, request, step);
  }

  /** `identifier`: four groups of hexadecimal digits, as `0:0:c0a8:1`. */
  addLinkLocal(index: number, identifier: string): void {
    this.#setIpv6(SIOCSIFADDR, index, identifier, 'add');
  }

  removeLinkLocal(index: number, identifier: string): void {
    this.#setIpv6(SIOCDIFADDR, index, identifier, 'remove');
  }

  /** Lets this machine answer ARP requests for `address` on the interface `name`, which is an Ethernet's. */
  addProxyArp(name: string, address: string): void {
    this.#set(SIOCSARP, arpRequest(name, address), `answer ARP requests for ${address} on ${name}`);
  }

  removeProxyArp(name: string, address: string): void {
    this.#set(SIOCDARP, arpRequest(name, address), `stop answering ARP requests for ${address} on ${name}`);
  }

  close(): void {
    close(this.#ipv4);
    if (this.#ipv6 !== null) close(this.#ipv6);
    this.#ipv6 = null;
  }

  #set(request: number, argument: Buffer, step: string): void {
    checked(ioctl(this.#ipv4, request, 'void *', argument), step);
  }

  #setIpv6(request: number, index: number, identifier: string, verb: string): void {
    const step = `${verb} the link-local address ${identifier}`;
    this.#ipv6 ??= checked(openSocket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), step);
    const argument = Buffer.alloc(IN6_IFREQ_LENGTH);
    argument.writeUInt16BE(LINK_LOCAL, 0);
    for (const [at, group] of identifier.split(':').entries())
      argument.writeUInt16BE(Number.parseInt(group, 16), 8 + 2 * at);
    argument.writeUInt32LE(LINK_LOCAL_PREFIX, PREFIX_AT);
    argument.writeInt32LE(index, INDEX_AT);
    checked(ioctl(this.#ipv6, request, 'void *', argument), step);
  }
}

/** The kernel then gives the interface no IPv6 address of its own; without effect where /proc/sys cannot be written. */
export function generateNoLinkLocal(name: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/addr_gen_mode`, '1');
  } catch {
    // The interface has one address more, which the other end does not know.
  }
}

function named(name: string): Buffer {
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(name, 0, NAME_LENGTH - 1, 'latin1');
  return request;
}

function withAddress(name: string, dotted: string): Buffer {
  const request = named(name);
  internetAddress(dotted).copy(request, VALUE_AT);
  return request;
}

function arpRequest(name: string, address: string): Buffer {
  const request = Buffer.alloc(ARPREQ_LENGTH);
  internetAddress(address).copy(request, 0);
  request.writeInt32LE(ATF_PERM | ATF_PUBL, ARP_FLAGS_AT);
  request.write(name, ARP_DEVICE_AT, NAME_LENGTH - 1, 'latin1');
  return request;
}
