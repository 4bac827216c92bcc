/**
 * Waits until descriptors can be read or written: an epoll set, polled by Node's event loop through koffi. libuv ends a
 * poll on the first error of a socket, and an ICMP message or an interface that goes down is one; an epoll set is
 * readable or not, and has no errors.
 */
import koffi from 'koffi';
import { close } from './descriptor.js';
import { checked, libc } from './libc.js';

// sys/epoll.h
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 0x01;
const EPOLLOUT = 0x04;
const EPOLL_EVENT_LENGTH = 16;

const epollCreate: (flags: number) => number = libc.func('epoll_create1', 'int', ['int']);
const epollControl: (epoll: number, operation: number, fd: number, event: Uint8Array) => number = libc.func(
  'epoll_ctl',
  'int',
  ['int', 'int', 'int', 'void *'],
);

const NOTHING = (): void => {};

export class Poller {
  readonly #epoll = checked(epollCreate(EPOLL_CLOEXEC), 'make an epoll set');
  readonly #poll: ReturnType<typeof koffi.node.poll>;
  readonly #watched = new Set<number>();
  /** struct epoll_event. Its user data, whose place differs between machines, stays 0: `ready` tries every descriptor. */
  readonly #event = new Uint8Array(EPOLL_EVENT_LENGTH);
  #closed = false;

  /**
   * Calls `ready` whenever one of the watched descriptors is. `ready` returns whether it has told anybody of anything: koffi
   * calls outside of Node's callback scope, so promises that it settled would wait for the event loop's next event.
   */
  constructor(ready: () => boolean) {
    this.#poll = koffi.node.poll(this.#epoll, { readable: true }, () => {
      try {
        if (ready()) setImmediate(NOTHING);
      } catch (error) {
        // koffi drops what a callback throws.
        setImmediate(() => {
          throw error;
        });
      }
    });
  }

  /** Watches `fd` from now on for being readable or writable; with neither, not even for being hung up. */
  watch(fd: number, readable: boolean, writable: boolean): void {
    const events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);
    if (events === 0) {
      if (this.#watched.delete(fd)) this.#control(EPOLL_CTL_DEL, fd, 0);
      return;
    }
    this.#control(this.#watched.has(fd) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events);
    this.#watched.add(fd);
  }

  /** Idempotent. The watched descriptors stay open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poll.close();
    close(this.#epoll);
  }

  #control(operation: number, fd: number, events: number): void {
    // Little-endian, and below 256.
    this.#event[0] = events;
    checked(epollControl(this.#epoll, operation, fd, this.#event), 'watch a descriptor');
  }
}
