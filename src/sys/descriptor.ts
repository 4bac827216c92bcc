/** File descriptor calls that Node's fs lacks. Each returns -1 on an error. */
import { libc } from './libc.js';

// fcntl.h
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const O_NONBLOCK = 0o4000;
/** Duplicates never replace descriptors 0 to 2. */
const FIRST_DESCRIPTOR = 3;

const fcntl: (fd: number, command: number, type: 'int', argument: number) => number = libc.func(
  'int fcntl(int fd, int command, ...)',
);

export const close: (fd: number) => number = libc.func('close', 'int', ['int']);

/** Returns another descriptor of the same open file, with close-on-exec set. */
export const duplicate = (fd: number): number => fcntl(fd, F_DUPFD_CLOEXEC, 'int', FIRST_DESCRIPTOR);

/** Makes reads and writes return EAGAIN instead of blocking. */
export const setNonBlocking = (fd: number): number =>
  fcntl(fd, F_SETFL, 'int', fcntl(fd, F_GETFL, 'int', 0) | O_NONBLOCK);
