/** The test as a PPTP client's GRE: real packets through the kernel, with IP headers of its own making. */
import raw from 'raw-socket';

const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IPPROTO_GRE = 47;
const IP_HEADER = 20;

export interface GrePacket {
  readonly callId: number;
  readonly sequence: number | null;
  readonly acknowledgment: number | null;
  readonly payload: Buffer;
}

export interface Sent {
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly payload?: Uint8Array;
  /** In place of the peer's own address, the right call id, the right flags and version. */
  readonly from?: string;
  readonly callId?: number;
  readonly flags?: number;
  /** In place of the payload's length. */
  readonly length?: number;
}

export class GrePeer {
  /** What has come for this peer, in order. */
  readonly packets: GrePacket[] = [];
  readonly #address: string;
  readonly #server: string;
  readonly #callId: number;
  readonly #socket = new raw.Socket({ protocol: IPPROTO_GRE });

  /** A peer at `address`, which sends to `server` with `callId`. */
  constructor(address: string, server: string, callId: number) {
    this.#address = address;
    this.#server = server;
    this.#callId = callId;
    this.#socket.setOption(IPPROTO_IP, IP_HDRINCL, 1);
    this.#socket.on('message', (packet) => {
      // The socket sees every GRE packet of the namespace.
      if (dotted(packet.subarray(16, 20)) === address)
        this.packets.push(decode(Buffer.from(packet.subarray(IP_HEADER))));
    });
  }

  /** Resolves when the kernel has taken the packet. */
  async send(sent: Sent): Promise<void> {
    const packet = this.#build(sent);
    return new Promise((resolve, reject) => {
      this.#socket.send(packet, 0, packet.length, this.#server, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  /** Consecutive data packets from `first` on, each with its payload. */
  async sendAll(first: number, payloads: readonly Uint8Array[]): Promise<void> {
    await Promise.all(payloads.map(async (payload, index) => this.send({ sequence: first + index, payload })));
  }

  /** Payloads of the data packets. */
  get payloads(): Buffer[] {
    return this.packets.filter(({ payload }) => payload.length > 0).map(({ payload }) => payload);
  }

  /** Every acknowledgment number that came, alone or with data. */
  get acknowledgments(): number[] {
    return this.packets.flatMap(({ acknowledgment }) => acknowledgment ?? []);
  }

  close(): void {
    this.#socket.close();
  }

  #build({ sequence, acknowledgment, payload = Buffer.alloc(0), from, callId, flags, length }: Sent): Buffer {
    const numbers = [sequence, acknowledgment].filter((number) => number !== undefined);
    const gre = Buffer.alloc(8 + numbers.length * 4);
    const own = 0x2001 | (sequence === undefined ? 0 : 0x1000) | (acknowledgment === undefined ? 0 : 0x0080);
    gre.writeUInt16BE(flags ?? own, 0);
    gre.writeUInt16BE(0x880b, 2);
    gre.writeUInt16BE(length ?? payload.length, 4);
    gre.writeUInt16BE(callId ?? this.#callId, 6);
    for (const [index, number] of numbers.entries()) gre.writeUInt32BE(number, 8 + index * 4);
    // Length, checksum and identification are the kernel's to fill.
    const ip = Buffer.alloc(IP_HEADER);
    ip.writeUInt8(0x45, 0);
    ip.writeUInt8(64, 8);
    ip.writeUInt8(IPPROTO_GRE, 9);
    ip.set(octets(from ?? this.#address), 12);
    ip.set(octets(this.#server), 16);
    return Buffer.concat([ip, gre, payload]);
  }
}

const octets = (address: string): number[] => address.split('.').map(Number);
const dotted = (address: Buffer): string => [...address].join('.');

function decode(gre: Buffer): GrePacket {
  const flags = gre.readUInt16BE(0);
  let at = 8;
  const take = (present: boolean): number | null => {
    if (!present) return null;
    at += 4;
    return gre.readUInt32BE(at - 4);
  };
  const sequence = take((flags & 0x1000) !== 0);
  const acknowledgment = take((flags & 0x0080) !== 0);
  return { callId: gre.readUInt16BE(6), sequence, acknowledgment, payload: gre.subarray(at, at + gre.readUInt16BE(4)) };
}
