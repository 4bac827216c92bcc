/**
 * RADIUS packets (RFC 2865 §3) and what authenticates them: the authenticator in the header, and Message-Authenticator
 * (RFC 2869 §5.14), which stands first so that no forged prefix can precede it (BlastRADIUS, CVE-2024-3596). Pure.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type Attribute, decodeAttributes, encodeAttributes, hasUndeclared, positionsOf } from './attributes.js';

export const CODES = {
  accessRequest: 1,
  accessAccept: 2,
  accessReject: 3,
  accountingRequest: 4,
  accountingResponse: 5,
  accessChallenge: 11,
  // RFC 5176 §2.3.
  disconnectRequest: 40,
  disconnectAck: 41,
  disconnectNak: 42,
  coaRequest: 43,
  coaAck: 44,
  coaNak: 45,
} as const;

/** Octets of the header and of an authenticator. */
const HEADER = 20;
const AUTHENTICATOR_AT = 4;
export const AUTHENTICATOR = 16;
/** Of the first attribute's value. */
const FIRST_VALUE_AT = HEADER + 2;
/** RFC 2865 §3, octets. */
export const MAX_PACKET = 4096;

/** The authenticator of an encoded packet. */
export const authenticatorOf = (octets: Uint8Array): Uint8Array =>
  Uint8Array.from(octets.subarray(AUTHENTICATOR_AT, HEADER));

export interface RadiusPacket {
  readonly code: number;
  readonly identifier: number;
  readonly authenticator: Uint8Array;
  readonly attributes: readonly Attribute[];
}

export interface DecodedPacket extends RadiusPacket {
  /** It has attributes that are not among `attributes`. */
  readonly hasUndeclared: boolean;
}

/** null: not a RADIUS packet. Octets behind its length are padding. Never throws. */
export function decodePacket(octets: Uint8Array): DecodedPacket | null {
  const whole = withinLength(octets);
  if (whole === null) return null;
  const attributes = decodeAttributes(whole.subarray(HEADER));
  if (attributes === null) return null;
  return {
    code: whole[0] ?? 0,
    identifier: whole[1] ?? 0,
    authenticator: authenticatorOf(whole),
    attributes,
    hasUndeclared: hasUndeclared(whole.subarray(HEADER)),
  };
}

/** The packet without padding; null when its length is not one, or is longer than what came. */
function withinLength(octets: Uint8Array): Uint8Array | null {
  if (octets.length < HEADER) return null;
  const length = Buffer.from(octets).readUInt16BE(2);
  return length < HEADER || length > MAX_PACKET || length > octets.length ? null : octets.subarray(0, length);
}

export function encodePacket({ code, identifier, authenticator, attributes }: RadiusPacket): Uint8Array {
  const body = encodeAttributes(attributes);
  const header = Buffer.alloc(HEADER);
  header[0] = code;
  header[1] = identifier;
  header.writeUInt16BE(HEADER + body.length, 2);
  header.set(authenticator, AUTHENTICATOR_AT);
  return Buffer.concat([header, body]);
}

export type Unsigned = Omit<RadiusPacket, 'authenticator'>;

/** A request with a random authenticator (RFC 2865 §3) and a Message-Authenticator in front of its attributes. */
export function encodeSigned(packet: RadiusPacket, secret: Uint8Array): Uint8Array {
  const empty: Attribute = ['Message-Authenticator', new Uint8Array(AUTHENTICATOR)];
  const encoded = encodePacket({ ...packet, attributes: [empty, ...packet.attributes] });
  encoded.set(messageAuthenticator(encoded, secret), FIRST_VALUE_AT);
  return encoded;
}

/** A request whose authenticator proves the secret (RFC 2866 §3). */
export function encodeAccounting(packet: Unsigned, secret: Uint8Array): Uint8Array {
  const encoded = encodePacket({ ...packet, authenticator: new Uint8Array(AUTHENTICATOR) });
  encoded.set(md5(encoded, secret), AUTHENTICATOR_AT);
  return encoded;
}

/** A server's reply: for tests, and the form that `judgeReply` accepts. */
export function encodeReply(
  packet: Unsigned,
  {
    secret,
    request,
    isSigned,
  }: { readonly secret: Uint8Array; readonly request: Uint8Array; readonly isSigned: boolean },
): Uint8Array {
  const unsigned = { ...packet, authenticator: request };
  const encoded = isSigned ? encodeSigned(unsigned, secret) : encodePacket(unsigned);
  encoded.set(md5(encoded, secret), AUTHENTICATOR_AT);
  return encoded;
}

/** `forged`: an authenticator is wrong. `unsigned`: it has no Message-Authenticator. */
export type ReplyFault = 'forged' | 'unsigned';

/** `request`: the authenticator of the request that the packet answers. Returns null if the sender knows the secret. */
export function judgeReply(
  octets: Uint8Array,
  {
    secret,
    request,
    mustBeSigned,
  }: { readonly secret: Uint8Array; readonly request: Uint8Array; readonly mustBeSigned: boolean },
): ReplyFault | null {
  const reply = Uint8Array.from(withinLength(octets) ?? []);
  if (reply.length < HEADER) return 'forged';
  const responseAuthenticator = authenticatorOf(reply);
  reply.set(request, AUTHENTICATOR_AT);
  if (!timingSafeEqual(md5(reply, secret), responseAuthenticator)) return 'forged';
  const [found, ...more] = positionsOf(reply.subarray(HEADER), 'Message-Authenticator');
  if (found === undefined) return mustBeSigned ? 'unsigned' : null;
  if (more.length > 0 || found.length !== AUTHENTICATOR) return 'forged';
  const at = HEADER + found.at;
  const signature = reply.slice(at, at + AUTHENTICATOR);
  reply.fill(0, at, at + AUTHENTICATOR);
  return timingSafeEqual(messageAuthenticator(reply, secret), signature) ? null : 'forged';
}

const messageAuthenticator = (packet: Uint8Array, secret: Uint8Array): Uint8Array =>
  createHmac('md5', secret).update(packet).digest();

const md5 = (packet: Uint8Array, secret: Uint8Array): Uint8Array =>
  createHash('md5').update(packet).update(secret).digest();
