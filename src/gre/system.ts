/**
 * The system calls that Node, raw-socket and node-pty do not offer, through koffi (some 300 ns a call). Addresses are
 * numbers: user space ends below 2^47. A call returns -1 on an error, which `lastError` then tells.
 */
import { constants, endianness } from 'node:os';
import koffi from 'koffi';

if (process.platform !== 'linux' || endianness() !== 'LE' || koffi.sizeof('void *') !== 8) {
  throw new Error('the GRE relay lays out system call arguments for 64-bit little-endian Linux, and this is not one');
}

const libc = koffi.load(null);

type Call<Arguments extends readonly number[]> = (...args: Arguments) => number;

/** A file descriptor's arguments: descriptor, address, length. */
type Transfer = [fd: number, address: number, length: number];

const transfer = (name: string): Call<Transfer> => libc.func(name, 'int64_t', ['int', 'uintptr_t', 'size_t']);
const address = (name: string): Call<Transfer> => libc.func(name, 'int', ['int', 'uintptr_t', 'uint32_t']);

export const socket: Call<[family: number, type: number, protocol: number]> = libc.func('socket', 'int', [
  'int',
  'int',
  'int',
]);
export const read = transfer('read');
export const write = transfer('write');
export const bind = address('bind');
export const connect = address('connect');

export const setsockopt: Call<[fd: number, level: number, option: number, value: number, length: number]> = libc.func(
  'setsockopt',
  'int',
  ['int', 'int', 'int', 'uintptr_t', 'uint32_t'],
);

export const getsockopt: Call<[fd: number, level: number, option: number, value: number, lengthAt: number]> = libc.func(
  'getsockopt',
  'int',
  ['int', 'int', 'int', 'uintptr_t', 'uintptr_t'],
);

export const recvmmsg: Call<[fd: number, messages: number, count: number, flags: number, timeout: number]> = libc.func(
  'recvmmsg',
  'int',
  ['int', 'uintptr_t', 'uint32_t', 'int', 'uintptr_t'],
);

export const sendmmsg: Call<[fd: number, messages: number, count: number, flags: number]> = libc.func(
  'sendmmsg',
  'int',
  ['int', 'uintptr_t', 'uint32_t', 'int'],
);

export const epollCreate: Call<[flags: number]> = libc.func('epoll_create1', 'int', ['int']);

export const epollControl: Call<[epoll: number, operation: number, fd: number, event: number]> = libc.func(
  'epoll_ctl',
  'int',
  ['int', 'int', 'int', 'uintptr_t'],
);

export const duplicateOver: Call<[fd: number, over: number, flags: number]> = libc.func('dup3', 'int', [
  'int',
  'int',
  'int',
]);

export const close: Call<[fd: number]> = libc.func('close', 'int', ['int']);

const fcntl: (fd: number, command: number, type: 'int', argument: number) => number = libc.func(
  'int fcntl(int fd, int command, ...)',
);
const memmove: (to: Uint8Array, from: Uint8Array, length: number) => number = libc.func('memmove', 'uintptr_t', [
  'void *',
  'void *',
  'size_t',
]);

// fcntl.h
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
/** Descriptors 0 to 2 stay what they are. */
const FIRST_DESCRIPTOR = 3;

/** Another descriptor of the same open file, closed by exec. */
export const duplicate = (fd: number): number => fcntl(fd, F_DUPFD_CLOEXEC, 'int', FIRST_DESCRIPTOR);

/** Makes reads and writes return EAGAIN instead of waiting. */
export const setNonBlocking = (fd: number): number =>
  fcntl(fd, F_SETFL, 'int', fcntl(fd, F_GETFL, 'int', 0) | O_NONBLOCK);

const tcgetattr: (fd: number, attributes: Uint8Array) => number = libc.func('tcgetattr', 'int', ['int', 'void *']);
const tcsetattr: (fd: number, when: number, attributes: Uint8Array) => number = libc.func('tcsetattr', 'int', [
  'int',
  'int',
  'void *',
]);
const cfmakeraw: (attributes: Uint8Array) => void = libc.func('cfmakeraw', 'void', ['void *']);
/** More than any libc's struct termios. */
const TERMIOS = 128;
const TCSANOW = 0;

/** Turns off what a terminal does to the octets that pass, echo and line editing among it. */
export function makeRaw(fd: number): void {
  const attributes = new Uint8Array(TERMIOS);
  tcgetattr(fd, attributes);
  cfmakeraw(attributes);
  tcsetattr(fd, TCSANOW, attributes);
}

/** Where `memory` lies, for system calls. It must never move: a WebAssembly memory whose size is fixed does not. */
export function addressOf(memory: ArrayBuffer): number {
  const octets = new Uint8Array(memory);
  // memmove returns its first argument.
  return memmove(octets, octets, 0);
}

const { EAGAIN, EBADF, EINTR, EINVAL, EIO, ENOBUFS, ENOMEM, ENOTSOCK } = constants.errno;

/**
 * What an error means to a relay: try later; a queue is full; the pty's other end is closed; the descriptor is of no
 * use any more. All else is what ICMP has said about the peer, told once and over.
 */
export type SystemError = 'wouldBlock' | 'queueFull' | 'hungUp' | 'broken' | 'told';

/** Of the call just made, which returned -1. */
export function lastError(): SystemError {
  switch (koffi.errno()) {
    case EAGAIN:
    case EINTR:
      return 'wouldBlock';
    case ENOBUFS:
    case ENOMEM:
      return 'queueFull';
    case EIO:
      return 'hungUp';
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
      return 'broken';
    default:
      return 'told';
  }
}

/** The name of the error of the call just made, as in errno(3). */
export function lastErrorName(): string {
  const code = koffi.errno();
  return Object.entries(constants.errno).find(([, value]) => value === code)?.[0] ?? `error ${code}`;
}
