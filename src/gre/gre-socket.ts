/**
 * The GRE socket of one call, and the one wake-up that drives its relay. raw-socket opens the socket and polls it; what
 * it does not offer is done here on the descriptor.
 *
 * raw-socket ends its poll on the first error, and an ICMP message to a connected socket is one. So its descriptor is
 * given to an epoll set before libuv polls it for the first time; the socket itself lives on under a descriptor of ours
 * and is in the set, as is the pty. An epoll set is readable or not, and knows no error. (koffi's own poll would do
 * too, but it makes an object of every wake-up, costs 1 µs more, and leaves the listeners' promises waiting.)
 */
import { readdirSync } from 'node:fs';
import raw from 'raw-socket';
import { type RelayMemory, RECEIVE_BATCH } from './memory.js';
import { greFilter, writeFilter } from './socket-filter.js';
import {
  bind,
  close,
  connect,
  duplicate,
  duplicateOver,
  epollControl,
  epollCreate,
  getsockopt,
  lastErrorName,
  O_CLOEXEC,
  recvmmsg,
  setsockopt,
} from './system.js';

export const IPPROTO_GRE = 47;
// asm-generic/socket.h
export const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const SO_COOKIE = 57;
const COOKIE_LENGTH = 8;
/** Index of the dropped packets among SO_MEMINFO's words, and how many words there are. */
const MEMINFO_DROPS = 8;
const MEMINFO_WORDS = 9;
// sys/epoll.h
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 0x01;
const EPOLLOUT = 0x04;
const EPOLL_EVENT_LENGTH = 16;
// sys/socket.h
export const MSG_DONTWAIT = 0x40;
export const AF_INET = 2;
const SOCKADDR_LENGTH = 16;

/** What the kernel may hold of a burst while we are not running, octets of its accounting; it doubles the figure. */
const RECEIVE_BUFFER = 1024 * 1024;
const SEND_BUFFER = 512 * 1024;

/** Batches thrown away at the start, at most: the peer itself may be flooding. */
const MOST_DRAINED = 64;

export interface GreSocketOptions {
  readonly memory: RelayMemory;
  readonly localAddress: string;
  readonly peerAddress: string;
  /** The call id that packets for us carry. */
  readonly callId: number;
  /** The VRF's device. */
  readonly device: string | undefined;
}

/** raw-socket's socket with a readable event of our own. Its constructor binds `onRecvReady`. */
class WakeUp extends raw.Socket {
  ready: () => void = () => {};

  constructor() {
    super({ protocol: IPPROTO_GRE, bufferSize: 1 });
  }

  override onRecvReady(): void {
    this.ready();
  }
}

export class GreSocket {
  /** The socket's own descriptor. */
  readonly fd: number;
  readonly #memory: RelayMemory;
  readonly #wakeUp: WakeUp;
  readonly #epoll: number;
  readonly #watched = new Set<number>();
  #closed = false;
  #dropped = 0;

  /** Opens, filters, binds and connects. `ready` is called whenever a watched descriptor is. Throws a sentence. */
  constructor(options: GreSocketOptions, ready: () => void) {
    this.#memory = options.memory;
    try {
      this.#wakeUp = new WakeUp();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`cannot open a raw socket for GRE (IP protocol 47): ${why}; this needs root or CAP_NET_RAW`, {
        cause: error,
      });
    }
    this.#wakeUp.ready = ready;
    this.fd = -1;
    this.#epoll = -1;
    try {
      this.#epoll = this.#descriptorOf(this.#wakeUp);
      this.fd = checked(duplicate(this.#epoll), 'duplicate the GRE socket');
      const epoll = checked(epollCreate(O_CLOEXEC), 'make an epoll set');
      checked(duplicateOver(epoll, this.#epoll, O_CLOEXEC), 'put the epoll set in its place');
      close(epoll);
      this.#prepare(options);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Has `ready` called while `fd` can be read, or written, from now on; with neither, not even when it hangs up. */
  watch(fd: number, readable: boolean, writable: boolean): void {
    const events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);
    const watched = this.#watched.has(fd);
    if (events === 0) {
      if (this.#watched.delete(fd)) this.#control(EPOLL_CTL_DEL, fd, 0);
      return;
    }
    this.#control(watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events);
    this.#watched.add(fd);
  }

  /** Packets that the kernel dropped because this process did not fetch them in time. */
  droppedByKernel(): number {
    if (this.#closed) return this.#dropped;
    const { view, address, scratchAt } = this.#memory;
    const lengthAt = scratchAt + MEMINFO_WORDS * 4;
    view.setUint32(lengthAt, MEMINFO_WORDS * 4, true);
    if (getsockopt(this.fd, SOL_SOCKET, SO_MEMINFO, address + scratchAt, address + lengthAt) === 0) {
      this.#dropped = view.getUint32(scratchAt + MEMINFO_DROPS * 4, true);
    }
    return this.#dropped;
  }

  close(): void {
    if (this.#closed) return;
    if (this.fd >= 0) this.droppedByKernel();
    this.#closed = true;
    this.#wakeUp.ready = () => {};
    this.#wakeUp.close();
    if (this.fd >= 0) close(this.fd);
  }

  /** raw-socket does not tell its descriptor; the kernel's cookie names it among ours. */
  #descriptorOf(socket: WakeUp): number {
    const cookie = Buffer.alloc(COOKIE_LENGTH);
    socket.getOption(SOL_SOCKET, SO_COOKIE, cookie, COOKIE_LENGTH);
    const { view, octets, address, scratchAt } = this.#memory;
    const lengthAt = scratchAt + COOKIE_LENGTH;
    for (const name of readdirSync('/proc/self/fd')) {
      const fd = Number(name);
      view.setUint32(lengthAt, COOKIE_LENGTH, true);
      const found = getsockopt(fd, SOL_SOCKET, SO_COOKIE, address + scratchAt, address + lengthAt) === 0;
      if (found && cookie.equals(octets.subarray(scratchAt, lengthAt))) return fd;
    }
    throw new Error("the GRE socket's descriptor is not among those in /proc/self/fd");
  }

  #prepare(options: GreSocketOptions): void {
    const { fd } = this;
    const memory = this.#memory;
    filterGre(memory, fd, greFilter(options.callId));
    memory.view.setUint32(memory.scratchAt, RECEIVE_BUFFER, true);
    // Without CAP_NET_ADMIN the system's defaults stay.
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, memory.address + memory.scratchAt, 4);
    memory.view.setUint32(memory.scratchAt, SEND_BUFFER, true);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, memory.address + memory.scratchAt, 4);
    connectGre(memory, fd, options);
    this.#drain();
  }

  /** What came between the socket's opening and its filter, bind and connect may be anyone's. */
  #drain(): void {
    const memory = this.#memory;
    for (let index = 0; index < RECEIVE_BATCH; index += 1) memory.receiveInto(index, index);
    for (let batch = 0; batch < MOST_DRAINED; batch += 1) {
      if (recvmmsg(this.fd, memory.receiveMessages, RECEIVE_BATCH, MSG_DONTWAIT, 0) < RECEIVE_BATCH) return;
    }
  }

  #control(operation: number, fd: number, events: number): void {
    const { view, address, scratchAt } = this.#memory;
    // Its user data, whose place differs between machines, stays 0: a turn tries every descriptor.
    this.#memory.octets.fill(0, scratchAt, scratchAt + EPOLL_EVENT_LENGTH);
    view.setUint32(scratchAt, events, true);
    checked(epollControl(this.#epoll, operation, fd, address + scratchAt), 'watch a descriptor of the relay');
  }
}

/** Has the kernel keep from the socket `fd` what `filter` keeps out. First of all, so that nothing else is queued. */
export function filterGre(memory: RelayMemory, fd: number, filter: ReturnType<typeof greFilter>): void {
  const programAt = memory.scratchAt + 16;
  memory.view.setUint32(memory.scratchAt, filter.length, true);
  memory.setAddress(memory.scratchAt + 8, programAt);
  writeFilter(memory.view, programAt, filter);
  const result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, memory.address + memory.scratchAt, 16);
  checked(result, 'filter GRE by call id');
}

/** Binds the GRE socket `fd` to our address, and to the VRF's device, and connects it to the peer's. */
export function connectGre(
  memory: RelayMemory,
  fd: number,
  { localAddress, peerAddress, device }: GreSocketOptions,
): void {
  const { address, scratchAt, octets } = memory;
  if (device !== undefined) {
    const { written } = new TextEncoder().encodeInto(device, octets.subarray(scratchAt));
    const result = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, address + scratchAt, written);
    checked(result, `bind GRE to device ${device}`);
  }
  writeAddress(memory, localAddress);
  checked(bind(fd, address + scratchAt, SOCKADDR_LENGTH), `bind GRE to ${localAddress}`);
  writeAddress(memory, peerAddress);
  checked(connect(fd, address + scratchAt, SOCKADDR_LENGTH), `connect GRE to ${peerAddress}`);
}

function writeAddress({ view, octets, scratchAt }: RelayMemory, dotted: string): void {
  octets.fill(0, scratchAt, scratchAt + SOCKADDR_LENGTH);
  view.setUint16(scratchAt, AF_INET, true);
  for (const [index, octet] of dotted.split('.').entries()) octets[scratchAt + 4 + index] = Number(octet);
}

export function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`cannot ${what}: ${lastErrorName()}`);
  return result;
}
