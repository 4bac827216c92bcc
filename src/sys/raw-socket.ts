/** Raw IP sockets: opened by the package raw-socket, and from then on used by their descriptor. */
import { readdirSync } from 'node:fs';
import raw from 'raw-socket';
import { duplicate } from './descriptor.js';
import { checked } from './libc.js';
import { readOption, SOL_SOCKET } from './socket.js';

const SO_COOKIE = 57;
const COOKIE_LENGTH = 8;

/** raw-socket could not open the socket; its message is what the system said. */
export class RawSocketRefused extends Error {}

/**
 * The descriptor of a raw socket for an IP protocol, closed by exec. Throws RawSocketRefused without root or CAP_NET_RAW,
 * SystemCallFailed where this process may open no more files.
 */
export function openRawSocket(protocol: number): number {
  const socket = newSocket(protocol);
  try {
    // raw-socket polls its own descriptor, and ends that on the first ICMP error: ours is another one of the same socket.
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

/** raw-socket does not tell its descriptor; the kernel's cookie identifies it among ours. */
function descriptorOf(socket: raw.Socket): number {
  const wanted = Buffer.alloc(COOKIE_LENGTH);
  socket.getOption(SOL_SOCKET, SO_COOKIE, wanted, COOKIE_LENGTH);
  const cookie = Buffer.alloc(COOKIE_LENGTH);
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (readOption(fd, SOL_SOCKET, SO_COOKIE, cookie) === 0 && cookie.equals(wanted)) return fd;
  }
  throw new Error('the descriptor of the raw socket is not among those in /proc/self/fd');
}
