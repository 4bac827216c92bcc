/**
 * The client's end of a tunnel: enhanced GRE (RFC 2637 §4.1) on a raw socket, and the LCP that pppd begins with. Headers
 * are written and read here anew, not by src/gre, which they judge.
 */
import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { SERVER_ADDRESS } from './server.js';
import { Arrivals } from './wait.js';

/** raw-socket as its own documentation has it; the package brings no types, and src/gre declares only what it uses. */
interface RawSocket extends EventEmitter {
  setOption(level: number, option: number, value: number): void;
  send(
    packet: Buffer,
    offset: number,
    length: number,
    address: string,
    done: (error: Error | null, octets: number) => void,
  ): this;
  close(): this;
}
const rawSocket: { createSocket(options: { protocol: number }): RawSocket } = createRequire(import.meta.url)(
  'raw-socket',
);

const IP_PROTOCOL_GRE = 47;
const IP_HEADER_LENGTH = 20;
/** Lets us write the IP header, and with it the address that we send from. */
const [IPPROTO_IP, IP_HDRINCL] = [0, 3];

const PPP_IN_GRE = 0x880b;
const [KEY, SEQUENCE, ACKNOWLEDGMENT, VERSION] = [0x2000, 0x1000, 0x0080, 1];

const LCP = 0xc021;
const [CONFIGURE_REQUEST, CONFIGURE_ACK] = [1, 2];

export interface GrePacket {
  readonly callId: number;
  readonly sequence: number | null;
  readonly acknowledgment: number | null;
  readonly payload: Buffer;
}

export interface GreOptions {
  readonly from: string;
  /** Ours, on what comes. */
  readonly callId: number;
  /** The server's, on what goes. */
  readonly peerCallId: number;
}

/** A PPP frame, with address and control field as clients send it. */
export const pppFrame = (protocol: number, data: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(0xff, 0x03, protocol >> 8, protocol & 0xff), data]);

export class GreClient {
  /** Packets from the server, in the order of their arrival. */
  readonly packets = new Arrivals<GrePacket>();
  readonly #options: GreOptions;
  readonly #socket: RawSocket;
  #nextSequence = 0;
  #lastReceived: number | null = null;

  constructor(options: GreOptions) {
    this.#options = options;
    this.#socket = rawSocket.createSocket({ protocol: IP_PROTOCOL_GRE });
    this.#socket.setOption(IPPROTO_IP, IP_HDRINCL, 1);
    this.#socket.on('message', (octets: Buffer) => this.#recv(octets));
    this.#socket.on('error', (error: Error) => this.packets.end(error.message));
  }

  close(): void {
    this.packets.end('the GRE socket was closed');
    this.#socket.close();
  }

  /** Sends a payload under the next sequence number, acknowledging what has come. */
  sendPayload(payload: Uint8Array): void {
    this.send({
      callId: this.#options.peerCallId,
      sequence: this.#nextSequence++,
      acknowledgment: this.#lastReceived,
      payload: Buffer.from(payload),
    });
  }

  send({ callId, sequence, acknowledgment, payload }: GrePacket): void {
    const flags = KEY | VERSION | (sequence === null ? 0 : SEQUENCE) | (acknowledgment === null ? 0 : ACKNOWLEDGMENT);
    const header = Buffer.alloc(8);
    for (const [index, value] of [flags, PPP_IN_GRE, payload.length, callId].entries())
      header.writeUInt16BE(value, 2 * index);
    const numbers = [sequence, acknowledgment].flatMap((number) => {
      if (number === null) return [];
      const octets = Buffer.alloc(4);
      octets.writeUInt32BE(number);
      return [octets];
    });
    this.sendRaw(Buffer.concat([header, ...numbers, payload]));
  }

  /** What stands behind the IP header. */
  sendRaw(gre: Uint8Array): void {
    const ip = Buffer.alloc(IP_HEADER_LENGTH); // length and checksum are the kernel's to fill in
    ip[0] = 0x45;
    ip[8] = 64;
    ip[9] = IP_PROTOCOL_GRE;
    ip.set(this.#options.from.split('.').map(Number), 12);
    ip.set(SERVER_ADDRESS.split('.').map(Number), 16);
    const packet = Buffer.concat([ip, gre]);
    this.#socket.send(packet, 0, packet.length, SERVER_ADDRESS, (error) => {
      if (error !== null) this.packets.end(`sending failed: ${error.message}`);
    });
  }

  /** The next PPP frame of this protocol: its data. */
  async nextFrame(protocol: number): Promise<Buffer> {
    const { payload } = await this.packets.next(
      `PPP frame 0x${protocol.toString(16)}`,
      ({ payload: octets }) => protocolOf(octets) === protocol,
    );
    return dataOf(payload);
  }

  /** Answers pppd's first LCP request and has ours answered; ACCM 0 both ways. */
  async openLcp(): Promise<void> {
    const request = await this.nextFrame(LCP);
    assert.equal(request[0], CONFIGURE_REQUEST);
    const acknowledged = Buffer.from(request);
    acknowledged[0] = CONFIGURE_ACK;
    this.sendPayload(pppFrame(LCP, acknowledged));
    const accmOption = Buffer.of(2, 6, 0, 0, 0, 0);
    this.sendPayload(pppFrame(LCP, Buffer.concat([Buffer.of(CONFIGURE_REQUEST, 1, 0, 4 + 6), accmOption])));
    const answer = await this.nextFrame(LCP);
    assert.deepEqual([...answer.subarray(0, 2)], [CONFIGURE_ACK, 1]);
  }

  #recv(octets: Buffer): void {
    const ip = Buffer.from(octets); // the original is used again for the next packet
    const gre = ip.subarray(((ip[0] ?? 0) & 0x0f) * 4, ip.readUInt16BE(2));
    const sender = [...ip.subarray(12, 16)].join('.');
    const receiver = [...ip.subarray(16, 20)].join('.');
    // The socket hears every GRE packet of the namespace, our own too.
    if (sender !== SERVER_ADDRESS || receiver !== this.#options.from || gre.readUInt16BE(6) !== this.#options.callId)
      return;
    const flags = gre.readUInt16BE(0);
    assert.equal(gre.readUInt16BE(2), PPP_IN_GRE);
    assert.equal(flags & ~(SEQUENCE | ACKNOWLEDGMENT), KEY | VERSION, `flags 0x${flags.toString(16)}`);
    let at = 8;
    const number = (flag: number): number | null => {
      if ((flags & flag) === 0) return null;
      at += 4;
      return gre.readUInt32BE(at - 4);
    };
    const sequence = number(SEQUENCE);
    const acknowledgment = number(ACKNOWLEDGMENT);
    const payload = gre.subarray(at);
    assert.equal(payload.length, gre.readUInt16BE(4), 'payload length in the key');
    if (sequence !== null) this.#lastReceived = sequence;
    this.packets.add({ callId: this.#options.callId, sequence, acknowledgment, payload });
  }
}

const withoutAddress = (payload: Buffer): Buffer =>
  payload[0] === 0xff && payload[1] === 0x03 ? payload.subarray(2) : payload;

/** Null for a packet without a frame. The protocol may come compressed to one octet (RFC 1661 §6.5). */
function protocolOf(payload: Buffer): number | null {
  const frame = withoutAddress(payload);
  const [high, low] = frame;
  if (high === undefined || low === undefined) return null;
  return (high & 1) === 1 ? high : (high << 8) | low;
}

function dataOf(payload: Buffer): Buffer {
  const frame = withoutAddress(payload);
  return frame.subarray(((frame[0] ?? 0) & 1) === 1 ? 1 : 2);
}
