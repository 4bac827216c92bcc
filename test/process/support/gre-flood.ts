/**
 * GRE packets as fast as one thread can send them, with IP headers of their sender's making: a flood, or a forger's.
 * GrePeer is for packets that are awaited one by one.
 */
import { randomBytes } from 'node:crypto';
import koffi from 'koffi';

const libc = koffi.load(null);
const socket: (domain: number, type: number, protocol: number) => number = libc.func('int socket(int, int, int)');
const sendto: (fd: number, data: Buffer, length: number, flags: number, to: Buffer, toLength: number) => number =
  libc.func('int64_t sendto(int, void *, size_t, int, void *, uint32_t)');
const close: (fd: number) => number = libc.func('int close(int)');

const AF_INET = 2;
const SOCK_RAW = 3;
/** Sends only, and the header is ours (raw(7)). */
const IPPROTO_RAW = 255;
const IPPROTO_GRE = 47;
const IP_HEADER = 20;
/** Between two of these many the event loop goes round. */
const CHUNK = 500;

const octets = (address: string): number[] => address.split('.').map(Number);

export interface Forged {
  readonly from: string;
  readonly callId: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly payload?: Uint8Array;
  /** In place of what follows from the rest. */
  readonly flags?: number;
  readonly protocol?: number;
  readonly length?: number;
}

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

  /** The whole IP packet. */
  build({
    from,
    callId,
    sequence,
    acknowledgment,
    payload = Buffer.alloc(0),
    flags,
    protocol,
    length,
  }: Forged): Buffer {
    const numbers = [sequence, acknowledgment].filter((number) => number !== undefined);
    const packet = Buffer.alloc(IP_HEADER + 8 + numbers.length * 4 + payload.length);
    packet.writeUInt8(0x45, 0);
    packet.writeUInt8(64, 8);
    packet.writeUInt8(IPPROTO_GRE, 9);
    packet.set(octets(from), 12);
    packet.set(octets(this.#server), 16);
    const own = 0x2001 | (sequence === undefined ? 0 : 0x1000) | (acknowledgment === undefined ? 0 : 0x0080);
    packet.writeUInt16BE(flags ?? own, IP_HEADER);
    packet.writeUInt16BE(protocol ?? 0x880b, IP_HEADER + 2);
    packet.writeUInt16BE(length ?? payload.length, IP_HEADER + 4);
    packet.writeUInt16BE(callId, IP_HEADER + 6);
    for (const [index, number] of numbers.entries()) packet.writeUInt32BE(number >>> 0, IP_HEADER + 8 + index * 4);
    packet.set(payload, IP_HEADER + 8 + numbers.length * 4);
    return packet;
  }

  /** Sends the octets of an IP packet; what the kernel does not take is not sent again. */
  send(packet: Buffer): void {
    if (sendto(this.#fd, packet, packet.length, 0, this.#to, this.#to.length) > 0) this.sent += 1;
  }

  /** Sends `count` packets, `make` each time, letting others have their turn in between. */
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

/** Data that no PPP frame is. */
export const junk = (length: number): Buffer => randomBytes(length);
