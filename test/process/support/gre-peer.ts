/** The GRE side of a PPTP client: real packets through the kernel, with arbitrary IP headers. */
import { settlePromises } from '../../../src/sys/native-callback.js';
import { buildGre, type GreFields, type GrePacket, readGre } from './gre-packet.js';
import { openGreSocket } from './gre-socket.js';

/** By default packets use the peer's own address and the right call id. */
export type Sent = Omit<Partial<GreFields>, 'to'>;

export class GrePeer {
  /** Packets received by this peer, in order. */
  readonly packets: GrePacket[] = [];
  readonly #address: string;
  readonly #server: string;
  readonly #callId: number;
  readonly #socket;

  /** A peer at `address` that sends to `server` with `callId`. */
  constructor(address: string, server: string, callId: number) {
    this.#address = address;
    this.#server = server;
    this.#callId = callId;
    this.#socket = openGreSocket(address);
    this.#socket.on('message', (packet) => this.packets.push(readGre(packet)));
  }

  /** Resolves when the kernel has accepted the packet. */
  async send(sent: Sent): Promise<void> {
    const packet = buildGre({ from: this.#address, to: this.#server, callId: this.#callId, ...sent });
    return new Promise((resolve, reject) => {
      this.#socket.send(packet, 0, packet.length, this.#server, (error) => {
        if (error === null) resolve();
        else reject(error);
        settlePromises();
      });
    });
  }

  /** Sends consecutive data packets from `first` on, one per payload. */
  async sendAll(first: number, payloads: readonly Uint8Array[]): Promise<void> {
    await Promise.all(payloads.map(async (payload, index) => this.send({ sequence: first + index, payload })));
  }

  /** Payloads of the received data packets. */
  get payloads(): Buffer[] {
    return this.packets.filter(({ payload }) => payload.length > 0).map(({ payload }) => payload);
  }

  /** All received acknowledgment numbers, with or without data. */
  get acknowledgments(): number[] {
    return this.packets.flatMap(({ acknowledgment }) => acknowledgment ?? []);
  }

  close(): void {
    this.#socket.close();
  }
}
