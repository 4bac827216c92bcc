/** Raw IP sockets: the package raw-socket opens them, and the rest of the program uses the descriptor. */
import { readdirSync } from 'node:fs';
import raw from 'raw-socket';
import { duplicate } from './descriptor.js';
import { checked } from './libc.js';
import { readOption, SOL_SOCKET } from './socket.js';

const SO_COOKIE = 57;
const COOKIE_LENGTH = 8;

/** raw-socket could not open the socket. The message is the system's. */
export class RawSocketRefused extends Error {}

/**
 * Returns the descriptor of a raw socket for an IP protocol, with close-on-exec set. Throws RawSocketRefused without
 * root or CAP_NET_RAW, and SystemCallFailed when this process has too many open files.
 */
export function openRawSocket(protocol: number): number {
  const socket = newSocket(protocol);
  try {
    // raw-socket stops polling its descriptor on the first ICMP error, so use a duplicate of it.
    return checked(duplicate(descriptorOf(socket)), 'duplicate the raw socket');
  } finally {
    socket.close();
  }
}

function newSocket(protocol: number): raw.Socket {
  try {
    return new raw.Socket({ protocol, bufferSize: 1 });
  } catch (error) {
    throw new RawSocketRefused(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** raw-socket does not reveal its descriptor; find it by the kernel's socket cookie. */
function descriptorOf(socket: raw.Socket): number {
  const wanted = Buffer.alloc(COOKIE_LENGTH);
  socket.getOption(SOL_SOCKET, SO_COOKIE, wanted, COOKIE_LENGTH);
  const cookie = Buffer.alloc(COOKIE_LENGTH);
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (readOption(fd, SOL_SOCKET, SO_COOKIE, cookie) === 0 && cookie.equals(wanted)) return fd;
  }
  throw new Error('cannot find the descriptor of the raw socket in /proc/self/fd');
}
