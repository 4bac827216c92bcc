/**
 * Encodes blocks of a pcapng file (draft-ietf-opsawg-pcapng), which Wireshark reads from a file or, while it grows,
 * from a pipe: a section header, the interfaces in order of their numbers, then packets. Pure; little-endian.
 */

/** Link types of the registry at tcpdump.org. */
export const LINK_TYPE = {
  /** Begins with an IPv4 or IPv6 header. */
  raw: 101,
  /** An octet 0 (received by this host) or 1 (sent by it), then a PPP frame, with or without 0xFF 0x03. */
  pppWithDirection: 204,
} as const;

const BLOCK = { sectionHeader: 0x0a0d0d0a, interfaceDescription: 1, enhancedPacket: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Option codes; a number's meaning depends on the block. */
const OPTION = {
  end: 0,
  section: { application: 4 },
  interface: { name: 2, description: 3, timeResolution: 9 },
  packet: { flags: 2, dropCount: 4 },
} as const;

/** The two lowest bits of a packet's flags. */
const FLAGS = { received: 1, sent: 2 } as const;
/** Unit of time: 10^-6 s. */
const MICROSECONDS = 6;

type Option = readonly [code: number, value: Uint8Array];

/** `application` names the program that wrote the file. */
export function sectionHeader(application: string): Uint8Array {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  body.writeUInt16LE(1, 4); // version 1.0
  body.writeBigInt64LE(-1n, 8); // the section's length is not known
  return block(BLOCK.sectionHeader, body, [[OPTION.section.application, Buffer.from(application)]]);
}

export interface CaptureInterface {
  readonly linkType: (typeof LINK_TYPE)[keyof typeof LINK_TYPE];
  readonly name: string;
  readonly description: string;
}

/** Describes the next interface; interfaces are numbered from 0 in order. */
export function interfaceDescription({ linkType, name, description }: CaptureInterface): Uint8Array {
  const body = Buffer.alloc(8); // packets of any length: 0
  body.writeUInt16LE(linkType, 0);
  return block(BLOCK.interfaceDescription, body, [
    [OPTION.interface.name, Buffer.from(name)],
    [OPTION.interface.description, Buffer.from(description)],
    [OPTION.interface.timeResolution, Buffer.of(MICROSECONDS)],
  ]);
}

export interface CapturedPacket {
  /** Number of the interface, from 0. */
  readonly interface: number;
  /** Microseconds since the epoch. */
  readonly time: number;
  readonly direction: keyof typeof FLAGS;
  readonly bytes: Uint8Array;
  /** Packets of this interface lost since the last one. */
  readonly lost: number;
}

export function enhancedPacket({ interface: number, time, direction, bytes, lost }: CapturedPacket): Uint8Array {
  const body = Buffer.alloc(20 + padded(bytes.length));
  body.writeUInt32LE(number, 0);
  body.writeUInt32LE(Math.floor(time / 2 ** 32), 4);
  body.writeUInt32LE(time % 2 ** 32, 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(bytes.length, 16);
  body.set(bytes, 20);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(FLAGS[direction]);
  const options: Option[] = [[OPTION.packet.flags, flags]];
  if (lost > 0) {
    const dropCount = Buffer.alloc(8);
    dropCount.writeBigUInt64LE(BigInt(lost));
    options.push([OPTION.packet.dropCount, dropCount]);
  }
  return block(BLOCK.enhancedPacket, body, options);
}

/** Pads to a multiple of 4 octets. */
const padded = (length: number): number => (length + 3) & ~3;

function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const parts = [body, ...options.map(option), Buffer.alloc(4, OPTION.end)];
  const length = parts.reduce((sum, part) => sum + part.length, 12);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, ...parts, head.subarray(4)]);
}

function option([code, value]: Option): Uint8Array {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt16LE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
}
