/**
 * Builds and reads enhanced GRE packets (RFC 2637 §4.1) with arbitrary IP headers for the tests. It is independent of
 * src/gre, in order to check it.
 */
const IPPROTO_GRE = 47;
export const IP_HEADER = 20;

export interface GrePacket {
  /** The source address. */
  readonly to: string;
  readonly callId: number;
  readonly sequence: number | null;
  readonly acknowledgment: number | null;
  readonly payload: Buffer;
}

export interface GreFields {
  readonly from: string;
  readonly to: string;
  readonly callId: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly payload?: Uint8Array;
  /** Overrides for values that normally follow from the rest: flags and version, protocol, payload length. */
  readonly flags?: number;
  readonly protocol?: number;
  readonly length?: number;
}

const octets = (address: string): number[] => address.split('.').map(Number);
const dotted = (address: Buffer): string => [...address].join('.');

/** Builds the IP packet; the kernel fills in length, checksum and identification. */
export function buildGre(fields: GreFields): Buffer {
  const { sequence, acknowledgment, payload = Buffer.alloc(0) } = fields;
  const numbers = [sequence, acknowledgment].filter((number) => number !== undefined);
  const packet = Buffer.alloc(IP_HEADER + 8 + numbers.length * 4 + payload.length);
  packet.writeUInt8(0x45, 0);
  packet.writeUInt8(64, 8);
  packet.writeUInt8(IPPROTO_GRE, 9);
  packet.set(octets(fields.from), 12);
  packet.set(octets(fields.to), 16);
  const own = 0x2001 | (sequence === undefined ? 0 : 0x1000) | (acknowledgment === undefined ? 0 : 0x0080);
  packet.writeUInt16BE(fields.flags ?? own, IP_HEADER);
  packet.writeUInt16BE(fields.protocol ?? 0x880b, IP_HEADER + 2);
  packet.writeUInt16BE(fields.length ?? payload.length, IP_HEADER + 4);
  packet.writeUInt16BE(fields.callId, IP_HEADER + 6);
  for (const [index, number] of numbers.entries()) packet.writeUInt32BE(number >>> 0, IP_HEADER + 8 + index * 4);
  packet.set(payload, IP_HEADER + 8 + numbers.length * 4);
  return packet;
}

/** Reads a complete IP packet from the tests or the server, with a header of 20 octets. */
export function readGre(packet: Buffer): GrePacket {
  const gre = packet.subarray(IP_HEADER);
  const flags = gre.readUInt16BE(0);
  let at = 8;
  const take = (present: boolean): number | null => {
    if (!present) return null;
    at += 4;
    return gre.readUInt32BE(at - 4);
  };
  const sequence = take((flags & 0x1000) !== 0);
  const acknowledgment = take((flags & 0x0080) !== 0);
  const payload = Buffer.from(gre.subarray(at, at + gre.readUInt16BE(4)));
  return { to: dotted(packet.subarray(16, 20)), callId: gre.readUInt16BE(6), sequence, acknowledgment, payload };
}
