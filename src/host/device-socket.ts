/**
 * A TCP socket that is bound to a network device (a VRF) before it listens. Node cannot set SO_BINDTODEVICE, so the
 * socket is made here and listened on by its descriptor; what it accepts is bound to the device as well.
 */
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;
const SOCKADDR_IN_SIZE = 16;

const libc = koffi.load('libc.so.6');
const socket = libc.func('socket', 'int', ['int', 'int', 'int']);
const setsockopt = libc.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'int']);
const bind = libc.func('bind', 'int', ['int', 'void *', 'int']);
const close = libc.func('close', 'int', ['int']);
const strerror = libc.func('strerror', 'const char *', ['int']);

/**
 * A descriptor bound to `device` and `address:port`, to listen on. Throws what the system says, with what failed and
 * the error code.
 */
export function boundToDevice(device: string, address: string, port: number): number {
  const fd: number = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const check = (result: number, what: string): void => {
    if (result >= 0) return;
    const errno = koffi.errno();
    if (fd >= 0) close(fd);
    throw Object.assign(new Error(`${what}: ${strerror(errno)}`), { code: getSystemErrorName(-errno) });
  };
  check(fd, 'cannot open a TCP socket');
  const yes = Buffer.from([1, 0, 0, 0]);
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, yes, yes.length), 'SO_REUSEADDR');
  const name = Buffer.from(`${device}\0`, 'latin1');
  check(
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length),
    `cannot bind to the device ${device} (listen.vrf)`,
  );
  const socketAddress = Buffer.alloc(SOCKADDR_IN_SIZE);
  socketAddress.writeUInt16LE(AF_INET, 0);
  socketAddress.writeUInt16BE(port, 2);
  socketAddress.set(address.split('.').map(Number), 4);
  check(bind(fd, socketAddress, socketAddress.length), `cannot bind to ${address}:${port} on ${device}`);
  return fd;
}
