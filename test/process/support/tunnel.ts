/** A client with a call: its control connection, its GRE, and enough of PPP for a stand-in pppd to carry data. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { MessageOf } from '../../../src/pptp/index.js';
import { CALL, Client } from './client.js';
import type { GrePacket } from './gre-packet.js';
import { GrePeer } from './gre-peer.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS } from './server.js';
import { until } from './wait.js';

/** PPP protocol number of IPv4 (RFC 1332). */
export const IPV4 = 0x0021;
const LCP = 0xc021;
const [CONFIGURE_REQUEST, CONFIGURE_ACK] = [1, 2];

export class Tunnel {
  readonly client: Client;
  readonly reply: MessageOf<'OutgoingCallReply'>;
  readonly #gre: GrePeer;
  readonly #callId: number;
  /** How many packets `nextFrame` has already examined. */
  #taken = 0;
  #nextSequence = 0;

  private constructor(client: Client, reply: MessageOf<'OutgoingCallReply'>, gre: GrePeer, callId: number) {
    this.client = client;
    this.reply = reply;
    this.#gre = gre;
    this.#callId = callId;
  }

  /** Starts and calls from this address; receives GRE from before the call until the test ends. */
  static async open(t: TestContext, from: string = CLIENT_ADDRESSES[0], callId = CALL.callId): Promise<Tunnel> {
    return Tunnel.call(t, await Client.start(from), from, callId);
  }

  /** Calls on an existing control connection from the address `from`. */
  static async call(t: TestContext, client: Client, from: string, callId: number): Promise<Tunnel> {
    const gre = new GrePeer(from, SERVER_ADDRESS, 0);
    t.after(() => gre.close());
    client.send({ ...CALL, callId });
    const reply = await client.next('OutgoingCallReply');
    assert.deepEqual([reply.resultCode, reply.peerCallId], [1, callId]);
    return new Tunnel(client, reply, gre, callId);
  }

  /** The packets received for this call. */
  get packets(): readonly GrePacket[] {
    return this.#gre.packets.filter(({ callId }) => callId === this.#callId);
  }

  /** Sends a PPP frame with the next sequence number, and acknowledges received packets. */
  async sendFrame(protocol: number, data: Uint8Array): Promise<void> {
    const last = this.packets.findLast(({ sequence }) => sequence !== null)?.sequence;
    await this.#gre.send({
      callId: this.reply.callId,
      sequence: this.#nextSequence++,
      ...(last === undefined || last === null ? {} : { acknowledgment: last }),
      payload: Buffer.concat([Buffer.of(0xff, 0x03, protocol >> 8, protocol & 0xff), data]),
    });
  }

  /** The data of the next PPP frame of this protocol; frames of other protocols are skipped. */
  async nextFrame(protocol: number): Promise<Buffer> {
    return until(`a PPP frame of protocol 0x${protocol.toString(16)}`, () => {
      while (this.#taken < this.packets.length) {
        const frame = parseFrame(this.packets[this.#taken++]?.payload ?? Buffer.alloc(0));
        if (frame?.protocol === protocol) return frame.data;
      }
      return undefined;
    });
  }

  /** Negotiates LCP with ACCM 0 in both directions. */
  async openLcp(): Promise<void> {
    const answered = { byUs: false, byThem: false };
    while (!answered.byUs || !answered.byThem) {
      const packet = await this.nextFrame(LCP);
      if (packet[0] === CONFIGURE_ACK) answered.byThem = true;
      if (packet[0] !== CONFIGURE_REQUEST) continue;
      const acknowledgment = Buffer.from(packet);
      acknowledgment[0] = CONFIGURE_ACK;
      await this.sendFrame(LCP, acknowledgment);
      const accm = Buffer.of(2, 6, 0, 0, 0, 0);
      if (!answered.byUs) await this.sendFrame(LCP, Buffer.of(CONFIGURE_REQUEST, 1, 0, 4 + accm.length, ...accm));
      answered.byUs = true;
    }
  }

  /** Restarts LCP and accepts pppd's options; pppd must restart it too. */
  async reopenLcp(identifier: number): Promise<void> {
    await this.sendFrame(LCP, Buffer.of(CONFIGURE_REQUEST, identifier, 0, 4));
    for (;;) {
      const packet = await this.nextFrame(LCP);
      if (packet[0] !== CONFIGURE_REQUEST) continue;
      const acknowledgment = Buffer.from(packet);
      acknowledgment[0] = CONFIGURE_ACK;
      await this.sendFrame(LCP, acknowledgment);
      return;
    }
  }

  /** Asserts that data travel to pppd and back. */
  async assertRelays(text: string): Promise<void> {
    await this.sendFrame(IPV4, Buffer.from(text));
    assert.equal((await this.nextFrame(IPV4)).toString(), text);
  }
}

/** Protocol and data of a PPP frame, fields compressed or not (RFC 1661 §6.5, §6.6); null for a packet without one. */
export function parseFrame(payload: Buffer): { readonly protocol: number; readonly data: Buffer } | null {
  const frame = payload[0] === 0xff && payload[1] === 0x03 ? payload.subarray(2) : payload;
  const [high, low] = frame;
  if (high === undefined || low === undefined) return null;
  if ((high & 1) === 1) return { protocol: high, data: frame.subarray(1) };
  return { protocol: (high << 8) | low, data: frame.subarray(2) };
}
