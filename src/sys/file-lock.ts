/** Advisory locks of whole files (flock(2)). The kernel releases one when its descriptor is closed, or its process ends. */
import { lastErrorName, libc, SystemCallFailed } from './libc.js';

// sys/file.h
const LOCK_EX = 2;
const LOCK_NB = 4;

const flock: (fd: number, operation: number) => number = libc.func('flock', 'int', ['int', 'int']);

/** Whether the lock was free; it is then this process's. Throws SystemCallFailed if the file system has no locks. */
export function tryToLock(fd: number): boolean {
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  const code = lastErrorName();
  // EAGAIN and EWOULDBLOCK are one number on Linux.
  if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return false;
  throw new SystemCallFailed('lock a file', code);
}
