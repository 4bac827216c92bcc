/** The load generator's ends of the TUN devices that Network has made. */
import { closeSync, constants, openSync } from 'node:fs';
import { checked, libc } from '../../../src/sys/libc.js';

// linux/if_tun.h
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** Checksums, TCP segmentation for IPv4. */
const OFFLOADS = 0x03;
const OFFLOAD_HEADER = 10;
const IFREQ_LENGTH = 40;
// linux/sched.h
const CLONE_NEWNET = 0x40000000;

const setns: (fd: number, kind: number) => number = libc.func('setns', 'int', ['int', 'int']);
const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);
const ioctlValue: (fd: number, request: number, type: 'unsigned long', argument: number) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);

function enter(path: string): void {
  const namespace = openSync(path, constants.O_RDONLY);
  checked(setns(namespace, CLONE_NEWNET), `enter ${path}`);
  closeSync(namespace);
}

/** Attaches to the device `name` of a namespace; `withOffload`: an offload header precedes each packet. Not blocking. */
export function openTunEnd(namespace: string, name: string, withOffload = false): number {
  const own = openSync('/proc/thread-self/ns/net', constants.O_RDONLY);
  enter(`/run/netns/${namespace}`);
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI | (withOffload ? IFF_VNET_HDR : 0), 16);
  checked(ioctl(fd, TUNSETIFF, 'void *', request), `attach to ${name}`);
  if (withOffload) {
    const length = Buffer.alloc(4);
    length.writeInt32LE(OFFLOAD_HEADER);
    checked(ioctl(fd, TUNSETVNETHDRSZ, 'void *', length), 'set the length of the offload header');
    checked(ioctlValue(fd, TUNSETOFFLOAD, 'unsigned long', OFFLOADS), 'turn on segmentation offload');
  }
  checked(setns(own, CLONE_NEWNET), 'return to the own namespace');
  closeSync(own);
  return fd;
}
