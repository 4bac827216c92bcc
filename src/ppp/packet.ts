/**
 * Parses a PPP frame into its control packet: address and control fields (RFC 1662 §3.1), protocol field (RFC 1661 §2), and the
 * header that LCP, every NCP, PAP, CHAP and EAP share: code, identifier, length (RFC 1661 §5).
 */
import { FieldReader } from './field-reader.js';
import { FieldWriter } from './field-writer.js';

/** The protocols that the reader follows (IANA "PPP DLL Protocol Numbers"). */
const PROTOCOLS = {
  0x8021: 'IPCP', // RFC 1332
  0x8057: 'IPV6CP', // RFC 5072
  0x80fd: 'CCP', // RFC 1962
  0xc021: 'LCP', // RFC 1661
  0xc023: 'PAP', // RFC 1334
  0xc223: 'CHAP', // RFC 1994
  0xc227: 'EAP', // RFC 3748
} as const;

export type Protocol = (typeof PROTOCOLS)[keyof typeof PROTOCOLS];

export const isFollowed = (number: number): boolean => number in PROTOCOLS;

/** A protocol that the reader understands; undefined: any other number. */
export const protocolOf = (number: number): Protocol | undefined => (PROTOCOLS as Record<number, Protocol>)[number];

/** The protocol's name, or its number as `0x8281`. */
export function protocolName(number: number): string {
  return protocolOf(number) ?? `0x${number.toString(16).padStart(4, '0')}`;
}

/** The number of a protocol that has a name here. */
export function protocolNumber(name: string): number | undefined {
  const known = Object.entries(PROTOCOLS).find(([, protocol]) => protocol === name);
  return known === undefined ? undefined : Number(known[0]);
}

export interface ControlPacket {
  readonly protocol: Protocol;
  readonly code: number;
  readonly identifier: number;
  /** The bytes after the header, without padding. Valid as long as the frame is. */
  readonly body: () => FieldReader;
}

export interface Frame {
  /** Protocol number. */
  readonly number: number;
  /** What follows the protocol field, to be read once. */
  readonly information: FieldReader;
}

/** A frame's protocol and what it carries; `other` for data with a compressed protocol field. */
export function splitFrame(frame: Uint8Array): Frame | 'other' | 'malformed' {
  const information = new FieldReader(frame);
  if (information.peek() === 0xff) {
    information.skip(1);
    if (information.u8() !== 0x03) return 'malformed';
  }
  // An odd first octet is a compressed protocol field, which only data has (RFC 1661 §6.5).
  if (information.left > 0 && (information.peek() & 1) === 1) return 'other';
  const number = information.u16();
  return information.short || (number & 1) === 0 ? 'malformed' : { number, information };
}

/** The control packet in `frame`; `other` for data and protocols that the reader does not follow. */
export function parseFrame(frame: Uint8Array): ControlPacket | 'other' | 'malformed' {
  const split = splitFrame(frame);
  if (typeof split === 'string') return split;
  const protocol = protocolOf(split.number);
  return protocol === undefined ? 'other' : parsePacket(protocol, split.information);
}

/** `protocol`'s packet in the information field of a frame. */
export function parsePacket(protocol: Protocol, fields: FieldReader): ControlPacket | 'malformed' {
  const code = fields.u8();
  const identifier = fields.u8();
  const length = fields.u16();
  if (fields.short || length < 4 || length - 4 > fields.left) return 'malformed';
  const body = fields.part(length - 4);
  return { protocol, code, identifier, body: () => body.rest() };
}

/** A packet with its header, and nothing around it. */
export function writePacket(code: number, identifier: number, body: Uint8Array): Uint8Array {
  return new FieldWriter()
    .u8(code)
    .u8(identifier)
    .u16(body.length + 4)
    .bytes(body).octets;
}

/** A frame with address and control fields, which every receiver takes, whatever LCP has agreed (RFC 1661 §6.6). */
export function writeFrame(protocol: number, packet: Uint8Array): Uint8Array {
  return new FieldWriter().u8(0xff).u8(0x03).u16(protocol).bytes(packet).octets;
}
