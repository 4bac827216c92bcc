/**
 * Waits until descriptors are readable or writable: an epoll set, which Node's event loop polls through koffi. libuv
 * stops polling a socket on its first error, such as an ICMP message or an interface that goes down; an epoll set
 * itself never has an error.
 */
import koffi from './koffi.js';
import { close } from './descriptor.js';
import { checked, libc } from './libc.js';
import { settlePromises } from './native-callback.js';

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

/** Pollers that are not closed: koffi ends a poll whose handle is garbage-collected. */
const open = new Set<Poller>();

export class Poller {
  readonly #epoll = checked(epollCreate(EPOLL_CLOEXEC), 'make an epoll set');
  readonly #poll: ReturnType<typeof koffi.node.poll>;
  readonly #watched = new Set<number>();
  /**
   * struct epoll_event. The position of its user data depends on the machine, so they stay 0 and `ready` tries every
   * descriptor.
   */
  readonly #event = new Uint8Array(EPOLL_EVENT_LENGTH);
  #closed = false;

  /** Calls `ready` whenever a watched descriptor is ready. An exception in it is an uncaught exception of the process. */
  constructor(ready: () => void) {
    this.#poll = koffi.node.poll(this.#epoll, { readable: true }, () => {
      try {
        ready();
      } catch (error) {
        // koffi discards exceptions of a callback.
        setImmediate(() => {
          throw error;
        });
      }
      settlePromises();
    });
    open.add(this);
  }

  /** Watches `fd` for being readable or writable; with neither, stops watching it, also for a hang-up. */
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
    open.delete(this);
    this.#poll.close();
    close(this.#epoll);
  }

  #control(operation: number, fd: number, events: number): void {
    // Little-endian, and the value is below 256.
    this.#event[0] = events;
    checked(epollControl(this.#epoll, operation, fd, this.#event), 'watch a descriptor');
  }
}
