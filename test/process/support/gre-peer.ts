/** The test as a PPTP client's GRE: real packets through the kernel, with IP headers of its own making. */
import { buildGre, type GreFields, type GrePacket, readGre } from './gre-packet.js';
import { openGreSocket } from './gre-socket.js';

/** The peer's own address and the right call id are meant where nothing else is said. */
export type Sent = Omit<Partial<GreFields>, 'to'>;

export class GrePeer {
  /** What has come for this peer, in order. */
  readonly packets: GrePacket[] = [];
  readonly #address: string;
  readonly #server: string;
  readonly #callId: number;
  readonly #socket;

  /** A peer at `address`, which sends to `server` with `callId`. */
  constructor(address: string, server: string, callId: number) {
    this.#address = address;
    this.#server = server;
    this.#callId = callId;
    this.#socket = openGreSocket(address);
    this.#socket.on('message', (packet) => this.packets.push(readGre(packet)));
  }

  /** Resolves when the kernel has taken the packet. */
  async send(sent: Sent): Promise<void> {
    const packet = buildGre({ from: this.#address, to: this.#server, callId: this.#callId, ...sent });
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
}
