/** Builds IP packets with TCP, octet by octet, to check wasm/tun.ts. */

export interface TcpFields {
  readonly from?: string;
  readonly to?: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly urgentPointer?: number;
  /** A multiple of four octets. */
  readonly options?: readonly number[];
  readonly payload?: Uint8Array;
  readonly identification?: number;
  readonly dontFragment?: boolean;
  readonly hops?: number;
  readonly tos?: number;
}

export const FLAGS = { FIN: 0x01, SYN: 0x02, PSH: 0x08, ACK: 0x10, URG: 0x20, ECE: 0x40, CWR: 0x80 } as const;
/** No-operation twice, timestamps (RFC 7323 §3.2). */
export const TIMESTAMPS: readonly number[] = [1, 1, 8, 10, 0, 1, 2, 3, 4, 5, 6, 7];

const TCP = 6;

/** The one's complement sum of the octets' words, complemented (RFC 1071). */
export function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (const [at, octet] of octets.entries()) sum += at % 2 === 0 ? octet << 8 : octet;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function pseudoHeader(addresses: Uint8Array, length: number): Buffer {
  const header = Buffer.alloc(addresses.length + 4);
  header.set(addresses);
  header.writeUInt8(TCP, addresses.length + 1);
  header.writeUInt16BE(length, addresses.length + 2);
  return header;
}

/** The packet with right checksums. */
export function tcp4({ from = '192.0.2.2', to = '198.51.100.2', ...fields }: TcpFields): Buffer {
  const segment = tcp(fields);
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt8(fields.tos ?? 0, 1);
  header.writeUInt16BE((header.length + segment.length) & 0xffff, 2);
  header.writeUInt16BE(fields.identification ?? 0, 4);
  header.writeUInt16BE(fields.dontFragment === false ? 0 : 0x4000, 6);
  header.writeUInt8(fields.hops ?? 64, 8);
  header.writeUInt8(TCP, 9);
  header.set(from.split('.').map(Number), 12);
  header.set(to.split('.').map(Number), 16);
  header.writeUInt16BE(checksum(header), 10);
  segment.writeUInt16BE(checksum(Buffer.concat([pseudoHeader(header.subarray(12, 20), segment.length), segment])), 16);
  return Buffer.concat([header, segment]);
}

/** As `tcp4`; addresses are the last octet of 2001:db8::. */
export function tcp6({ from = '2', to = '102', ...fields }: TcpFields): Buffer {
  const segment = tcp(fields);
  const header = Buffer.alloc(40);
  header.writeUInt32BE(0x6000_0000 + ((fields.tos ?? 0) << 20), 0);
  header.writeUInt16BE(segment.length & 0xffff, 4);
  header.writeUInt8(TCP, 6);
  header.writeUInt8(fields.hops ?? 64, 7);
  for (const [at, last] of [
    [8, from],
    [24, to],
  ] as const) {
    header.writeUInt32BE(0x2001_0db8, at);
    header.writeUInt16BE(Number.parseInt(last, 16), at + 14);
  }
  segment.writeUInt16BE(checksum(Buffer.concat([pseudoHeader(header.subarray(8, 40), segment.length), segment])), 16);
  return Buffer.concat([header, segment]);
}

function tcp({ options = [], payload = Buffer.alloc(0), ...fields }: TcpFields): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(fields.fromPort ?? 40_000, 0);
  header.writeUInt16BE(fields.toPort ?? 80, 2);
  header.writeUInt32BE((fields.sequence ?? 1) >>> 0, 4);
  header.writeUInt32BE((fields.acknowledgment ?? 7) >>> 0, 8);
  header.writeUInt8(((20 + options.length) / 4) << 4, 12);
  header.writeUInt8(fields.flags ?? FLAGS.ACK, 13);
  header.writeUInt16BE(fields.window ?? 512, 14);
  header.writeUInt16BE(fields.urgentPointer ?? 0, 18);
  return Buffer.concat([header, Uint8Array.from(options), payload]);
}

export const tcpOf = (packet: Uint8Array): number => ((packet[0] ?? 0) >> 4 === 4 ? 20 : 40);

/** Payload that tells apart its octets. */
export const payloadOf = (length: number, seed = 0): Buffer =>
  Buffer.from(Array.from({ length }, (_, at) => (at * 31 + seed * 7 + (at >> 8)) & 0xff));

/** struct virtio_net_hdr. */
export interface OffloadFields {
  readonly flags?: number;
  readonly type?: number;
  readonly headerLength?: number;
  readonly segmentSize?: number;
  readonly sumStart?: number;
  readonly sumOffset?: number;
}

export const TYPES = { none: 0, tcp4: 1, udp: 3, tcp6: 4, ecn: 0x80 } as const;

export function offloadHeader(fields: OffloadFields): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt8(fields.flags ?? 0, 0);
  header.writeUInt8(fields.type ?? 0, 1);
  header.writeUInt16LE(fields.headerLength ?? 0, 2);
  header.writeUInt16LE(fields.segmentSize ?? 0, 4);
  header.writeUInt16LE(fields.sumStart ?? 0, 6);
  header.writeUInt16LE(fields.sumOffset ?? 0, 8);
  return header;
}

/** The super packet that `packet` is to the kernel: its TCP checksum is the pseudo-header's sum. */
export function superPacket(packet: Buffer, segmentSize: number): Buffer {
  const at = tcpOf(packet);
  const isV4 = at === 20;
  const partial = Buffer.from(packet);
  const addresses = isV4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  partial.writeUInt16BE(~checksum(pseudoHeader(addresses, packet.length - at)) & 0xffff, at + 16);
  const headerLength = at + ((packet[at + 12] ?? 0) >> 4) * 4;
  const hasCwr = ((packet[at + 13] ?? 0) & FLAGS.CWR) !== 0;
  const type = (isV4 ? TYPES.tcp4 : TYPES.tcp6) | (hasCwr ? TYPES.ecn : 0);
  return Buffer.concat([
    offloadHeader({ flags: 1, type, headerLength, segmentSize, sumStart: at, sumOffset: 16 }),
    partial,
  ]);
}

/** What the kernel's tcp_gso_segment makes of the packet, octet by octet. */
export function segmentsOf(make: (fields: TcpFields) => Buffer, fields: TcpFields, segmentSize: number): Buffer[] {
  const { payload = Buffer.alloc(0), flags = FLAGS.ACK, sequence = 1, identification = 0 } = fields;
  const segments: Buffer[] = [];
  for (let at = 0; at < payload.length; at += segmentSize) {
    const isLast = at + segmentSize >= payload.length;
    const own = (at > 0 ? ~FLAGS.CWR : ~0) & (isLast ? ~0 : ~(FLAGS.FIN | FLAGS.PSH));
    segments.push(
      make({
        ...fields,
        payload: payload.subarray(at, at + segmentSize),
        flags: flags & own,
        sequence: sequence + at,
        identification: (identification + segments.length) & 0xffff,
      }),
    );
  }
  return segments;
}
