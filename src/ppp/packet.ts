/**
 * Parses a PPP frame into its control packet: address and control fields (RFC 1662 §3.1), protocol field (RFC 1661 §2), and the
 * header that LCP, every NCP, PAP, CHAP and EAP share: code, identifier, length (RFC 1661 §5).
 */
import { FieldReader } from './field-reader.js';

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

type Protocol = (typeof PROTOCOLS)[keyof typeof PROTOCOLS];

export const isFollowed = (number: number): boolean => number in PROTOCOLS;

/** The protocol's name, or its number as `0x8281`. */
export function protocolName(number: number): string {
  return (PROTOCOLS as Record<number, string>)[number] ?? `0x${number.toString(16).padStart(4, '0')}`;
}

export interface ControlPacket {
  readonly protocol: Protocol;
  readonly code: number;
  readonly identifier: number;
  /** The bytes after the header, without padding. Valid as long as the frame is. */
  body(): FieldReader;
}

/** The control packet in `frame`; `other` for data and protocols that the reader does not follow. */
export function parseFrame(frame: Uint8Array): ControlPacket | 'other' | 'malformed' {
  const fields = new FieldReader(frame);
  if (fields.peek() === 0xff) {
    fields.skip(1);
    if (fields.u8() !== 0x03) return 'malformed';
  }
  // An odd first octet is a compressed protocol field, which only data may have (RFC 1661 §6.5).
  if (fields.left > 0 && (fields.peek() & 1) === 1) return 'other';
  const number = fields.u16();
  if (fields.short || (number & 1) === 0) return 'malformed';
  const protocol = (PROTOCOLS as Record<number, Protocol>)[number];
  if (protocol === undefined) return 'other';
  const code = fields.u8();
  const identifier = fields.u8();
  const length = fields.u16();
  if (fields.short || length < 4 || length - 4 > fields.left) return 'malformed';
  const body = fields.part(length - 4);
  return { protocol, code, identifier, body: () => body.rest() };
}
