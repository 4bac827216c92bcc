/**
 * TUN devices (the kernel's Documentation/networking/tuntap.rst): network interfaces whose packets a process reads and
 * writes. They are opened with segmentation offload, as linux/virtio_net.h describes it.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { lastErrorName, libc, SystemCallFailed } from './libc.js';

const DEVICE = '/dev/net/tun';

// linux/if_tun.h
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** Fails if there is an interface of this name, instead of attaching to it. */
const IFF_TUN_EXCL = 0x8000;
const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const TUN_F_TSO_ECN = 0x08;
const OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

// linux/if.h
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS_AT = 16;
const MAX_NAME = 15;

/** Length of the offload header before each packet (struct virtio_net_hdr), octets. */
export const OFFLOAD_HEADER = 10;
/** The longest read: a super packet with its header, octets. */
export const MAX_READ = OFFLOAD_HEADER + 65_535;

const ioctl: (fd: number, request: number, type: 'void *', argument: Buffer) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);
const ioctlValue: (fd: number, request: number, type: 'unsigned long', argument: number) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);

/**
 * `noDevice`: /dev/net/tun does not exist, or the kernel has no driver for it. `noPermission`: it may not be opened, or
 * an interface may not be created (CAP_NET_ADMIN). `nameTaken`: there is an interface of this name.
 */
export type TunDeviceFault = 'noDevice' | 'noPermission' | 'nameTaken' | 'other';

const FAULTS: Readonly<Record<string, TunDeviceFault>> = {
  ENOENT: 'noDevice',
  ENODEV: 'noDevice',
  ENXIO: 'noDevice',
  EACCES: 'noPermission',
  EPERM: 'noPermission',
  EBUSY: 'nameTaken',
};

export class TunDeviceFailed extends SystemCallFailed {
  readonly fault: TunDeviceFault;

  constructor(step: string, code: string) {
    super(step, code);
    this.fault = FAULTS[code] ?? 'other';
  }
}

export interface TunDevice {
  /** Non-blocking, with close-on-exec set. The interface goes with its last descriptor. */
  readonly fd: number;
  /** The interface's name. */
  readonly name: string;
}

/**
 * Creates the interface `name`, in which `%d` stands for the lowest free number. It is down and has no address. Throws
 * TunDeviceFailed.
 */
export function openTunDevice(name: string): TunDevice {
  if (name === '' || name.length > MAX_NAME) throw new TunDeviceFailed(`create the interface '${name}'`, 'EINVAL');
  const fd = openDevice();
  try {
    const request = Buffer.alloc(IFREQ_LENGTH);
    request.write(name, 'latin1');
    request.writeUInt16LE(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL, IFREQ_FLAGS_AT);
    done(ioctl(fd, TUNSETIFF, 'void *', request), `create the interface ${name}`);
    const length = Buffer.alloc(4);
    length.writeInt32LE(OFFLOAD_HEADER);
    done(ioctl(fd, TUNSETVNETHDRSZ, 'void *', length), 'set the length of the offload header');
    done(ioctlValue(fd, TUNSETOFFLOAD, 'unsigned long', OFFLOADS), 'turn on segmentation offload');
    return { fd, name: request.toString('latin1', 0, request.indexOf(0)) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openDevice(): number {
  try {
    return openSync(DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw new TunDeviceFailed(`open ${DEVICE}`, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

function done(result: number, step: string): void {
  if (result < 0) throw new TunDeviceFailed(step, lastErrorName());
}
