/**
 * Segmentation offload of a TUN device in WebAssembly (AssemblyScript). Super packets of the kernel are cut into TCP
 * segments, as the kernel's tcp_gso_segment does; consecutive segments of the client are joined to one, as its
 * tcp_gro_receive does. These are the parts of the TUN path, besides MPPE, that touch every octet. Buffers lie above
 * `heapBase()` and need 16 octets of slack at their end, since vectors are read and written whole.
 */

/** struct virtio_net_hdr (linux/virtio_net.h), which precedes each packet in both directions; little-endian. */
const OFFLOAD_HEADER: usize = 10;
const FLAGS_AT: usize = 0;
const TYPE_AT: usize = 1;
const HEADER_LENGTH_AT: usize = 2;
const SEGMENT_SIZE_AT: usize = 4;
const SUM_START_AT: usize = 6;
const SUM_OFFSET_AT: usize = 8;
const NEEDS_SUM: u8 = 1;
const TYPE_NONE: u8 = 0;
const TYPE_TCP4: u8 = 1;
const TYPE_TCP6: u8 = 4;
/** The packet has CWR. */
const TYPE_ECN: u8 = 0x80;

const TCP: u8 = 6;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const TCP_SUM_AT: usize = 16;
const TCP_FLAGS_AT: usize = 13;
const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;
const CWR: u8 = 0x80;
/** TCP's options (RFC 9293 §3.1, RFC 7323 §3.2). */
const NO_OPERATION: u8 = 1;
const TIMESTAMPS: u8 = 8;
const TIMESTAMPS_LENGTH: usize = 10;
const MAX_PACKET: usize = 65535;

/** The first address that is free for the host. */
export function heapBase(): usize {
  return __heap_base;
}

// Checksums (RFC 1071). The sums are of little-endian words: the one's complement sum does not depend on the order.

/** Adds the octets' 16-bit words to `sum`, and copies them to `to` if it is not 0. `length` below 2^20. */
// @ts-ignore: decorator
@inline
function sumOf(from: usize, to: usize, length: usize, sum: u64): u64 {
  let sums = i32x4.splat(0);
  const end = from + length;
  const whole = from + (length & ~15);
  while (from < whole) {
    const octets = v128.load(from);
    if (to) {
      v128.store(to, octets);
      to += 16;
    }
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(octets));
    from += 16;
  }
  sum += <u64>(<u32>i32x4.extract_lane(sums, 0)) + <u64>(<u32>i32x4.extract_lane(sums, 1));
  sum += <u64>(<u32>i32x4.extract_lane(sums, 2)) + <u64>(<u32>i32x4.extract_lane(sums, 3));
  while (from + 2 <= end) {
    const word = load<u16>(from);
    if (to) {
      store<u16>(to, word);
      to += 2;
    }
    sum += word;
    from += 2;
  }
  if (from < end) {
    const octet = load<u8>(from);
    if (to) store<u8>(to, octet);
    sum += octet;
  }
  return sum;
}

function add(from: usize, length: usize, sum: u64): u64 {
  return sumOf(from, 0, length, sum);
}

function copyAndAdd(from: usize, to: usize, length: usize, sum: u64): u64 {
  return sumOf(from, to, length, sum);
}

// @ts-ignore: decorator
@inline
function folded(sum: u64): u16 {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  let short = <u32>(sum & 0xffff) + <u32>(sum >> 16);
  short = (short & 0xffff) + (short >> 16);
  return <u16>((short & 0xffff) + (short >> 16));
}

/** The pseudo-header of RFC 9293 §3.1 and RFC 8200 §8.1 for `length` octets of TCP. */
// @ts-ignore: decorator
@inline
function pseudoHeader(packet: usize, isV4: bool, length: usize): u64 {
  const sum = <u64>(<u32>TCP << 8) + <u64>bswap<u16>(<u16>length);
  return isV4 ? add(packet + 12, 8, sum) : add(packet + 8, 32, sum);
}

// @ts-ignore: decorator
@inline
function is4(packet: usize): bool {
  return load<u8>(packet) >> 4 == 4;
}

// @ts-ignore: decorator
@inline
function sumIpv4Header(packet: usize, length: usize): void {
  store<u16>(packet, 0, 10);
  store<u16>(packet, ~folded(add(packet, length, 0)), 10);
}

// From the kernel: the packet that is being cut.

export const BAD: i32 = -1;
export const TOO_LONG: i32 = -2;

let packet: usize = 0;
let end: usize = 0;
/** Where the next segment's payload begins; `end` after the last one. */
let next: usize = 0;
let isV4: bool = false;
/** Length of the headers of IP and TCP; 0: the packet goes as it is. */
let headers: usize = 0;
let transport: usize = 0;
let segmentSize: usize = 0;
let sequence: u32 = 0;
let identification: u16 = 0;
let flags: u8 = 0;

/**
 * Begins with the packet that was read to `at`, `length` octets with its offload header. Returns the number of packets
 * that `cut` makes of it; BAD when its header cannot be, TOO_LONG when one of them is longer than `limit`.
 */
export function open(at: usize, length: usize, limit: usize): i32 {
  packet = at + OFFLOAD_HEADER;
  end = at + length;
  next = end;
  if (length <= OFFLOAD_HEADER) return BAD;
  const size = length - OFFLOAD_HEADER;
  const offloadFlags = load<u8>(at, FLAGS_AT);
  const type = load<u8>(at, TYPE_AT);
  const sumStart = <usize>load<u16>(at, SUM_START_AT);
  const sumOffset = <usize>load<u16>(at, SUM_OFFSET_AT);
  const needsSum = (offloadFlags & NEEDS_SUM) != 0;
  const version = load<u8>(packet) >> 4;
  if (version == 4) {
    if (size < IPV4_HEADER) return BAD;
  } else if (version != 6 || size < IPV6_HEADER) return BAD;
  isV4 = version == 4;
  if (needsSum && sumStart + sumOffset + 2 > size) return BAD;
  if (type == TYPE_NONE) {
    if (size > limit) return TOO_LONG;
    if (needsSum) {
      const target = packet + sumStart + sumOffset;
      // The field has the sum of the pseudo-header.
      const sum = ~folded(add(packet + sumStart, size - sumStart, 0));
      // 0 says that there is no sum in UDP; the other zero is the same number (RFC 768).
      store<u16>(target, sum == 0 ? 0xffff : sum);
    }
    headers = 0;
    next = packet;
    return 1;
  }
  return openSuper(at, type, size, needsSum ? sumStart : ownHeader(), limit);
}

/** The length of the IP header without extension headers. */
function ownHeader(): usize {
  return isV4 ? <usize>(load<u8>(packet) & 0x0f) << 2 : IPV6_HEADER;
}

function openSuper(at: usize, type: u8, size: usize, transportAt: usize, limit: usize): i32 {
  if ((type & ~TYPE_ECN) != (isV4 ? TYPE_TCP4 : TYPE_TCP6)) return BAD;
  const shortest = isV4 ? IPV4_HEADER : IPV6_HEADER;
  if (transportAt < shortest || transportAt + TCP_HEADER > size) return BAD;
  if (isV4 && (load<u8>(packet, 9) != TCP || ownHeader() != transportAt)) return BAD;
  transport = packet + transportAt;
  const tcpHeader = <usize>(load<u8>(transport, 12) >> 4) << 2;
  // The offload header's length of headers is not believed: for a forwarded packet it may be any.
  headers = transportAt + tcpHeader;
  segmentSize = load<u16>(at, SEGMENT_SIZE_AT);
  if (tcpHeader < TCP_HEADER || headers >= size || segmentSize == 0) return BAD;
  const payload = size - headers;
  if (headers + min(payload, segmentSize) > limit) return TOO_LONG;
  next = packet + headers;
  sequence = bswap<u32>(load<u32>(transport, 4));
  identification = bswap<u16>(load<u16>(packet, 4));
  flags = load<u8>(transport, TCP_FLAGS_AT);
  return <i32>((payload + segmentSize - 1) / segmentSize);
}

/** Writes the next packet to `to`; returns its length, 0 after the last one. */
export function cut(to: usize): usize {
  if (next >= end) return 0;
  if (!headers) {
    const length = end - next;
    memory.copy(to, next, length);
    next = end;
    return length;
  }
  const payload = min(segmentSize, end - next);
  const length = headers + payload;
  const tcp = to + (transport - packet);
  const tcpHeader = headers - (transport - packet);
  memory.copy(to, packet, headers);
  const isFirst = next == packet + headers;
  const isLast = next + payload == end;
  store<u32>(tcp, bswap<u32>(sequence), 4);
  let own = flags;
  if (!isFirst) own &= ~CWR;
  if (!isLast) own &= ~(FIN | PSH);
  store<u8>(tcp, own, TCP_FLAGS_AT);
  if (isV4) {
    store<u16>(to, bswap<u16>(<u16>length), 2);
    store<u16>(to, bswap<u16>(identification), 4);
    sumIpv4Header(to, tcp - to);
  } else store<u16>(to, bswap<u16>(<u16>(length - IPV6_HEADER)), 4);
  store<u16>(tcp, 0, TCP_SUM_AT);
  let sum = pseudoHeader(to, isV4, tcpHeader + payload);
  sum = add(tcp, tcpHeader, sum);
  sum = copyAndAdd(next, to + headers, payload, sum);
  store<u16>(tcp, ~folded(sum), TCP_SUM_AT);
  next += payload;
  sequence += <u32>payload;
  identification++;
  return length;
}

/** What is left of the packet is not needed. */
export function drop(): void {
  next = end;
}

// To the kernel: the packets of a batch. Some are joined to an earlier one; acknowledgments without data are left out
// where a later one says more.

/** Flows whose last packet can be continued or superseded. More are not looked for, as in the kernel (MAX_GRO_SKBS). */
const FLOWS: i32 = 8;
/** Packets in one; the host's vectors have room for as many. */
const MAX_JOINED: i32 = 64;
const NONE: i32 = -1;
const ITEM: usize = 48;

// @ts-ignore: decorator
@unmanaged
class Item {
  at: usize;
  length: usize;
  /** The TCP header and the payload, from `at`; 0 when the packet cannot be joined. */
  transport: usize;
  headers: usize;
  /** Of a first packet: the number that the next one has, the octets of all, how many they are, and the last one. */
  sequence: u32;
  total: usize;
  count: i32;
  last: i32;
  /** The packet that is joined to this one. */
  next: i32;
  identification: u16;
  isJoined: bool;
  isSummed: bool;
  isSuperseded: bool;
  /** Of an acknowledgment without data: another with the same number follows, so neither may be left out. */
  isRepeated: bool;
}

let items: usize = 0;
let capacity: i32 = 0;
let count: i32 = 0;
let vectors: usize = 0;
let base: u64 = 0;
const flows: usize = memory.data(FLOWS * 4, 16);
let flowCount: i32 = 0;
let flowNext: i32 = 0;

/** Octets that the host provides for each packet of a batch, and the vectors of the longest packet. */
export function itemLength(): usize {
  return ITEM;
}

export function vectorsLength(): usize {
  return <usize>MAX_JOINED * 16;
}

/** Sets where the packets of a batch are described, and the kernel's address of offset 0 in two words. */
export function layOut(itemsAt: usize, capacityOf: i32, vectorsAt: usize, low: u32, high: u32): void {
  items = itemsAt;
  capacity = capacityOf;
  vectors = vectorsAt;
  base = ((<u64>high) << 32) | low;
}

// @ts-ignore: decorator
@inline
function itemAt(index: i32): Item {
  return changetype<Item>(items + <usize>index * ITEM);
}

/** Packets in the batch. */
export function queued(): i32 {
  return count;
}

/** Forgets the batch. */
export function clear(): void {
  count = 0;
  flowCount = 0;
  flowNext = 0;
}

/**
 * Adds the IP packet at `at`, at least IPv4's or IPv6's shortest header long, with OFFLOAD_HEADER octets before it that
 * may be written. It stays there until `clear`. False when the batch is full.
 */
export function push(at: usize, length: usize): bool {
  if (count == capacity) return false;
  const index = count++;
  const item = itemAt(index);
  item.at = at;
  item.length = length;
  item.next = NONE;
  item.last = index;
  item.count = 1;
  item.isJoined = false;
  item.isSummed = false;
  item.isSuperseded = false;
  item.isRepeated = false;
  item.transport = 0;
  const transportAt = transportOf(at, length);
  if (!transportAt) return true;
  const flow = flowOf(at, transportAt);
  const isPlain = isPlainSegment(item, transportAt);
  if (flow >= 0) {
    const head = itemAt(load<i32>(flows + (<usize>flow << 2)));
    if (isPlain && (payloadOf(item) ? joins(flow, head, index, item) : acknowledges(flow, head, index, item))) return true;
    close(flow);
  }
  if (isPlain && !(load<u8>(at + transportAt, TCP_FLAGS_AT) & PSH)) remember(index);
  return true;
}

/** Joins a segment with data to the flow's last packet, if it continues that. */
function joins(flow: i32, head: Item, index: i32, item: Item): bool {
  if (!continues(head, item)) return false;
  join(head, index, item);
  // A shorter segment, or one that is to be passed on at once, is the last.
  if (payloadOf(item) < payloadOf(head) || load<u8>(item.at + item.transport, TCP_FLAGS_AT) & PSH) close(flow);
  return true;
}

/**
 * Leaves out the flow's last packet if that is an acknowledgment without data and `item` is one with a higher number,
 * which says all that the former did. Several of one number stay, as the sender counts them (RFC 5681 §3.2).
 */
function acknowledges(flow: i32, head: Item, index: i32, item: Item): bool {
  if (payloadOf(head) || !isLikeHead(head, item) || item.sequence != head.sequence) return false;
  const transportAt = head.transport;
  const advance = <i32>(bswap<u32>(load<u32>(item.at + transportAt, 8)) - bswap<u32>(load<u32>(head.at + transportAt, 8)));
  if (advance == 0) {
    head.isRepeated = true;
    return true;
  }
  // A packet with a wrong checksum is dropped behind us, and supersedes nothing.
  if (advance < 0 || head.isRepeated || !isGood(item)) return false;
  head.isSuperseded = true;
  store<i32>(flows + (<usize>flow << 2), index);
  return true;
}

/** Where the TCP header with its ports begins, from the packet; 0 when there is none. */
function transportOf(at: usize, length: usize): usize {
  if (is4(at)) {
    // Not a fragment: offset and More Fragments are 0.
    const transportAt = <usize>(load<u8>(at) & 0x0f) << 2;
    if (load<u8>(at, 9) != TCP || load<u16>(at, 6) & 0xff3f || transportAt < IPV4_HEADER) return 0;
    return transportAt + TCP_HEADER <= length ? transportAt : 0;
  }
  if (load<u8>(at, 6) != TCP) return 0;
  return IPV6_HEADER + TCP_HEADER <= length ? IPV6_HEADER : 0;
}

/** A segment with data, or an acknowledgment without, with nothing special. */
function isPlainSegment(item: Item, transportAt: usize): bool {
  const at = item.at;
  const length = item.length;
  const tcp = at + transportAt;
  const headerLength = <usize>(load<u8>(tcp, 12) >> 4) << 2;
  const headersEnd = transportAt + headerLength;
  if (headerLength < TCP_HEADER || headersEnd > length) return false;
  const own = load<u8>(tcp, TCP_FLAGS_AT);
  if ((own & ~PSH) != ACK || load<u8>(tcp, 12) & 0x0f) return false;
  if (is4(at)) {
    if (transportAt != IPV4_HEADER || <usize>bswap<u16>(load<u16>(at, 2)) != length) return false;
  } else if (<usize>bswap<u16>(load<u16>(at, 4)) + IPV6_HEADER != length) return false;
  if (headersEnd == length && !hasOnlyTimestamps(tcp + TCP_HEADER, tcp + headerLength)) return false;
  item.transport = transportAt;
  item.headers = headersEnd;
  item.total = length;
  item.sequence = bswap<u32>(load<u32>(tcp, 4)) + <u32>(length - headersEnd);
  item.identification = bswap<u16>(load<u16>(at, 4));
  return true;
}

/** Whether timestamps are the only TCP options: an option such as SACK says more than the acknowledgment number. */
function hasOnlyTimestamps(at: usize, optionsEnd: usize): bool {
  while (at < optionsEnd) {
    const kind = load<u8>(at);
    if (kind == NO_OPERATION) at++;
    else if (kind == TIMESTAMPS && at + TIMESTAMPS_LENGTH <= optionsEnd && load<u8>(at, 1) == TIMESTAMPS_LENGTH) {
      at += TIMESTAMPS_LENGTH;
    } else return false;
  }
  return true;
}

/** Which of the flows the packet belongs to; NONE. */
function flowOf(at: usize, transportAt: usize): i32 {
  const ports = load<u32>(at + transportAt);
  const version = load<u8>(at) >> 4;
  for (let flow = 0; flow < flowCount; flow++) {
    const head = itemAt(load<i32>(flows + (<usize>flow << 2)));
    const other = head.at;
    if (load<u32>(other + head.transport) != ports || load<u8>(other) >> 4 != version) continue;
    if (version == 4 ? load<u64>(other, 12) == load<u64>(at, 12) : isSame(other + 8, at + 8, 32)) return flow;
  }
  return NONE;
}

function isSame(one: usize, other: usize, length: usize): bool {
  return memory.compare(one, other, length) == 0;
}

function close(flow: i32): void {
  flowCount--;
  store<i32>(flows + (<usize>flow << 2), load<i32>(flows + (<usize>flowCount << 2)));
}

function remember(index: i32): void {
  let flow = flowCount;
  if (flowCount < FLOWS) flowCount++;
  else {
    flow = flowNext;
    flowNext = (flowNext + 1) % FLOWS;
  }
  store<i32>(flows + (<usize>flow << 2), index);
}

// @ts-ignore: decorator
@inline
function payloadOf(item: Item): usize {
  return item.length - item.headers;
}

/** Whether its headers are as long as the first one's, and IP's headers say the same. */
function isLikeHead(head: Item, item: Item): bool {
  return item.transport == head.transport && item.headers == head.headers && sameIp(head, item);
}

/** Whether the segment is the next one, and differs from the first in nothing that joining would lose. */
function continues(head: Item, item: Item): bool {
  const one = head.at;
  const other = item.at;
  const transportAt = head.transport;
  if (!isLikeHead(head, item) || head.count == MAX_JOINED) return false;
  const payload = payloadOf(item);
  if (payload > payloadOf(head) || head.total + payload > MAX_PACKET) return false;
  const tcp = other + transportAt;
  const headTcp = one + transportAt;
  if (bswap<u32>(load<u32>(tcp, 4)) != head.sequence) return false;
  // Acknowledgment number; data offset; window; urgent pointer. Flags have been compared with ACK.
  if (load<u32>(tcp, 8) != load<u32>(headTcp, 8) || load<u8>(tcp, 12) != load<u8>(headTcp, 12)) return false;
  if (load<u16>(tcp, 14) != load<u16>(headTcp, 14) || load<u16>(tcp, 18) != load<u16>(headTcp, 18)) return false;
  if (!isSame(tcp + TCP_HEADER, headTcp + TCP_HEADER, head.headers - transportAt - TCP_HEADER)) return false;
  return isGood(head) && isGood(item);
}

function sameIp(head: Item, item: Item): bool {
  const one = head.at;
  const other = item.at;
  // Version, class and flow label; hop limit.
  if (!is4(one)) return load<u32>(one) == load<u32>(other) && load<u8>(one, 7) == load<u8>(other, 7);
  // Version and TOS; flags; time to live.
  if (load<u16>(one) != load<u16>(other) || load<u16>(one, 6) != load<u16>(other, 6)) return false;
  if (load<u8>(one, 8) != load<u8>(other, 8)) return false;
  // Whoever cuts the packet again counts on from the first one's identification, which matters without Don't Fragment.
  return (load<u8>(one, 6) & 0x40) != 0 || item.identification == <u16>(head.identification + head.count);
}

/** Whether the checksums are right: those of a joined packet are made anew, and would hide that they were wrong. */
function isGood(item: Item): bool {
  if (item.isSummed) return true;
  const at = item.at;
  const transportAt = item.transport;
  const isV4 = is4(at);
  if (isV4 && folded(add(at, transportAt, 0)) != 0xffff) return false;
  const tcpLength = item.length - transportAt;
  item.isSummed = folded(add(at + transportAt, tcpLength, pseudoHeader(at, isV4, tcpLength))) == 0xffff;
  return item.isSummed;
}

function join(head: Item, index: i32, item: Item): void {
  itemAt(head.last).next = index;
  item.isJoined = true;
  head.last = index;
  head.count++;
  head.total += payloadOf(item);
  head.sequence = item.sequence;
}

/**
 * Prepares packet `index` to be written: completes its headers and its vectors (struct iovec). Returns the number of
 * vectors, which is the number of segments; 0 when the packet is part of an earlier one, or superseded by a later one.
 */
export function prepare(index: i32): i32 {
  const item = itemAt(index);
  if (item.isJoined || item.isSuperseded) return 0;
  const offload = item.at - OFFLOAD_HEADER;
  store<u64>(offload, 0);
  store<u16>(offload, 0, 8);
  setVector(0, offload, item.length + OFFLOAD_HEADER);
  if (item.count == 1) return 1;
  describe(item, offload);
  let count = 1;
  let each = item.next;
  while (each != NONE) {
    const part = itemAt(each);
    setVector(count++, part.at + part.headers, payloadOf(part));
    each = part.next;
  }
  return count;
}

function describe(item: Item, offload: usize): void {
  const at = item.at;
  const transportAt = item.transport;
  const total = item.total;
  const isV4 = is4(at);
  const tcp = at + transportAt;
  const last = itemAt(item.last);
  store<u8>(offload, NEEDS_SUM, FLAGS_AT);
  store<u8>(offload, isV4 ? TYPE_TCP4 : TYPE_TCP6, TYPE_AT);
  store<u16>(offload, <u16>item.headers, HEADER_LENGTH_AT);
  store<u16>(offload, <u16>payloadOf(item), SEGMENT_SIZE_AT);
  store<u16>(offload, <u16>transportAt, SUM_START_AT);
  store<u16>(offload, <u16>TCP_SUM_AT, SUM_OFFSET_AT);
  store<u8>(tcp, load<u8>(tcp, TCP_FLAGS_AT) | (load<u8>(last.at + transportAt, TCP_FLAGS_AT) & PSH), TCP_FLAGS_AT);
  if (isV4) {
    store<u16>(at, bswap<u16>(<u16>total), 2);
    sumIpv4Header(at, transportAt);
  } else store<u16>(at, bswap<u16>(<u16>(total - IPV6_HEADER)), 4);
  store<u16>(tcp, folded(pseudoHeader(at, isV4, total - transportAt)), TCP_SUM_AT);
}

// @ts-ignore: decorator
@inline
function setVector(index: i32, at: usize, length: usize): void {
  const vector = vectors + (<usize>index << 4);
  store<u64>(vector, base + at);
  store<u64>(vector, length, 8);
}
