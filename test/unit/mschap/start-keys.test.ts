import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Mppe, type MppeBits } from '../../../src/mschap/mppe.js';
import { lmHash, ntHash } from '../../../src/mschap/password-hash.js';
import { type StartKeys, startKeysV1, startKeysV2 } from '../../../src/mschap/start-keys.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';
import { ascii, hex, toHex } from './octets.js';

const hash = ntHash('clientPass');
const v2 = startKeysV2(hash, hex('82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df'));
const v1 = startKeysV1(hash, lmHash('clientPass'), hex('102db5df085d3041'));

const memory = new SharedMemory();
const mppe = new Mppe(memory);
const at = memory.take(64) + 16;

/** RFC 3079 encrypts this with the first session key; so does the first packet, where stateful. */
function sample(keys: StartKeys, bits: MppeBits): string {
  mppe.start(keys, { bits, stateless: false });
  memory.octets.set(ascii('test message'), at);
  const length = mppe.encrypt(at, 12);
  return toHex(memory.part(at - 2, length));
}

describe("MPPE's keys: RFC 3079", () => {
  test('§3.5, MS-CHAPv2: start keys of the server', () => {
    assert.equal(toHex(v2.send), '8b7cdc149b993a1ba118cb153f56dccb');
    assert.equal(toHex(v2.receive), 'd5f0e9521e3ea9589645e86051c82226');
    assert.equal(v2.weak, null);
  });

  test('§3.5, MS-CHAPv2: sample messages', () => {
    assert.equal(sample(v2, 40), '1000929137917e5803d668d75898');
    // The RFC prints the last octet as 58. RC4 by OpenSSL with the RFC's own key (d15c00c49fa62e3e) gives b8.
    assert.equal(sample(v2, 56), '10003f106833fa448da842bc57b8');
    assert.equal(sample(v2, 128), '100081848317df68846272fb5abe');
  });

  test('§2.5, MS-CHAPv1: start keys', () => {
    assert.equal(toHex(v1.send), 'a8947850cfc0acc1d1789fb62ddcddb0');
    assert.deepEqual(v1.receive, v1.send);
    assert.equal(toHex(v1.weak ?? new Uint8Array()), '76a152936096d783');
  });

  // RC4 by OpenSSL with the RFC's session keys: d1269e538cec4a08, d10801538cec4a08, 59d159bc09f76f1da2a86a28ffec0b1e.
  test('§2.5, MS-CHAPv1: sample messages', () => {
    assert.equal(sample(v1, 40), '10000972e76039e5107985567642');
    assert.equal(sample(v1, 56), '10001cc6bf0bbd3d9b21cf877a6b');
    assert.equal(sample(v1, 128), '1000fae90688f985f313c7d367c3');
  });

  test('a key that is too short is refused', () => {
    const keys = { ...v2, send: new Uint8Array(8) };
    assert.throws(() => mppe.start(keys, { bits: 128, stateless: true }), /16 octets, not 8/);
  });
});
