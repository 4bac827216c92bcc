/** File descriptors: what Node's fs does not offer. Each call returns -1 on an error. */
import { libc } from './libc.js';

// fcntl.h
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const O_NONBLOCK = 0o4000;
/** Descriptors 0 to 2 stay what they are. */
const FIRST_DESCRIPTOR = 3;

const fcntl: (fd: number, command: number, type: 'int', argument: number) => number = libc.func(
  'int fcntl(int fd, int command, ...)',
);

export const close: (fd: number) => number = libc.func('close', 'int', ['int']);

/** Another descriptor of the same open file, closed by exec. */
export const duplicate = (fd: number): number => fcntl(fd, F_DUPFD_CLOEXEC, 'int', FIRST_DESCRIPTOR);

/** Makes reads and writes return EAGAIN instead of waiting. */
export const setNonBlocking = (fd: number): number =>
  fcntl(fd, F_SETFL, 'int', fcntl(fd, F_GETFL, 'int', 0) | O_NONBLOCK);
