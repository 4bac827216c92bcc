/** Raw IP sockets: the package raw-socket opens them, and the rest of the program uses the descriptor. */
import { readdirSync } from 'node:fs';
import raw from 'raw-socket';
import { duplicate } from './descriptor.js';
import { checked } from './libc.js';
import { readOption, setIntOption, SOL_SOCKET } from './socket.js';
import { messageOf } from './thrown.js';

// asm-generic/socket.h
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_COOKIE = 57;
const COOKIE_LENGTH = 8;

export const IPPROTO_GRE = 47;
/** How much the kernel may queue while this process is not running, octets; the kernel doubles both values. */
const RECEIVE_BUFFER = 1024 * 1024;
const SEND_BUFFER = 512 * 1024;

/** raw-socket could not open the socket. The message is the system's. */
export class RawSocketRefused extends Error {}

/**
 * Returns the descriptor of a raw socket for an IP protocol, with close-on-exec set. Without CAP_NET_ADMIN its buffers are as
 * long as net.core.rmem_max and wmem_max allow, which is a fifth by default. Throws RawSocketRefused without
 * root or CAP_NET_RAW, and SystemCallFailed when this process has too many open files.
 */
export function openRawSocket(protocol: number): number {
  const socket = newSocket(protocol);
  try {
    // raw-socket stops polling its descriptor on the first ICMP error, so use a duplicate of it.
    const fd = checked(duplicate(descriptorOf(socket)), 'duplicate the raw socket');
    setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
    setBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
    return fd;
  } finally {
    socket.close();
  }
}

function setBuffer(fd: number, force: number, option: number, octets: number): void {
  if (setIntOption(fd, SOL_SOCKET, force, octets) < 0) setIntOption(fd, SOL_SOCKET, option, octets);
}

function newSocket(protocol: number): raw.Socket {
  try {
    return new raw.Socket({ protocol, bufferSize: 1 });
  } catch (error) {
    throw new RawSocketRefused(messageOf(error), { cause: error });
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
