/** Builds and reads IPv4 packets for tests. Checksums are computed differently from the relay, to check it. */
import assert from 'node:assert/strict';

export interface UdpFields {
  readonly source: string;
  readonly destination: string;
  readonly text: string;
  readonly ttl?: number;
  readonly identification?: number;
  readonly protocol?: number;
  /** Flags and offset as in the header. */
  readonly fragment?: number;
  /** IP options, a multiple of four octets. */
  readonly options?: readonly number[];
  /** The UDP checksum; default: 'right'. */
  readonly checksum?: 'right' | 'none' | 'unfinished' | number;
}

export const SOURCE_PORT = 5000;
export const DESTINATION_PORT = 6000;

/** Builds a UDP packet; checksums are correct unless `options` say otherwise. */
export function udpPacket(fields: UdpFields): Buffer {
  const { ttl = 64, identification = 1, protocol = 17, fragment = 0, options = [], checksum = 'right' } = fields;
  const datagram = Buffer.alloc(8 + Buffer.byteLength(fields.text));
  datagram.writeUInt16BE(SOURCE_PORT, 0);
  datagram.writeUInt16BE(DESTINATION_PORT, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.write(fields.text, 8);
  const header = Buffer.alloc(20 + options.length);
  header[0] = 0x40 + header.length / 4;
  header.writeUInt16BE(header.length + datagram.length, 2);
  header.writeUInt16BE(identification, 4);
  header.writeUInt16BE(fragment, 6);
  header[8] = ttl;
  header[9] = protocol;
  header.set(fields.source.split('.').map(Number), 12);
  header.set(fields.destination.split('.').map(Number), 16);
  header.set(options, 20);
  header.writeUInt16BE(checksumOf(header), 10);
  if (checksum === 'right') datagram.writeUInt16BE(udpChecksum(header, datagram), 6);
  else if (checksum === 'unfinished') datagram.writeUInt16BE(0xffff - checksumOf(pseudoHeader(header, datagram)), 6);
  else if (checksum !== 'none') datagram.writeUInt16BE(checksum, 6);
  return Buffer.concat([header, datagram]);
}

/** Recomputes the header's checksum after a change. */
export function sealHeader(packet: Buffer): Buffer {
  packet.writeUInt16BE(0, 10);
  packet.writeUInt16BE(checksumOf(packet.subarray(0, ((packet[0] ?? 0) & 15) * 4)), 10);
  return packet;
}

export interface Heard {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly udpChecksum: 'right' | 'none' | 'wrong';
  readonly text: string;
}

/** Reads a UDP packet; fails the test if its header checksum is wrong. */
export function heard(packet: Buffer): Heard {
  const header = packet.subarray(0, ((packet[0] ?? 0) & 15) * 4);
  const datagram = packet.subarray(header.length);
  assert.equal(checksumOf(header), 0, "the IP header's checksum");
  assert.equal(packet.readUInt16BE(2), packet.length);
  const written = datagram.readUInt16BE(6);
  const blank = Buffer.from(datagram);
  blank.writeUInt16BE(0, 6);
  const sound = written === udpChecksum(header, blank);
  return {
    source: [...header.subarray(12, 16)].join('.'),
    destination: [...header.subarray(16, 20)].join('.'),
    ttl: header[8] ?? 0,
    sourcePort: datagram.readUInt16BE(0),
    destinationPort: datagram.readUInt16BE(2),
    udpChecksum: written === 0 ? 'none' : sound ? 'right' : 'wrong',
    text: datagram.toString('latin1', 8),
  };
}

function pseudoHeader(header: Buffer, datagram: Buffer): Buffer {
  return Buffer.concat([header.subarray(12, 20), Buffer.from([0, 17, datagram.length >> 8, datagram.length & 255])]);
}

function udpChecksum(header: Buffer, datagram: Buffer): number {
  return checksumOf(Buffer.concat([pseudoHeader(header, datagram), datagram])) || 0xffff;
}

/** RFC 1071 by division: the words are the digits of a number to the base 2^16, and their sum its remainder by 2^16 - 1. */
function checksumOf(octets: Buffer): number {
  const even = octets.length % 2 === 0 ? octets : Buffer.concat([octets, Buffer.of(0)]);
  const remainder = Number(BigInt(`0x${even.toString('hex')}`) % 0xffffn);
  return remainder === 0 ? 0 : 0xffff - remainder;
}
