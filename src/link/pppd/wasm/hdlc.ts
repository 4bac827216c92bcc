/**
 * HDLC framing (RFC 1662) in WebAssembly (AssemblyScript): the only part of the relay that touches every octet. It uses
 * eight FCS-16 tables and finds octets to escape sixteen at a time. Buffers lie above `heapBase()`, and need 16 octets
 * of slack after source and target, since vectors are read and written whole. test/bench's echo and uplink rows measure
 * its speed.
 */

const FLAG: u8 = 0x7e;
const ESCAPE: u8 = 0x7d;
/** An escaped octet has this bit flipped (RFC 1662 §4.2). */
const FLIP: u8 = 0x20;
/** RFC 1662 §C: the checksum of a complete frame including its FCS. */
const GOOD_FCS: u32 = 0xf0b8;
/** The FCS-16 polynomial x^16 + x^12 + x^5 + 1, bits reversed. */
const POLYNOMIAL: u32 = 0x8408;
/** Protocol field (compressed) and FCS. */
const SHORTEST_FRAME: usize = 3;
const FCS_LENGTH: usize = 2;

/** Eight tables of 256 16-bit values: table k gives an octet's effect on the FCS after k more octets. */
const tables: usize = memory.data(8 * 256 * 2, 16);

for (let octet: u32 = 0; octet < 256; octet++) {
  let value = octet;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ POLYNOMIAL : value >> 1;
  store<u16>(tables + (octet << 1), <u16>value);
}
for (let table: u32 = 1; table < 8; table++) {
  for (let octet: u32 = 0; octet < 256; octet++) {
    const before = fcsOf(table - 1, octet);
    store<u16>(tables + (table << 9) + (octet << 1), <u16>((before >> 8) ^ fcsOf(0, before & 0xff)));
  }
}

/** The first address that is free for the host. */
export function heapBase(): usize {
  return __heap_base;
}

// @ts-ignore: decorator
@inline
function fcsOf(table: u32, octet: u32): u32 {
  return load<u16>(tables + (table << 9) + (octet << 1));
}

function checksum(source: usize, length: usize): u32 {
  let fcs: u32 = 0xffff;
  const end = source + length;
  while (source + 8 <= end) {
    const octets = load<u64>(source);
    const low = <u32>octets ^ fcs;
    const high = <u32>(octets >> 32);
    fcs =
      fcsOf(7, low & 0xff) ^
      fcsOf(6, (low >> 8) & 0xff) ^
      fcsOf(5, (low >> 16) & 0xff) ^
      fcsOf(4, low >> 24) ^
      fcsOf(3, high & 0xff) ^
      fcsOf(2, (high >> 8) & 0xff) ^
      fcsOf(1, (high >> 16) & 0xff) ^
      fcsOf(0, high >> 24);
    source += 8;
  }
  while (source < end) {
    fcs = (fcs >> 8) ^ fcsOf(0, (fcs ^ load<u8>(source)) & 0xff);
    source++;
  }
  return fcs;
}

/**
 * Writes `length` octets at `source` as one frame at `target`: flag, octets and FCS escaped according to `accm`, flag.
 * Returns the address after it. Writes at most 2 * length + 6 octets.
 */
export function encode(source: usize, length: usize, target: usize, accm: u32): usize {
  const fcs = checksum(source, length) ^ 0xffff;
  store<u8>(target++, FLAG);
  target = escape(source, length, target, accm);
  target = escapeOctet(<u8>fcs, target, accm);
  target = escapeOctet(<u8>(fcs >> 8), target, accm);
  store<u8>(target++, FLAG);
  return target;
}

function escape(source: usize, length: usize, target: usize, accm: u32): usize {
  const end = source + length;
  const flags = i8x16.splat(FLAG);
  const escapes = i8x16.splat(ESCAPE);
  // Octets below 0x20 are checked one by one, but only while the ACCM is not zero.
  const controls = i8x16.splat(accm ? 0x20 : 0);
  while (source < end) {
    const octets = v128.load(source);
    v128.store(target, octets);
    let found = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(octets, flags), i8x16.eq(octets, escapes)), i8x16.lt_u(octets, controls)),
    );
    const left = end - source;
    if (left < 16) found &= (1 << <i32>left) - 1;
    if (!found) {
      const step = min<usize>(left, 16);
      source += step;
      target += step;
      continue;
    }
    const step = <usize>ctz(found);
    target = escapeOctet(load<u8>(source + step), target + step, accm);
    source += step + 1;
  }
  return target;
}

// @ts-ignore: decorator
@inline
function escapeOctet(octet: u8, target: usize, accm: u32): usize {
  if (octet == FLAG || octet == ESCAPE || (octet < 0x20 && (accm >> octet) & 1)) {
    store<u8>(target, ESCAPE);
    store<u8>(target + 1, octet ^ FLIP);
    return target + 2;
  }
  store<u8>(target, octet);
  return target + 1;
}

// Decoding. Frames go into the slots that the host has set; the frame being read is in slot `frames`.
let slots: usize = 0;
let stride: usize = 0;
let limit: usize = 0;
let lengths: usize = 0;
let capacity: i32 = 0;

let frames: i32 = 0;
let length: usize = 0;
let escaped: bool = false;
let overlong: bool = false;

/** Counters since the start: wrong FCS, under 3 octets, longer than the limit, aborted. */
export let badFcs: u32 = 0;
export let tooShort: u32 = 0;
export let tooLong: u32 = 0;
export let aborted: u32 = 0;

/** Sets where frames go: slots `stride` apart, each at most `limit` octets with its FCS, and their lengths as i32. */
export function layOut(slotsAt: usize, strideOf: usize, limitOf: usize, lengthsAt: usize, capacityOf: i32): void {
  slots = slotsAt;
  stride = strideOf;
  limit = limitOf;
  lengths = lengthsAt;
  capacity = capacityOf;
}

/** Number of complete frames in the slots. */
export function frameCount(): i32 {
  return frames;
}

/** Frees the complete frames, and moves the incomplete one to the first slot. */
export function takeFrames(): void {
  if (frames && length) memory.copy(slots, slots + <usize>frames * stride, length);
  frames = 0;
}

/** Decodes `count` octets at `source`; stops when every slot is full. Returns the number of octets used. */
export function decode(source: usize, count: usize): usize {
  const begin = source;
  const end = source + count;
  const flags = i8x16.splat(FLAG);
  const escapes = i8x16.splat(ESCAPE);
  while (source < end && frames < capacity) {
    const slot = slots + <usize>frames * stride;
    if (escaped) {
      const octet = load<u8>(source++);
      escaped = false;
      if (octet == FLAG) {
        aborted++;
        length = 0;
        overlong = false;
      } else {
        store<u8>(slot + length, octet ^ FLIP);
        length++;
      }
      continue;
    }
    if (length > limit) {
      // Overwrites the same slot until the next flag.
      overlong = true;
      length = 0;
    }
    const octets = v128.load(source);
    v128.store(slot + length, octets);
    let found = i8x16.bitmask(v128.or(i8x16.eq(octets, flags), i8x16.eq(octets, escapes)));
    const left = end - source;
    if (left < 16) found &= (1 << <i32>left) - 1;
    if (!found) {
      const step = min<usize>(left, 16);
      source += step;
      length += step;
      continue;
    }
    const step = <usize>ctz(found);
    source += step + 1;
    length += step;
    if (load<u8>(source - 1) == ESCAPE) escaped = true;
    else endFrame(slot);
  }
  return source - begin;
}

function endFrame(slot: usize): void {
  if (overlong || length > limit) tooLong++;
  else if (length == 0) {
    // Two consecutive flags: there is no frame between them.
  } else if (length < SHORTEST_FRAME) tooShort++;
  else if (checksum(slot, length) != GOOD_FCS) badFcs++;
  else {
    store<i32>(lengths + (<usize>frames << 2), <i32>(length - FCS_LENGTH));
    frames++;
  }
  length = 0;
  overlong = false;
}
