/**
 * Decides which broadcasts are relayed, and rewrites them. It is compatible with bcrelay, so that both can run in one
 * network: a relayed packet is sent to 255.255.255.255 with TTL 1, and a packet with TTL 1 is never relayed. Unlike
 * bcrelay, it updates the UDP checksum instead of clearing it, relays packets without one, and leaves fragments intact.
 */

/** An IPv4 address as an unsigned 32-bit number. */
export type Address = number;

/** The limited broadcast address (RFC 919 §7). */
export const LIMITED_BROADCAST: Address = 0xffff_ffff;
const FIRST_MULTICAST: Address = 0xe000_0000;

/** The TTL that marks relayed packets. It also keeps a host that forwards broadcasts from sending them further. */
export const RELAYED_TTL = 1;
export const PROTOCOL_UDP = 17;
/** The last octet of the broadcast address in almost every network. */
export const BROADCAST_OCTET = 0xff;

// RFC 791 §3.1
const VERSION_AND_LENGTH_AT = 0;
const TOTAL_LENGTH_AT = 2;
const IDENTIFICATION_AT = 4;
const FRAGMENT_AT = 6;
const TTL_AT = 8;
const PROTOCOL_AT = 9;
const HEADER_CHECKSUM_AT = 10;
const SOURCE_AT = 12;
const DESTINATION_AT = 16;
const SHORTEST_HEADER = 20;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;
// RFC 768
const UDP_CHECKSUM_AT = 6;
const UDP_HEADER = 8;

/** Why a packet is not relayed. The first three are normal traffic. */
export type Refusal = 'notUdp' | 'notBroadcast' | 'alreadyRelayed' | 'malformed';

export interface Broadcast {
  /** The IP packet without link padding; a view of the parsed buffer. */
  readonly octets: Uint8Array;
  readonly headerLength: number;
  /**
   * The sender's identification; 0 from senders that do not number packets that may not be fragmented (RFC 6864 §4.1).
   */
  readonly identification: number;
  readonly source: Address;
  readonly destination: Address;
  readonly isFragment: boolean;
  /** Has no UDP header; only the first fragment has one. */
  readonly isLaterFragment: boolean;
}

/**
 * Parses an IP packet. Broadcasts are packets to 255.255.255.255, `lanBroadcast` or any x.x.x.255. The last is included
 * because clients derive the netmask from their address class and so do not know the network's broadcast address.
 */
export function readBroadcast(packet: Uint8Array, lanBroadcast: Address): Broadcast | Refusal {
  if (packet.length < SHORTEST_HEADER) return 'malformed';
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const versionAndLength = view.getUint8(VERSION_AND_LENGTH_AT);
  const headerLength = (versionAndLength & 0x0f) * 4;
  const totalLength = view.getUint16(TOTAL_LENGTH_AT);
  if (versionAndLength >> 4 !== 4 || headerLength < SHORTEST_HEADER) return 'malformed';
  if (headerLength > totalLength || totalLength > packet.length) return 'malformed';
  if (view.getUint8(PROTOCOL_AT) !== PROTOCOL_UDP) return 'notUdp';
  const destination = view.getUint32(DESTINATION_AT);
  if (!isBroadcast(destination, lanBroadcast)) return 'notBroadcast';
  if (view.getUint8(TTL_AT) <= RELAYED_TTL) return 'alreadyRelayed';
  if (sum(packet, 0, headerLength) !== 0xffff) return 'malformed';
  const fragment = view.getUint16(FRAGMENT_AT);
  const isLaterFragment = (fragment & FRAGMENT_OFFSET) !== 0;
  if (!isLaterFragment && totalLength < headerLength + UDP_HEADER) return 'malformed';
  return {
    octets: packet.subarray(0, totalLength),
    headerLength,
    identification: view.getUint16(IDENTIFICATION_AT),
    source: view.getUint32(SOURCE_AT),
    destination,
    isFragment: isLaterFragment || (fragment & MORE_FRAGMENTS) !== 0,
    isLaterFragment,
  };
}

function isBroadcast(destination: Address, lanBroadcast: Address): boolean {
  if (destination === LIMITED_BROADCAST || destination === lanBroadcast) return true;
  return destination < FIRST_MULTICAST && (destination & 0xff) === BROADCAST_OCTET;
}

/**
 * Returns the relayed packet in new memory: from `source` to 255.255.255.255, with the relay mark and correct
 * checksums.
 */
export function relayed(broadcast: Broadcast, source: Address): Uint8Array {
  const { headerLength } = broadcast;
  const octets = Uint8Array.from(broadcast.octets);
  const view = new DataView(octets.buffer);
  if (!broadcast.isLaterFragment) {
    view.setUint16(headerLength + UDP_CHECKSUM_AT, udpChecksum(broadcast, source));
  }
  view.setUint8(TTL_AT, RELAYED_TTL);
  view.setUint32(SOURCE_AT, source);
  view.setUint32(DESTINATION_AT, LIMITED_BROADCAST);
  view.setUint16(HEADER_CHECKSUM_AT, 0);
  view.setUint16(HEADER_CHECKSUM_AT, complement(sum(octets, 0, headerLength)));
  return octets;
}

/**
 * Returns the UDP checksum for the new addresses. A missing checksum stays missing. A complete one is adjusted (RFC
 * 1624 §3), so that earlier damage is still detected. A checksum that was left to a network card of this machine, and
 * so covers only the pseudo header, is computed in full.
 */
function udpChecksum({ octets, headerLength, isFragment }: Broadcast, source: Address): number {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const before = view.getUint16(headerLength + UDP_CHECKSUM_AT);
  if (before === 0) return 0;
  const oldAddresses = sum(octets, SOURCE_AT, DESTINATION_AT + 4);
  const newAddresses = fold((source >>> 16) + (source & 0xffff) + 0xffff + 0xffff);
  const udpLength = octets.length - headerLength;
  let after: number;
  if (!isFragment && before === fold(oldAddresses + PROTOCOL_UDP + udpLength)) {
    const datagram = sum(octets, headerLength, octets.length) - before;
    after = complement(fold(newAddresses + PROTOCOL_UDP + udpLength + datagram + 0xffff));
  } else {
    after = complement(fold(complement(before) + complement(oldAddresses) + newAddresses));
  }
  return after === 0 ? 0xffff : after;
}

/** The one's complement sum of 16-bit words (RFC 1071) from `start` up to, not including, `end`. */
function sum(octets: Uint8Array, start: number, end: number): number {
  let total = 0;
  for (let at = start; at < end; at += 1) {
    const octet = octets[at] ?? 0;
    total += (at - start) % 2 === 0 ? octet << 8 : octet;
  }
  return fold(total);
}

function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

const complement = (word: number): number => ~word & 0xffff;

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
const FNV_BASIS = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/**
 * A 32-bit hash of what no relay changes: identification, fragment field and payload, but not addresses, TTL and
 * checksums.
 */
export function fingerprint({ octets, headerLength, isLaterFragment }: Broadcast): number {
  let hash = FNV_BASIS;
  const add = (start: number, end: number): void => {
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (octets[at] ?? 0), FNV_PRIME);
  };
  add(IDENTIFICATION_AT, TTL_AT);
  add(headerLength, headerLength + (isLaterFragment ? 0 : UDP_CHECKSUM_AT));
  add(headerLength + (isLaterFragment ? 0 : UDP_HEADER), octets.length);
  return hash >>> 0;
}
