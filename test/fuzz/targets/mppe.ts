/**
 * MPPE in WebAssembly, where nothing else protects the memory: packets from a peer that has no keys, or sends nonsense
 * between good packets. Canaries lie around everything that it may write.
 */
import assert from 'node:assert/strict';
import { MPPE_HEADER, Mppe } from '../../../src/mschap/mppe.js';
import type { StartKeys } from '../../../src/mschap/start-keys.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';
import type { Target } from '../target.js';

const CANARY = 0xa5;
const CANARIES = 16;
const LONGEST = 255;
const BITS = [40, 56, 128] as const;

const memory = new SharedMemory();
const server = new Mppe(memory);
const client = new Mppe(memory);
const packetAt = memory.take(LONGEST + 2 * CANARIES) + CANARIES;
const frameAt = memory.take(LONGEST + 2 * CANARIES) + CANARIES;

const serverKeys: StartKeys = { send: new Uint8Array(16).fill(1), receive: new Uint8Array(16).fill(2), weak: null };
const clientKeys: StartKeys = { send: serverKeys.receive, receive: serverKeys.send, weak: null };

/** Runs `change` on the octets at `at`, and returns its result. */
function guarded(octets: Uint8Array, at: number, headroom: number, change: () => number): number {
  const [begin, end] = [at - headroom, at + octets.length];
  memory.octets.fill(CANARY, begin - CANARIES, at).set(octets, at);
  memory.octets.fill(CANARY, end, end + CANARIES);
  const result = change();
  for (const canary of [begin - CANARIES, end]) {
    const octetsThere = memory.part(canary, CANARIES);
    assert(
      octetsThere.every((octet) => octet === CANARY),
      'it wrote beyond its packet',
    );
  }
  return result;
}

const liesAt = (at: number, octets: Uint8Array): boolean =>
  Buffer.compare(memory.part(at, octets.length), octets) === 0;

function* packetsOf(input: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < input.length; ) {
    const end = at + 1 + (input[at] ?? 0);
    yield input.subarray(at + 1, end);
    at = end;
  }
}

/** The first octet chooses the mode; then packets, each after its length. */
export const mppe: Target = {
  covers: ['/src/mschap/mppe.js'],
  seeds: () =>
    [0, 1, 2, 3, 4, 5].map((mode) =>
      Uint8Array.from([
        mode,
        4,
        0x90,
        0x00,
        0x21,
        0x45,
        3,
        0x90,
        0xff,
        0x21,
        4,
        0x10,
        0x01,
        0x00,
        0x21,
        2,
        0x90,
        0x01,
        0,
      ]),
    ),
  run: (input) => {
    const mode = { bits: BITS[(input[0] ?? 0) % 3] ?? 128, stateless: (input[0] ?? 0) % 2 === 0 };
    server.start(serverKeys, mode);
    client.start(clientKeys, mode);
    const results = new Set<number>();
    for (const packet of packetsOf(input.subarray(1))) {
      const result = guarded(packet, packetAt, 0, () => server.decrypt(packetAt, packet.length));
      if (result >= 0) assert.equal(result, packet.length - MPPE_HEADER);
      else assert(liesAt(packetAt, packet), 'what is not decrypted stays as it was');
      results.add(Math.min(result, 0));
      if (packet.length === 0) continue;
      // The other direction knows nothing of that.
      const length = guarded(packet, frameAt, MPPE_HEADER, () => server.encrypt(frameAt, packet.length));
      assert.equal(length, packet.length + MPPE_HEADER);
      assert.equal(client.decrypt(frameAt - MPPE_HEADER, length), packet.length);
      assert(liesAt(frameAt, packet), 'what is decrypted is what was encrypted');
    }
    return [...results].toSorted((a, b) => a - b).join();
  },
};
