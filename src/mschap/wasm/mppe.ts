/**
 * MPPE (RFC 3078) in WebAssembly (AssemblyScript): RC4, SHA-1 and the change of keys, which touch every octet of a
 * packet. What is known of one direction lies in a Direction, for which the host provides the memory.
 */

/** RFC 3078 §3.1: the tables were initialized for this packet; compressed; encrypted; and the coherency count. */
const FLUSHED: u32 = 0x8000;
const COMPRESSED: u32 = 0x2000;
const ENCRYPTED: u32 = 0x1000;
const COUNT: u32 = 0x0fff;
/** A packet whose count ends in this octet has a new key (RFC 3078 §7.2). */
const FLAG: u32 = 0xff;
/**
 * A count this far ahead may also be that of a late packet. GRE delivers in order, so it is more likely that so many packets
 * were lost; a packet that decrypts to IP proves it, and any other is dropped as late.
 */
const LATE: u32 = 2048;
/** If more packets were lost than the count can tell, it has gone round: at most so many times. */
const MAX_ROUNDS: u32 = 3;
const ROUND: u32 = COUNT + 1;
/** A search for the key over all rounds takes some 15 ms. After one without result, so many packets cause none. */
const SEARCH_PAUSE: u32 = 256;
const HEADER: usize = 2;

/** What `decrypt` returns instead of a length: mppe.ts describes them. */
const RESULT_LATE: i32 = -1;
const RESULT_OUT_OF_SYNC: i32 = -2;
const RESULT_INVALID: i32 = -3;
const RESULT_FATAL: i32 = -4;

/** ppp_mppe's measure of nonsense: each good packet halves it, and the limit ends the link. */
const NONSENSE_INVALID: i32 = 100;
const NONSENSE_LATE: i32 = 1;
const NONSENSE_LIMIT: i32 = 1600;

/** RFC 3078 §7.3 hashes start key, 40 zeros, session key and 40 octets of 0xf2; SHA-1 pads that to two blocks. */
const MESSAGE: usize = 128;
const PAD: usize = 40;
const TABLE: usize = 256;
/** Stateful, the most changes of the key that the count does not tell: eight of Linux (see findKey), and those of MAX_ROUNDS. */
const UNTOLD_CHANGES: u32 = 8 + MAX_ROUNDS * (ROUND >> 8);
const PROTOCOL_IPV4: u32 = 0x21;
const PROTOCOL_IPV6: u32 = 0x57;
const IPV6_HEADER: usize = 40;
/** 40-bit and 56-bit keys begin with the first three and the first of these (RFC 3079 §3.1 and §3.2), low octet first. */
const WEAKENED: u32 = 0x9e26d1;

// @ts-ignore: decorator
@unmanaged
class Direction {
  /** 16 or 8 octets; 0: no keys, nothing is encrypted or decrypted. */
  keyLength: usize;
  /** Of WEAKENED, those that replace the session key's first octets. */
  weakened: u32;
  stateless: bool;
  /** The next packet is to have FLUSHED. */
  flush: bool;
  /** The tables fit the next packet; not after a loss. */
  synchronized: bool;
  nonsense: i32;
  /** Packets before the key is searched for again: SEARCH_PAUSE. */
  pause: u32;
  /** Of the next packet. */
  count: u32;
  /** RC4's indices. */
  i: u32;
  j: u32;
}

/** After a Direction: the message, in which the session key has its place, and RC4's table. */
const messageAt: usize = offsetof<Direction>();
const tableAt: usize = messageAt + MESSAGE;

/** SHA-1's words and its five results. */
const words: usize = memory.data(80 * 4, 16);
const digest: usize = memory.data(5 * 4, 16);
/** A session key that may be needed again, and the beginning of a packet, decrypted on trial. */
const earlier: usize = memory.data(16, 16);
const beginning: usize = memory.data(8, 8);

/** The first address that is free for the host. */
export function heapBase(): usize {
  return __heap_base;
}

/** Octets that the host provides for a direction. */
export function directionLength(): usize {
  return tableAt + TABLE;
}

/** Begins with the start key at `key`; `keyLength` 16 or 8, of which the first `weakenedOctets` are constant. */
export function start(direction: usize, key: usize, keyLength: usize, weakenedOctets: u32, stateless: bool): void {
  const state = changetype<Direction>(direction);
  memory.fill(direction, 0, directionLength());
  state.keyLength = keyLength;
  state.weakened = (1 << (8 * weakenedOctets)) - 1;
  state.stateless = stateless;
  state.synchronized = true;
  const message = direction + messageAt;
  const session = message + keyLength + PAD;
  const end = session + keyLength + PAD;
  memory.copy(message, key, keyLength);
  memory.copy(session, key, keyLength);
  memory.fill(session + keyLength, 0xf2, PAD);
  store<u8>(end, 0x80);
  store<u32>(message + MESSAGE - 4, bswap<u32>(<u32>(end - message) << 3));
  hashKeys(direction);
  memory.copy(session, digest, keyLength);
  weaken(state, session);
  initialize(state, direction + tableAt, session);
}

/** Forgets the keys. */
export function stop(direction: usize): void {
  memory.fill(direction, 0, directionLength());
  memory.fill(words, 0, 80 * 4);
  memory.fill(digest, 0, 5 * 4);
  memory.fill(earlier, 0, 16);
  memory.fill(beginning, 0, 8);
}

/**
 * The next packet is to be one that the peer can decrypt whatever it has lost. After a Reset-Request RFC 3078 §3.1 and
 * BSD use the current key, and Linux takes a new one; all agree on flag packets, so the count jumps to the next of those.
 * Linux also notices when it has lost such a packet, and not when it has lost another one with FLUSHED.
 */
export function flushNext(direction: usize): void {
  const state = changetype<Direction>(direction);
  state.flush = !state.stateless;
}

/**
 * Encrypts `length` octets at `at`, and writes the header before them. Returns the packet's length, which begins 2 octets
 * before `at`; 0 without keys.
 */
export function encrypt(direction: usize, at: usize, length: usize): usize {
  const state = changetype<Direction>(direction);
  if (!state.keyLength) return 0;
  const count = state.flush ? state.count | FLAG : state.count;
  state.count = (count + 1) & COUNT;
  let header = count | ENCRYPTED;
  if (state.stateless || (count & FLAG) == FLAG) {
    header |= FLUSHED;
    state.flush = false;
    changeKey(state, direction);
    initialize(state, direction + tableAt, sessionOf(state, direction));
  }
  store<u16>(at - HEADER, bswap<u16>(<u16>header));
  crypt(state, direction + tableAt, at, length);
  return length + HEADER;
}

/** Decrypts the packet of `length` octets at `at`. Returns how many octets after its header are plain, or a RESULT. */
export function decrypt(direction: usize, at: usize, length: usize): i32 {
  const state = changetype<Direction>(direction);
  if (!state.keyLength) return RESULT_INVALID;
  if (length <= HEADER) return nonsense(state, NONSENSE_INVALID, RESULT_INVALID);
  const header = <u32>bswap<u16>(load<u16>(at));
  const count = header & COUNT;
  const flushed = (header & FLUSHED) != 0;
  if ((header & (ENCRYPTED | COMPRESSED)) != ENCRYPTED || (state.stateless && !flushed)) {
    return nonsense(state, NONSENSE_INVALID, RESULT_INVALID);
  }
  const lost = (count - state.count) & COUNT;
  if (state.stateless) {
    if (!followKey(state, direction, at + HEADER, length - HEADER, lost)) {
      return nonsense(state, NONSENSE_LATE, RESULT_LATE);
    }
  } else if (flushed || (count & FLAG) == FLAG) {
    if (!findKey(state, direction, at + HEADER, length - HEADER, lost)) {
      return nonsense(state, NONSENSE_LATE, RESULT_LATE);
    }
    state.synchronized = true;
  } else if (lost || !state.synchronized) {
    state.synchronized = false;
    return RESULT_OUT_OF_SYNC;
  }
  state.count = (count + 1) & COUNT;
  crypt(state, direction + tableAt, at + HEADER, length - HEADER);
  state.nonsense >>= 1;
  return <i32>(length - HEADER);
}

/**
 * Stateless: changes the key for this packet and for each one that was lost before it, and initializes the tables. After a
 * loss the key is tried: if no IP packet comes out, the count has perhaps gone round. If none ever does, a packet less than
 * LATE ahead carries something else; of others the result is false, and the key is as before.
 */
function followKey(state: Direction, direction: usize, at: usize, length: usize, lost: u32): bool {
  const table = direction + tableAt;
  const session = sessionOf(state, direction);
  const isLate = lost >= LATE;
  const searches = lost != 0 && !state.pause;
  if (lost && state.pause) state.pause--;
  if (isLate && !searches) return false;
  memory.copy(earlier, session, state.keyLength);
  changeKeys(state, direction, lost + 1);
  if (!isLate) memory.copy(earlier, session, state.keyLength);
  if (searches) {
    for (let round: u32 = 0; round <= MAX_ROUNDS; round++) {
      if (round) changeKeys(state, direction, ROUND);
      if (isKeyOf(state, direction, at, length)) return true;
    }
    state.pause = SEARCH_PAUSE;
    memory.copy(session, earlier, state.keyLength);
  }
  initialize(state, table, session);
  return !isLate;
}

/**
 * Stateful: changes the key for each flag packet from the expected one to this one, and initializes the tables. Linux
 * changes the key for each packet with FLUSHED, and packets with FLUSHED may have been lost, or so many that the count has
 * gone round: so further keys are tried until an IP packet comes out. If none does, it carries something else, with the key
 * that RFC 3078 says; or the result is false as that of followKey.
 */
function findKey(state: Direction, direction: usize, at: usize, length: usize, lost: u32): bool {
  const session = sessionOf(state, direction);
  const isLate = lost >= LATE;
  memory.copy(earlier, session, state.keyLength);
  changeKeys(state, direction, ((state.count & FLAG) + lost + 1) >> 8);
  if (!isLate) memory.copy(earlier, session, state.keyLength);
  for (let changes: u32 = 0; changes <= UNTOLD_CHANGES; changes++) {
    if (changes) changeKey(state, direction);
    if (isKeyOf(state, direction, at, length)) return true;
  }
  memory.copy(session, earlier, state.keyLength);
  if (isLate) state.synchronized = false;
  else initialize(state, direction + tableAt, session);
  return !isLate;
}

function changeKeys(state: Direction, direction: usize, times: u32): void {
  for (; times; times--) changeKey(state, direction);
}

/** Whether the session key decrypts this to an IP packet; the tables are initialized for it then. */
function isKeyOf(state: Direction, direction: usize, at: usize, length: usize): bool {
  const table = direction + tableAt;
  const session = sessionOf(state, direction);
  initialize(state, table, session);
  if (!isIpPacket(state, table, at, length)) return false;
  initialize(state, table, session);
  return true;
}

/** Whether a frame is an IP packet of the right length. Uses the tables up. */
function isIpPacket(state: Direction, table: usize, at: usize, length: usize): bool {
  if (length < 8) return false;
  store<u64>(beginning, load<u64>(at));
  crypt(state, table, beginning, 8);
  // The protocol field may be compressed to its second octet.
  const packet = beginning + (load<u8>(beginning) ? 1 : 2);
  const protocol = <u32>load<u8>(packet - 1);
  const version = load<u8>(packet) >> 4;
  const rest = length - (packet - beginning);
  if (protocol == PROTOCOL_IPV4) return version == 4 && bswap<u16>(load<u16>(packet + 2)) == rest;
  if (protocol == PROTOCOL_IPV6) return version == 6 && bswap<u16>(load<u16>(packet + 4)) + IPV6_HEADER == rest;
  return false;
}

function nonsense(state: Direction, amount: i32, result: i32): i32 {
  state.nonsense = min(state.nonsense + amount, NONSENSE_LIMIT);
  return state.nonsense < NONSENSE_LIMIT ? result : RESULT_FATAL;
}

// @ts-ignore: decorator
@inline
function sessionOf(state: Direction, direction: usize): usize {
  return direction + messageAt + state.keyLength + PAD;
}

/** RFC 3078 §7.3: the session key encrypted with itself, hashed with the start key. The tables are another matter. */
function changeKey(state: Direction, direction: usize): void {
  const session = sessionOf(state, direction);
  hashKeys(direction);
  initialize(state, direction + tableAt, digest);
  memory.copy(session, digest, state.keyLength);
  crypt(state, direction + tableAt, session, state.keyLength);
  weaken(state, session);
}

// @ts-ignore: decorator
@inline
function weaken(state: Direction, session: usize): void {
  store<u32>(session, (load<u32>(session) & ~state.weakened) | (WEAKENED & state.weakened));
}

/** A step of the key schedule: exchanges an entry of the table. Returns the other one's index. */
// @ts-ignore: decorator
@inline
function mix(table: usize, i: usize, key: usize, j: u32): u32 {
  const octet = <u32>load<u8>(table + i);
  const next = (j + (octet + <u32>load<u8>(key))) & 0xff;
  store<u8>(table + i, load<u8>(table + next));
  store<u8>(table + next, <u8>octet);
  return next;
}

/** Encrypts or decrypts the octet at `at` by RC4's entry `i`. Returns the next index j. */
// @ts-ignore: decorator
@inline
function cryptOctet(table: usize, i: u32, j: u32, at: usize): u32 {
  const a = <u32>load<u8>(table + i);
  const next = (j + a) & 0xff;
  const b = <u32>load<u8>(table + next);
  store<u8>(table + i, <u8>b);
  store<u8>(table + next, <u8>a);
  store<u8>(at, load<u8>(at) ^ load<u8>(table + ((a + b) & 0xff)));
  return next;
}

/** RC4's key schedule. As in `crypt`, eight steps in a row save a fifth of the time. */
function initialize(state: Direction, table: usize, key: usize): void {
  const mask = state.keyLength - 1;
  let next = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (let i: usize = 0; i < TABLE; i += 16) {
    v128.store(table + i, next);
    next = i8x16.add(next, i8x16.splat(16));
  }
  let j: u32 = 0;
  for (let i: usize = 0; i < TABLE; i += 8) {
    const part = key + (i & mask);
    j = mix(table, i, part, j);
    j = mix(table, i + 1, part + 1, j);
    j = mix(table, i + 2, part + 2, j);
    j = mix(table, i + 3, part + 3, j);
    j = mix(table, i + 4, part + 4, j);
    j = mix(table, i + 5, part + 5, j);
    j = mix(table, i + 6, part + 6, j);
    j = mix(table, i + 7, part + 7, j);
  }
  state.i = 0;
  state.j = 0;
}

/** RC4: encrypts or decrypts in place. */
function crypt(state: Direction, table: usize, at: usize, length: usize): void {
  let i = state.i;
  let j = state.j;
  const end = at + length;
  const whole = at + (length & ~7);
  for (; at < whole; at += 8) {
    j = cryptOctet(table, (i + 1) & 0xff, j, at);
    j = cryptOctet(table, (i + 2) & 0xff, j, at + 1);
    j = cryptOctet(table, (i + 3) & 0xff, j, at + 2);
    j = cryptOctet(table, (i + 4) & 0xff, j, at + 3);
    j = cryptOctet(table, (i + 5) & 0xff, j, at + 4);
    j = cryptOctet(table, (i + 6) & 0xff, j, at + 5);
    j = cryptOctet(table, (i + 7) & 0xff, j, at + 6);
    j = cryptOctet(table, (i + 8) & 0xff, j, at + 7);
    i += 8;
  }
  for (; at < end; at++) j = cryptOctet(table, ++i & 0xff, j, at);
  state.i = i & 0xff;
  state.j = j;
}

/** SHA-1 of the direction's message (FIPS 180-4 §6.1.2). */
function hashKeys(direction: usize): void {
  store<u32>(digest, 0x67452301, 0);
  store<u32>(digest, 0xefcdab89, 4);
  store<u32>(digest, 0x98badcfe, 8);
  store<u32>(digest, 0x10325476, 12);
  store<u32>(digest, 0xc3d2e1f0, 16);
  hashBlock(direction + messageAt);
  hashBlock(direction + messageAt + 64);
  for (let at: usize = 0; at < 20; at += 4) store<u32>(digest + at, bswap<u32>(load<u32>(digest + at)));
}

function hashBlock(block: usize): void {
  for (let at: usize = 0; at < 64; at += 4) store<u32>(words + at, bswap<u32>(load<u32>(block + at)));
  for (let at: usize = words + 64; at < words + 320; at += 4) {
    store<u32>(at, rotl<u32>(load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64), 1));
  }
  let a = load<u32>(digest, 0);
  let b = load<u32>(digest, 4);
  let c = load<u32>(digest, 8);
  let d = load<u32>(digest, 12);
  let e = load<u32>(digest, 16);
  for (let at: usize = words; at < words + 80; at += 4) {
    const sum = rotl<u32>(a, 5) + ((b & c) | (~b & d)) + e + 0x5a827999 + load<u32>(at);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = sum;
  }
  for (let at: usize = words + 80; at < words + 160; at += 4) {
    const sum = rotl<u32>(a, 5) + (b ^ c ^ d) + e + 0x6ed9eba1 + load<u32>(at);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = sum;
  }
  for (let at: usize = words + 160; at < words + 240; at += 4) {
    const sum = rotl<u32>(a, 5) + ((b & c) | (b & d) | (c & d)) + e + 0x8f1bbcdc + load<u32>(at);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = sum;
  }
  for (let at: usize = words + 240; at < words + 320; at += 4) {
    const sum = rotl<u32>(a, 5) + (b ^ c ^ d) + e + 0xca62c1d6 + load<u32>(at);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = sum;
  }
  store<u32>(digest, load<u32>(digest, 0) + a, 0);
  store<u32>(digest, load<u32>(digest, 4) + b, 4);
  store<u32>(digest, load<u32>(digest, 8) + c, 8);
  store<u32>(digest, load<u32>(digest, 12) + d, 12);
  store<u32>(digest, load<u32>(digest, 16) + e, 16);
}
