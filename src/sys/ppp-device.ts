/**
 * The kernel's PPP (Documentation/networking/ppp_generic.rst) over its PPTP driver: a socket of a call, the channel of that
 * socket, and a unit, which is a network interface. Root opens and connects the three; who holds their descriptors sets what
 * PPP has agreed, and reads and writes control frames. Steps throw SystemCallFailed.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { endianness } from 'node:os';
import koffi from 'koffi';
import { close } from './descriptor.js';
import { checked, errnoName, lastErrno, libc, SystemCallFailed } from './libc.js';
import { attachFilter, bind, bindToDevice, connect, openSocket, SOCK_CLOEXEC, SOCK_STREAM } from './socket.js';
import type { Instruction } from './packet-filter.js';

const DEVICE = '/dev/ppp';

// linux/if_pppox.h
const AF_PPPOX = 24;
const PX_PROTO_PPTP = 2;
/** struct sockaddr_pppox, which is packed. */
const ADDRESS_LENGTH = 30;
const PROTOCOL_AT = 2;
const CALL_ID_AT = 6;
const INTERNET_ADDRESS_AT = 10;

// linux/ppp-ioctl.h
const PPPIOCGCHAN = 0x80047437;
const PPPIOCATTCHAN = 0x40047438;
const PPPIOCCONNECT = 0x4004743a;
const PPPIOCNEWUNIT = 0xc004743e;
const PPPIOCSNPMODE = 0x4008744b;
const PPPIOCSCOMPRESS = 0x4010744d;
const PPPIOCSMRU = 0x40047452;
const PPPIOCSFLAGS = 0x40047459;
const PPPIOCGFLAGS = 0x8004745a;
/**
 * What a process needs that has the descriptors of a tunnel. Others would connect its channel to the interface or the channel of
 * somebody else's tunnel.
 */
export const TUNNEL_REQUESTS = [PPPIOCSNPMODE, PPPIOCSCOMPRESS, PPPIOCSMRU, PPPIOCSFLAGS, PPPIOCGFLAGS] as const;

/** Flags of a channel (the first two) and of a unit. */
export const PPP_FLAGS = {
  /** Protocol field compression, address and control field compression, of what is sent. */
  compressProtocol: 0x1,
  compressAddress: 0x2,
  /** CCP negotiates: the kernel looks at its packets. */
  ccpOpen: 0x40,
  ccpUp: 0x80,
  /** Read only: what is sent is encrypted; what is received is decrypted. */
  compressing: 0x1000,
  decompressing: 0x2000,
  /** Nothing is sent before CCP is up. */
  mustCompress: 0x0040_0000,
  /** Read only: the decompressor has given up. */
  decompressionFailed: 0x0080_0000,
} as const;

/** enum NPmode. */
const PROTOCOL_MODES = { pass: 0, drop: 1 } as const;
/** A first unit number that nobody uses is sought up to here, where an old kernel does not avoid names in use. */
const MAX_UNITS = 4096;

const ioctl: (fd: number, request: number, type: 'void *', argument: Uint8Array) => number = libc.func(
  'int ioctl(int fd, unsigned long request, ...)',
);
const readInto: (fd: number, into: Uint8Array, length: number) => number = libc.func('read', 'int64_t', [
  'int',
  'void *',
  'size_t',
]);
const writeFrom: (fd: number, from: Uint8Array, length: number) => number = libc.func('write', 'int64_t', [
  'int',
  'void *',
  'size_t',
]);
/** struct ppp_option_data. */
const optionData = koffi.struct({ option: 'void *', length: 'uint32_t', transmit: 'int' });
const setOption: (
  fd: number,
  request: number,
  type: unknown,
  argument: { readonly option: Uint8Array; readonly length: number; readonly transmit: number },
) => number = libc.func('int ioctl(int fd, unsigned long request, ...)');

function withNumber(fd: number, request: number, value: number, step: string): number {
  const argument = Buffer.alloc(4);
  argument.writeInt32LE(value);
  checked(ioctl(fd, request, 'void *', argument), step);
  return argument.readInt32LE(0);
}

/** The two ends of a call; `device`: the VRF in which they are. */
export interface PptpCall {
  readonly localAddress: string;
  readonly localCallId: number;
  readonly peerAddress: string;
  readonly peerCallId: number;
  readonly device: string | null;
}

export interface KernelTunnel {
  /** The interface's name: `ppp` and the unit's number. */
  readonly name: string;
  /** Close-on-exec; channel and unit are non-blocking. Interface and call end with the last descriptors of unit and socket. */
  readonly socket: number;
  readonly channel: number;
  readonly unit: number;
}

/**
 * Needs CAP_NET_ADMIN. The interface is down. EBUSY: a call of this kernel, in whatever network namespace, has the local call
 * id; EALREADY: one has the peer's call id and address.
 */
export function openKernelTunnel(call: PptpCall): KernelTunnel {
  const opened: number[] = [];
  const keep = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  try {
    const socket = keep(openCall(call));
    const number = withNumber(socket, PPPIOCGCHAN, 0, 'find the PPP channel of the call');
    const channel = keep(openDevice());
    withNumber(channel, PPPIOCATTCHAN, number, 'attach the PPP channel');
    const unit = keep(openDevice());
    const unitNumber = newUnit(unit);
    // While the interface is down it drops what comes.
    withNumber(channel, PPPIOCCONNECT, unitNumber, 'connect the PPP channel');
    return { name: `ppp${unitNumber}`, socket, channel, unit };
  } catch (error) {
    for (const fd of opened) close(fd);
    throw error;
  }
}

function openCall({ localAddress, localCallId, peerAddress, peerCallId, device }: PptpCall): number {
  const fd = checked(openSocket(AF_PPPOX, SOCK_STREAM | SOCK_CLOEXEC, PX_PROTO_PPTP), "open the kernel's PPTP socket");
  try {
    if (device !== null) checked(bindToDevice(fd, device), `bind the call to the device ${device}`);
    const [local, peer] = [callAddress(localAddress, localCallId), callAddress(peerAddress, peerCallId)];
    checked(bind(fd, local, local.length), `take call id ${localCallId} in the kernel`);
    checked(connect(fd, peer, peer.length), `connect to call ${peerCallId} of ${peerAddress} in the kernel`);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function callAddress(dotted: string, callId: number): Buffer {
  const address = Buffer.alloc(ADDRESS_LENGTH);
  address.writeUInt16LE(AF_PPPOX, 0);
  address.writeUInt32LE(PX_PROTO_PPTP, PROTOCOL_AT);
  address.writeUInt16LE(callId, CALL_ID_AT);
  address.set(dotted.split('.').map(Number), INTERNET_ADDRESS_AT);
  return address;
}

function openDevice(): number {
  try {
    // Node sets O_CLOEXEC.
    return openSync(DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw new SystemCallFailed(`open ${DEVICE}`, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** Kernels before 5.18 fail where an interface of another kind, as a TUN device, has the name of the next unit. */
function newUnit(fd: number): number {
  const step = 'create a PPP interface';
  for (let number = -1; ; number += 1) {
    try {
      return withNumber(fd, PPPIOCNEWUNIT, number, step);
    } catch (error) {
      if (!(error instanceof SystemCallFailed) || error.code !== 'EEXIST' || number === MAX_UNITS) throw error;
    }
  }
}

/** All the flags of a channel or a unit: a sum of PPP_FLAGS. */
export const setPppFlags = (fd: number, flags: number): void =>
  void withNumber(fd, PPPIOCSFLAGS, flags, 'set flags of PPP');

/** Also those of PPP_FLAGS that are read only. */
export const pppFlags = (fd: number): number => withNumber(fd, PPPIOCGFLAGS, 0, 'read the flags of PPP');

/** The longest packet that is decrypted, octets. */
export const setReceiveUnit = (unit: number, octets: number): void =>
  void withNumber(unit, PPPIOCSMRU, octets, 'set the MRU');

/** Whether packets of a network protocol pass, both ways. `protocol`: its PPP number. */
export function setProtocolMode(unit: number, protocol: number, mode: keyof typeof PROTOCOL_MODES): void {
  const argument = Buffer.alloc(8);
  argument.writeInt32LE(protocol, 0);
  argument.writeInt32LE(PROTOCOL_MODES[mode], 4);
  checked(ioctl(unit, PPPIOCSNPMODE, 'void *', argument), 'set the mode of a network protocol');
}

/**
 * Makes a compressor (`transmit`) or a decompressor of what CCP negotiates: its option, and what the module wants to have
 * behind it. It works from the Configure-Ack on that passes while CCP is open and not up.
 */
export function setCompressor(unit: number, option: Uint8Array, transmit: boolean): void {
  const argument = { option, length: option.length, transmit: Number(transmit) };
  checked(
    setOption(unit, PPPIOCSCOMPRESS, koffi.pointer(optionData), argument),
    `prepare the ${transmit ? 'encryption' : 'decryption'} of the kernel's PPP`,
  );
}

/** Restricts which GRE packets reach the kernel's call. `program` sees a packet from its GRE header on. */
export const filterCall = (socket: number, program: readonly Instruction[]): void =>
  void checked(attachFilter(socket, program), "filter the packets of the kernel's PPTP socket");

/**
 * One frame, from its protocol field, of two octets, on. Returns its length; null when there is none; `ended`: the other side
 * of the descriptor is gone.
 */
export function readFrame(fd: number, into: Uint8Array): number | 'ended' | null {
  const length = readInto(fd, into, into.length);
  if (length > 0) return length;
  if (length === 0) return 'ended';
  const code = errnoName(lastErrno());
  // EOVERFLOW: it was longer, and is gone.
  return code === 'EAGAIN' || code === 'EINTR' || code === 'EOVERFLOW' ? null : 'ended';
}

/** Sends a frame, from its protocol field, of two octets, on. false: the kernel has not taken it. */
export const writeFrame = (fd: number, frame: Uint8Array): boolean => writeFrom(fd, frame, frame.length) >= 0;

/** Closes what `openKernelTunnel` has opened. The interface goes first, so that nothing is sent to a call that has ended. */
export function closeKernelTunnel({ socket, channel, unit }: KernelTunnel): void {
  for (const fd of [unit, channel, socket]) closeSync(fd);
}

if (endianness() !== 'LE') throw new Error('the structures of the kernel are laid out for a little-endian machine');
