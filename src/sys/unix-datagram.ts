/**
 * Sends datagrams to a unix socket, which Node cannot do: service managers listen on one (sd_notify(3)). Load this file
 * only where it is needed, because koffi takes 2 MiB.
 */
import { endianness } from 'node:os';
import { checked, lastErrorName, libc } from './libc.js';
import { AF_UNIX, openSocket, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from './socket.js';

const MSG_NOSIGNAL = 0x4000;
/** Size of sun_path in sockaddr_un, and of the field before it. */
const PATH_SIZE = 108;
const FAMILY_SIZE = 2;

const sendto = libc.func('sendto', 'int64_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t']);

/** Encodes a path, or an abstract name written with a leading @, as sockaddr_un. Throws for anything else. */
function unixAddress(path: string): Buffer {
  const abstract = path.startsWith('@');
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > PATH_SIZE || name.length < 2 || !(abstract || path.startsWith('/'))) {
    throw new Error(`not a unix socket address (a path or @NAME): ${path}`);
  }
  const family = Buffer.alloc(FAMILY_SIZE);
  if (endianness() === 'LE') family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, name]);
}

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
