/**
 * Sends datagrams to a unix socket, which Node cannot do: service managers listen on one (sd_notify(3)). Load this file
 * only where it is needed, because koffi takes 2 MiB.
 */
import { checked, lastErrorName, libc } from './libc.js';
import { AF_UNIX, openSocket, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, unixAddress } from './socket.js';

const MSG_NOSIGNAL = 0x4000;
const sendto = libc.func('sendto', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t']);

/**
 * Returns a function that sends one datagram to `path` without blocking, and returns null or the name of the error
 * (EAGAIN: the receiver's queue is full). Throws SystemCallFailed when the socket cannot be opened.
 */
export function datagramSender(path: string): (text: string) => string | null {
  const address = unixAddress(path);
  const fd = checked(openSocket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'open a unix socket');
  return (text) => {
    const datagram = Buffer.from(text);
    const sent: number = sendto(fd, datagram, datagram.length, MSG_NOSIGNAL, address, address.length);
    return sent < 0 ? lastErrorName() : null;
  };
}
