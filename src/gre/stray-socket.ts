/**
 * GRE from the client's address that is not of its call: of another version, protocol or call id. The call's own socket
 * leaves it to the kernel, so that it wakes nobody. Here the headers of the first few wait, and are read only when it has
 * to be explained why no PPP frame came.
 */
import {
  AF_INET,
  checked,
  connectGre,
  filterGre,
  type GreSocketOptions,
  IPPROTO_GRE,
  SOL_SOCKET,
} from './gre-socket.js';
import type { RelayMemory } from './memory.js';
import { strayFilter } from './socket-filter.js';
import { close, lastError, O_CLOEXEC, O_NONBLOCK, read, setsockopt, socket } from './system.js';

/** sys/socket.h; the flags are those of open(2). */
const SOCK_RAW = 3;
const SO_RCVBUF = 8;
/** Holds some twenty packets, since the kernel doubles the figure. */
const RECEIVE_BUFFER = 8 * 1024;
/** Room for what the filter leaves of a packet. */
const LONGEST = 128;
/** Read and thrown away at the start, at most. */
const MOST_DRAINED = 256;

export class StraySocket {
  readonly #memory: RelayMemory;
  #fd: number;

  /** Without it only explanations know less: where it cannot be opened, it is empty. */
  constructor(options: GreSocketOptions) {
    this.#memory = options.memory;
    this.#fd = socket(AF_INET, SOCK_RAW | O_CLOEXEC | O_NONBLOCK, IPPROTO_GRE);
    if (this.#fd < 0) return;
    try {
      this.#prepare(options);
    } catch {
      this.close();
    }
  }

  /** Reads the next packet into the memory's scratch, IP header first; returns its octets, 0 when there is none. */
  read(): number {
    const { address, scratchAt } = this.#memory;
    if (this.#fd < 0) return 0;
    const length = read(this.#fd, address + scratchAt, LONGEST);
    // What ICMP has said about the client comes before the packets, once.
    return length < 0 && lastError() === 'told' ? this.read() : Math.max(0, length);
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  #prepare(options: GreSocketOptions): void {
    const memory = this.#memory;
    filterGre(memory, this.#fd, strayFilter(options.callId));
    memory.view.setUint32(memory.scratchAt, RECEIVE_BUFFER, true);
    checked(setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, memory.address + memory.scratchAt, 4), 'bound what waits');
    connectGre(memory, this.#fd, options);
    // What came before it was filtered and connected may be anyone's.
    for (let count = 0; count < MOST_DRAINED && this.read() > 0; count += 1);
  }
}
