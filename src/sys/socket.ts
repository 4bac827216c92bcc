/** Socket types and options that Node does not support. Each call returns -1 on an error. */
import { endianness } from 'node:os';
import koffi from './koffi.js';
import { libc } from './libc.js';
import { encodeFilter, type Instruction } from './packet-filter.js';

// sys/socket.h, asm-generic/socket.h
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;

const filterProgram = koffi.struct({ length: 'uint16_t', instructions: 'void *' });
const setFilter: (
  fd: number,
  level: number,
  option: number,
  program: { length: number; instructions: Buffer },
  length: number,
) => number = libc.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(filterProgram), 'uint32_t']);

export const openSocket: (family: number, type: number, protocol: number) => number = libc.func('socket', 'int', [
  'int',
  'int',
  'int',
]);

const address = (name: string): ((fd: number, address: Uint8Array, length: number) => number) =>
  libc.func(name, 'int', ['int', 'void *', 'uint32_t']);

export const bind = address('bind');
export const connect = address('connect');

const recv: (fd: number, into: Uint8Array, length: number, flags: number) => number = libc.func('recv', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);

/** Receives one datagram, cut to the length of `into`; returns its length in octets. */
export const receive = (fd: number, into: Uint8Array): number => recv(fd, into, into.length, 0);

const sendOctets: (fd: number, from: Uint8Array, length: number, flags: number) => number = libc.func(
  'send',
  'int64_t',
  ['int', 'void *', 'size_t', 'int'],
);

/** Sends one datagram to the peer of a connected socket. */
export const send = (fd: number, octets: Uint8Array): number => sendOctets(fd, octets, octets.length, 0);

const setOption: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number = libc.func(
  'setsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'uint32_t'],
);
const getOption: (fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array) => number =
  libc.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']);

/** Sets an option whose value is an int. */
export function setIntOption(fd: number, level: number, option: number, value: number): number {
  const octets = Buffer.alloc(4);
  octets.writeInt32LE(value);
  return setOption(fd, level, option, octets, octets.length);
}

/** Reads a whole option into `value`, which is unchanged on an error. */
export const readOption = (fd: number, level: number, option: number, value: Uint8Array): number =>
  getOption(fd, level, option, value, Uint32Array.of(value.length));

/** Binds a socket to a network device, such as a VRF. */
export function bindToDevice(fd: number, device: string): number {
  const name = Buffer.from(`${device}\0`, 'latin1');
  return setOption(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length);
}

/** Attaches `program` to a socket, which then receives only the packets that the program accepts. */
export function attachFilter(fd: number, program: readonly Instruction[]): number {
  const value = { length: program.length, instructions: encodeFilter(program) };
  return setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, value, koffi.sizeof(filterProgram));
}

/** Encodes a dotted address and port as struct sockaddr_in. */
export function internetAddress(dotted: string, port = 0): Buffer {
  const octets = Buffer.alloc(16);
  octets.writeUInt16LE(AF_INET, 0);
  octets.writeUInt16BE(port, 2);
  octets.set(dotted.split('.').map(Number), 4);
  return octets;
}

/** Size of sun_path in sockaddr_un, and of the field before it. */
const PATH_SIZE = 108;
const FAMILY_SIZE = 2;

/** Encodes a path, or an abstract name written with a leading @, as sockaddr_un. Throws for anything else. */
export function unixAddress(path: string): Buffer {
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
