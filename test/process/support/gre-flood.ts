/**
 * Sends GRE packets as fast as one thread can, with arbitrary IP headers: for floods and forgeries. Use GrePeer for
 * packets that are awaited one by one.
 */
import { randomBytes } from 'node:crypto';
import koffi from 'koffi';
import { buildGre, type GreFields } from './gre-packet.js';

const libc = koffi.load(null);
const socket: (domain: number, type: number, protocol: number) => number = libc.func('int socket(int, int, int)');
const sendto: (fd: number, data: Buffer, length: number, flags: number, to: Buffer, toLength: number) => number =
  libc.func('int64_t sendto(int, void *, size_t, int, void *, uint32_t)');
const close: (fd: number) => number = libc.func('int close(int)');

const AF_INET = 2;
const SOCK_RAW = 3;
/** For sending only, with the IP header included (raw(7)). */
const IPPROTO_RAW = 255;
/** The event loop runs after this many packets. */
const CHUNK = 500;

const octets = (address: string): number[] => address.split('.').map(Number);

export class GreFlood {
  readonly #fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  readonly #to = Buffer.alloc(16);
  readonly #server: string;
  sent = 0;

  constructor(server: string) {
    if (this.#fd < 0) throw new Error('cannot open a raw socket');
    this.#server = server;
    this.#to.writeUInt16LE(AF_INET);
    this.#to.set(octets(server), 4);
  }

  /** Builds the whole IP packet. */
  build(fields: Omit<GreFields, 'to'>): Buffer {
    return buildGre({ ...fields, to: this.#server });
  }

  /** Sends an IP packet; a packet that the kernel does not accept is not sent again. */
  send(packet: Buffer): void {
    if (sendto(this.#fd, packet, packet.length, 0, this.#to, this.#to.length) > 0) this.sent += 1;
  }

  /** Sends `count` packets, each built by `make`; other events are handled in between. */
  async flood(count: number, make: (index: number) => Buffer): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      this.send(make(index));
      if (index % CHUNK === CHUNK - 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): void {
    close(this.#fd);
  }
}

/** Data that are not a PPP frame. */
export const junk = (length: number): Buffer => randomBytes(length);
