/**
 * MD4 (RFC 1320), which MS-CHAP hashes passwords with. OpenSSL 3 has it only in a provider that Node does not load, and
 * npm's js-md4 has no types and calls OpenSSL for plain use.
 */

const BLOCK = 64;
const LENGTH_FIELD = 8;
const START = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476] as const;

/** RFC 1320 §3.4: each round has a function, a constant, four shifts, and an order in which it reads the block. */
const ROUNDS: readonly {
  readonly mix: (x: number, y: number, z: number) => number;
  readonly constant: number;
  readonly shifts: readonly number[];
  readonly order: readonly number[];
}[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    constant: 0,
    shifts: [3, 7, 11, 19],
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    constant: 0x5a82_7999,
    shifts: [3, 5, 9, 13],
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    constant: 0x6ed9_eba1,
    shifts: [3, 9, 11, 15],
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
  },
];

/** 16 octets. */
export function md4(message: Uint8Array): Uint8Array {
  const padded = pad(message);
  let state: readonly [number, number, number, number] = START;
  for (let at = 0; at < padded.byteLength; at += BLOCK) {
    let [a, b, c, d] = state;
    for (const { mix, constant, shifts, order } of ROUNDS) {
      for (const [step, word] of order.entries()) {
        const sum = (a + mix(b, c, d) + padded.getUint32(at + 4 * word, true) + constant) | 0;
        const shift = shifts[step % shifts.length] ?? 0;
        [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
      }
    }
    state = [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0];
  }
  const digest = new DataView(new ArrayBuffer(16));
  for (const [index, word] of state.entries()) digest.setInt32(4 * index, word, true);
  return new Uint8Array(digest.buffer);
}

/** RFC 1320 §3.1 and §3.2: a 1 bit, zeros, and the length in bits. */
function pad(message: Uint8Array): DataView {
  const blocks = Math.ceil((message.length + 1 + LENGTH_FIELD) / BLOCK);
  const padded = new Uint8Array(blocks * BLOCK);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - LENGTH_FIELD, 8n * BigInt(message.length), true);
  return view;
}
