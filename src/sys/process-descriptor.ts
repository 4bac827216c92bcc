/** Learns of the end of any process by a descriptor (pidfd_open(2)), which is readable from then on. */
import { close } from './descriptor.js';
import { checked, libc } from './libc.js';
import { Poller } from './poller.js';

/** The same number on every architecture. */
const PIDFD_OPEN = 434;

const syscall: (number: number, typeOfPid: 'int', pid: number, typeOfFlags: 'uint', flags: number) => number =
  libc.func('long syscall(long number, ...)');

/**
 * Calls `onEnd` once when the process has ended; returns a function that stops watching, which is idempotent. Throws
 * SystemCallFailed: ESRCH when there is no such process, ENOSYS before Linux 5.3.
 */
export function watchProcess(pid: number, onEnd: () => void): () => void {
  const fd = checked(syscall(PIDFD_OPEN, 'int', pid, 'uint', 0), `watch the process ${pid}`);
  let watches = true;
  const stop = (): void => {
    if (!watches) return;
    watches = false;
    poller.close();
    close(fd);
  };
  const poller = new Poller(() => {
    if (!watches) return;
    stop();
    onEnd();
  });
  poller.watch(fd, true, false);
  return stop;
}
