/**
 * Binds a TCP socket to a network device (a VRF) before it listens. Node cannot set SO_BINDTODEVICE, so the socket is
 * opened here and Node listens on its descriptor. Accepted sockets are bound to the device as well.
 */
import { close } from './descriptor.js';
import { checked } from './libc.js';
import {
  AF_INET,
  bind,
  bindToDevice,
  internetAddress,
  openSocket,
  setIntOption,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from './socket.js';

const SO_REUSEADDR = 2;

/** Returns a descriptor bound to `device` and `address:port`, to listen on. Throws SystemCallFailed. */
export function boundToDevice(device: string, address: string, port: number): number {
  const fd = checked(openSocket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'open a TCP socket');
  try {
    checked(setIntOption(fd, SOL_SOCKET, SO_REUSEADDR, 1), 'set SO_REUSEADDR');
    checked(bindToDevice(fd, device), `bind to the device ${device} (listen.vrf)`);
    const socketAddress = internetAddress(address, port);
    checked(bind(fd, socketAddress, socketAddress.length), `bind to ${address}:${port} on ${device}`);
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}
