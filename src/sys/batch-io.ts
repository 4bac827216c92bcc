/**
 * Reads, writes and batches of datagrams on addresses in a SharedMemory, without an object per call. Addresses fit into
 * a number, since user space ends below 2^47. A call returns -1 on an error; `lastError` then tells which.
 */
import { constants } from 'node:os';
import { lastErrno, libc } from './libc.js';

// sys/socket.h
export const MSG_DONTWAIT = 0x40;

type Transfer = (fd: number, address: number, length: number) => number;

const transfer = (name: string): Transfer => libc.func(name, 'int64_t', ['int', 'uintptr_t', 'size_t']);

export const read = transfer('read');
export const write = transfer('write');
/** Writes from `count` vectors (struct iovec) at an address. */
export const writev: (fd: number, vectors: number, count: number) => number = libc.func('writev', 'int64_t', [
  'int',
  'uintptr_t',
  'int',
]);

export const recvmmsg: (fd: number, messages: number, count: number, flags: number, timeout: number) => number =
  libc.func('recvmmsg', 'int', ['int', 'uintptr_t', 'uint32_t', 'int', 'uintptr_t']);

export const sendmmsg: (fd: number, messages: number, count: number, flags: number) => number = libc.func(
  'sendmmsg',
  'int',
  ['int', 'uintptr_t', 'uint32_t', 'int'],
);

const { EAGAIN, EBADF, EINTR, EINVAL, EIO, ENOBUFS, ENOMEM, ENOTSOCK } = constants.errno;

/**
 * What an error means to the caller. `wouldBlock`: try later. `queueFull`: a kernel queue is full. `hungUp`: the other
 * end of the terminal is closed. `broken`: the descriptor is unusable. `icmpError`: every other error, which an ICMP
 * message about the peer caused and which is reported once.
 */
export type TransferError = 'wouldBlock' | 'queueFull' | 'hungUp' | 'broken' | 'icmpError';

/** The error of the last call, which returned -1. */
export function lastError(): TransferError {
  switch (lastErrno()) {
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
      return 'icmpError';
  }
}
