/** Protects a process from others of the same user, which the kernel otherwise trusts with each other. */
import { checked, libc } from './libc.js';

/** sys/prctl.h */
const PR_SET_DUMPABLE = 4;

const prctl: (option: number, type: 'ulong', argument: number) => number = libc.func('int prctl(int option, ...)');

/**
 * Others can no longer read or change this process's memory (ptrace(2), /proc/PID/mem), nor take its descriptors
 * (pidfd_getfd(2)). It lasts until the process executes another program. There will be no core dump.
 */
export function closeToOthers(): void {
  checked(prctl(PR_SET_DUMPABLE, 'ulong', 0), 'close this process to others of its user');
}
