/**
 * Adds IPv4 and TCP headers to the bytes of a connection, so that packet analyzers can decode them. Addresses and ports
 * are real; sequence numbers, segment sizes and checksums are made up but consistent. Pure.
 */

export interface Endpoint {
  /** Dotted quad. */
  readonly address: string;
  readonly port: number;
}

export type Sender = 'client' | 'server';

const IP_HEADER = 20;
const TCP_HEADER = 20;
/** Maximum payload of a segment, as on Ethernet, octets. */
const MAX_SEGMENT = 1460;
const PROTOCOL_TCP = 6;
const PUSH_AND_ACKNOWLEDGMENT = 0x18;

export class TcpStream {
  readonly #endpoints: Readonly<Record<Sender, Endpoint>>;
  readonly #next: Record<Sender, number> = { client: 1, server: 1 };
  #identification = 0;

  constructor(client: Endpoint, server: Endpoint) {
    this.#endpoints = { client, server };
  }

  /** Packets, each with its IPv4 header, in which `sender` may have sent these bytes. */
  packets(sender: Sender, bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT) {
      packets.push(this.#packet(sender, bytes.subarray(at, at + MAX_SEGMENT)));
    }
    return packets;
  }

  #packet(sender: Sender, payload: Uint8Array): Uint8Array {
    const receiver = sender === 'client' ? 'server' : 'client';
    const { [sender]: from, [receiver]: to } = this.#endpoints;
    const packet = Buffer.alloc(IP_HEADER + TCP_HEADER + payload.length);
    this.#identification = (this.#identification + 1) & 0xffff;
    packet.writeUInt8(0x45, 0); // version 4, a header of 5 words
    packet.writeUInt16BE(packet.length, 2);
    packet.writeUInt16BE(this.#identification, 4);
    packet.writeUInt16BE(0x4000, 6); // do not fragment
    packet.writeUInt8(64, 8); // time to live
    packet.writeUInt8(PROTOCOL_TCP, 9);
    packet.set(octetsOf(from.address), 12);
    packet.set(octetsOf(to.address), 16);
    packet.writeUInt16BE(checksum(packet.subarray(0, IP_HEADER)), 10);

    const segment = packet.subarray(IP_HEADER);
    segment.writeUInt16BE(from.port, 0);
    segment.writeUInt16BE(to.port, 2);
    segment.writeUInt32BE(this.#next[sender], 4);
    segment.writeUInt32BE(this.#next[receiver], 8);
    segment.writeUInt8((TCP_HEADER / 4) << 4, 12);
    segment.writeUInt8(PUSH_AND_ACKNOWLEDGMENT, 13);
    segment.writeUInt16BE(0xffff, 14); // window
    segment.set(payload, TCP_HEADER);
    // RFC 9293 §3.1: the checksum covers addresses, protocol and length too.
    const pseudoHeader = Buffer.alloc(12);
    pseudoHeader.set(packet.subarray(12, IP_HEADER), 0);
    pseudoHeader.writeUInt8(PROTOCOL_TCP, 9);
    pseudoHeader.writeUInt16BE(segment.length, 10);
    segment.writeUInt16BE(checksum(pseudoHeader, segment), 16);

    this.#next[sender] = (this.#next[sender] + payload.length) >>> 0;
    return packet;
  }
}

const octetsOf = (address: string): number[] => address.split('.').map(Number);

/** The RFC 1071 checksum over parts, all of which but the last must have an even length. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
