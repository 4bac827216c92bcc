/**
 * Unix sockets that keep the limits of messages (SOCK_SEQPACKET, unix(7)), which Node does not have: who is at the other
 * end is known for certain, and a message can carry descriptors.
 */
import { constants } from 'node:os';
import koffi from './koffi.js';
import { close } from './descriptor.js';
import { checked, lastErrno, libc } from './libc.js';
import {
  AF_UNIX,
  bind,
  connect,
  openSocket,
  readOption,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  unixAddress,
} from './socket.js';

// sys/socket.h, asm-generic/socket.h
const SOCK_SEQPACKET = 5;
const SO_TYPE = 3;
const SO_PEERCRED = 17;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SCM_RIGHTS = 1;
/** struct cmsghdr, with descriptors behind it. */
const LEVEL_AT = 8;
const TYPE_AT = 12;
const DESCRIPTORS_AT = 16;
const DESCRIPTOR = 4;
/** Descriptors that come with one message. */
const MAX_DESCRIPTORS = 4;
const controlLength = (count: number): number => DESCRIPTORS_AT + DESCRIPTOR * count;
/** CMSG_SPACE: whole words of 8 octets. */
const controlSpace = (count: number): number => (controlLength(count) + 7) & ~7;

const vector = koffi.struct({ base: 'void *', length: 'size_t' });
const message = koffi.struct({
  name: 'void *',
  nameLength: 'uint32_t',
  vectors: koffi.pointer(vector),
  vectorCount: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
});
interface Message {
  readonly name: null;
  readonly nameLength: 0;
  readonly vectors: readonly { readonly base: Uint8Array; readonly length: number }[];
  readonly vectorCount: 1;
  readonly control: Uint8Array | null;
  readonly controlLength: number;
  readonly flags: 0;
}
const sendmsg: (fd: number, message: Message, flags: number) => number = libc.func('sendmsg', 'int64_t', [
  'int',
  koffi.pointer(message),
  'int',
]);
const recvmsg: (fd: number, message: Message, flags: number) => number = libc.func('recvmsg', 'int64_t', [
  'int',
  koffi.inout(koffi.pointer(message)),
  'int',
]);
const listen: (fd: number, backlog: number) => number = libc.func('listen', 'int', ['int', 'int']);
const accept4: (fd: number, address: null, length: null, flags: number) => number = libc.func('accept4', 'int', [
  'int',
  'void *',
  'void *',
  'int',
]);

const { EAGAIN, ECONNRESET, EINTR } = constants.errno;

const messageHeader = (octets: Uint8Array, control: Uint8Array | null): Message => ({
  name: null,
  nameLength: 0,
  vectors: [{ base: octets, length: octets.length }],
  vectorCount: 1,
  control,
  controlLength: control?.length ?? 0,
  flags: 0,
});

const open = (): number =>
  checked(openSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'open a unix socket');

/** Calls `step` for an address, with a new socket; closes it when that fails. Throws SystemCallFailed. */
function openAt(path: string, step: (fd: number, address: Uint8Array) => void): number {
  const address = unixAddress(path);
  const fd = open();
  try {
    step(fd, address);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Returns a descriptor that listens at `path`, where nothing may lie; its mode is the umask's. Throws SystemCallFailed. */
export const listenSeqpacket = (path: string, backlog: number): number =>
  openAt(path, (fd, address) => {
    checked(bind(fd, address, address.length), `bind to ${path}`);
    checked(listen(fd, backlog), `listen at ${path}`);
  });

/** Returns a connected descriptor. Throws SystemCallFailed: EAGAIN when too many others wait to be accepted. */
export const connectSeqpacket = (path: string): number =>
  openAt(path, (fd, address) => void checked(connect(fd, address, address.length), `connect to ${path}`));

const socketpair: (family: number, type: number, protocol: number, fds: Int32Array) => number = libc.func(
  'socketpair',
  'int',
  ['int', 'int', 'int', 'void *'],
);

/** Two connected descriptors, one for a child process. Throws SystemCallFailed. */
export function seqpacketPair(): { readonly ours: number; readonly theirs: number } {
  const fds = new Int32Array(2);
  const type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
  checked(socketpair(AF_UNIX, type, 0, fds), 'open a pair of unix sockets');
  const [ours = -1, theirs = -1] = fds;
  return { ours, theirs };
}

/** Whether the descriptor is a socket of this kind. */
export function isSeqpacket(fd: number): boolean {
  const type = Buffer.alloc(4);
  return readOption(fd, SOL_SOCKET, SO_TYPE, type) === 0 && type.readInt32LE() === SOCK_SEQPACKET;
}

/** The next connection of a listening socket; null when there is none. */
export function acceptSeqpacket(fd: number): number | null {
  const accepted = accept4(fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return accepted < 0 ? null : accepted;
}

/** The process that connected, or that called listen(2): as it was then. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
}

export function peerCredentials(fd: number): Credentials {
  const octets = Buffer.alloc(12);
  checked(readOption(fd, SOL_SOCKET, SO_PEERCRED, octets), 'identify the peer of a unix socket');
  return { pid: octets.readInt32LE(0), uid: octets.readUInt32LE(4) };
}

/** Sends one message, and with it duplicates of up to MAX_DESCRIPTORS `descriptors`. `full`: the other end reads nothing. */
export function sendPacket(
  fd: number,
  octets: Uint8Array,
  descriptors: readonly number[] = [],
): 'sent' | 'full' | 'closed' {
  const control = descriptors.length === 0 ? null : Buffer.alloc(controlSpace(descriptors.length));
  if (control !== null) {
    control.writeBigUInt64LE(BigInt(controlLength(descriptors.length)), 0);
    control.writeInt32LE(SOL_SOCKET, LEVEL_AT);
    control.writeInt32LE(SCM_RIGHTS, TYPE_AT);
    for (const [index, descriptor] of descriptors.entries())
      control.writeInt32LE(descriptor, DESCRIPTORS_AT + DESCRIPTOR * index);
  }
  if (sendmsg(fd, messageHeader(octets, control), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return 'sent';
  return lastErrno() === EAGAIN ? 'full' : 'closed';
}

/** Octets of one message: `length` is its whole length, which may exceed that of `into`. */
export interface Packet {
  readonly length: number;
  readonly descriptors: readonly number[];
}

/** The next message; null when there is none yet. Descriptors that come with it are dropped, unless `withDescriptors`. */
export function receivePacket(fd: number, into: Uint8Array, withDescriptors: boolean): Packet | 'closed' | null {
  const control = withDescriptors ? Buffer.alloc(controlSpace(MAX_DESCRIPTORS)) : null;
  const receive = (): number => recvmsg(fd, messageHeader(into, control), MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
  let length = receive();
  // The other end has closed without reading everything; what it has said before comes after the error.
  if (length < 0 && lastErrno() === ECONNRESET) length = receive();
  if (length < 0) {
    const errno = lastErrno();
    return errno === EAGAIN || errno === EINTR ? null : 'closed';
  }
  if (length === 0) return 'closed';
  return { length, descriptors: control === null ? [] : descriptorsOf(control) };
}

/**
 * Calls `recv` with the length of each message that waits, up to `most`: what is left makes the descriptor readable again, when
 * others have had their turn. Returns whether the other end is still open. Descriptors that come with messages are dropped.
 */
export function receivePackets(fd: number, into: Uint8Array, most: number, recv: (length: number) => void): boolean {
  for (let count = 0; count < most; count += 1) {
    const packet = receivePacket(fd, into, false);
    if (packet === 'closed') return false;
    if (packet === null) return true;
    recv(packet.length);
  }
  return true;
}

function descriptorsOf(control: Buffer): readonly number[] {
  if (control.readInt32LE(LEVEL_AT) !== SOL_SOCKET || control.readInt32LE(TYPE_AT) !== SCM_RIGHTS) return [];
  const count = (Number(control.readBigUInt64LE(0)) - DESCRIPTORS_AT) / DESCRIPTOR;
  return Array.from({ length: count }, (_, index) => control.readInt32LE(DESCRIPTORS_AT + DESCRIPTOR * index));
}
