import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { challengeResponse } from '../../../src/mschap/des.js';
import { lmHash, ntHash, ntHashHash } from '../../../src/mschap/password-hash.js';
import { hex, toHex } from './octets.js';

const challenge = hex('102db5df085d3041');

describe('Hashes of passwords', () => {
  test('NT: RFC 2759 §9.2, §9.3', () => {
    assert.equal(toHex(ntHash('clientPass')), '44ebba8d5312b8d611474411f56989ae');
    assert.equal(toHex(ntHashHash(ntHash('clientPass'))), '41c00c584bd2d91c4017a2a12fa59f3f');
    assert.equal(toHex(ntHash('MyPw')), 'fc156af7edcd6c0edde3337d427f4eac');
    assert.equal(toHex(ntHash('')), '31d6cfe0d16ae931b73c59d7e0c089c0');
  });

  test('NT: the password is hashed in UTF-16', () => {
    // MD4 by OpenSSL.
    assert.equal(toHex(ntHash('Schlüssel')), 'ff9e6c5122ea4c4fb32310855790dece');
    assert.equal(toHex(ntHash('пароль')), '507e3ee80df7db7c1fdd8d50ae8db606');
  });

  test('LAN Manager: RFC 3079 §2.5, and in any case', () => {
    const hash = lmHash('clientPass');
    assert.equal(toHex(hash ?? new Uint8Array()), '76a152936096d7830e2390227404afd2');
    assert.deepEqual(lmHash('CLIENTpASS'), hash);
    assert.equal(toHex(lmHash('MyPw') ?? new Uint8Array()), '75ba30198e6d1975aad3b435b51404ee');
  });

  test('LAN Manager has none for a long password, nor for one that is not ASCII', () => {
    assert.notEqual(lmHash('fourteen chars'), null);
    assert.equal(lmHash('fifteen letters'), null);
    assert.equal(lmHash('Schlüssel'), null);
  });

  test('response to a challenge: RFC 2433 §B.2', () => {
    assert.equal(
      toHex(challengeResponse(challenge, ntHash('MyPw'))),
      '4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61',
    );
    assert.equal(
      toHex(challengeResponse(challenge, lmHash('MyPw') ?? new Uint8Array())),
      '91881d0152ab0c33c524135ec24a95ee64e23cdc2d33347d',
    );
  });
});
