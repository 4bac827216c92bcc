/** Serial number arithmetic over 2^32 (RFC 1982), as GRE's sequence numbers need it. */

/** How far `to` is ahead of `from`: -2^31 to 2^31 - 1. */
export const distance = (from: number, to: number): number => (to - from) | 0;

/** `sequence` plus `count`, as an unsigned 32-bit number. */
export const advance = (sequence: number, count: number): number => (sequence + count) >>> 0;
