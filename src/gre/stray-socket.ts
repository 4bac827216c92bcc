/**
 * GRE from the client's address that is not of its call: of another version, protocol or call id. The call's own socket
 * leaves it to the kernel, so that it wakes nobody. Here the headers of the first few wait, and are read only when it has
 * to be explained why no PPP frame came.
 */
import { lastError } from '../sys/batch-io.js';
import { close } from '../sys/descriptor.js';
import { checked } from '../sys/libc.js';
import {
  AF_INET,
  attachFilter,
  openSocket,
  receive,
  setIntOption,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from '../sys/socket.js';
import { connectGre, type GreAddresses, IPPROTO_GRE } from './gre-socket.js';
import { strayFilter } from './socket-filter.js';

const SO_RCVBUF = 8;
/** Holds some twenty packets, since the kernel doubles the figure. */
const RECEIVE_BUFFER = 8 * 1024;
/** Room for what the filter leaves of a packet. */
const LONGEST = 128;
/** Read and thrown away at the start, at most. */
const MOST_DRAINED = 256;

export class StraySocket {
  readonly #packet = new Uint8Array(LONGEST);
  #fd: number;

  /** Without it only explanations know less: where it cannot be opened, it is empty. */
  constructor(options: GreAddresses) {
    this.#fd = openSocket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_GRE);
    if (this.#fd < 0) return;
    try {
      this.#prepare(options);
    } catch {
      this.close();
    }
  }

  /** The headers of the next packet, IP's first; valid until the next call. null: there is none. */
  read(): Uint8Array | null {
    if (this.#fd < 0) return null;
    const length = receive(this.#fd, this.#packet);
    if (length > 0) return this.#packet.subarray(0, length);
    // What ICMP has said about the client comes before the packets, once.
    return length < 0 && lastError() === 'told' ? this.read() : null;
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  #prepare(options: GreAddresses): void {
    checked(attachFilter(this.#fd, strayFilter(options.callId)), 'filter stray GRE packets');
    checked(setIntOption(this.#fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER), 'set SO_RCVBUF');
    connectGre(this.#fd, options);
    // What came before it was filtered and connected may be anyone's.
    for (let count = 0; count < MOST_DRAINED && this.read() !== null; count += 1);
  }
}
