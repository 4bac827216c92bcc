/** The examples of RFC 2865 §7, and packets that lie. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  type Attribute,
  ATTRIBUTES,
  decodeAttributes,
  encodeAttributes,
  valueOf,
} from '../../../src/radius/attributes.js';
import { hideKey, hidePassword, showChapKeys, showKey } from '../../../src/radius/hidden-values.js';
import {
  authenticatorOf,
  decodePacket,
  encodeAccounting,
  encodeReply,
  encodeSigned,
  judgeReply,
} from '../../../src/radius/packet.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const SECRET = Buffer.from('xyzzy5461');
const NEMO_REQUEST = hex(
  '01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03',
);
const NEMO_ACCEPT = hex(
  '02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03',
);
const FLOPSY_REQUEST = hex(
  '01 01 00 47 2a ee 86 f0 8d 0d 55 96 9c a5 97 8e 0d 33 67 a2 01 08 66 6c 6f 70 73 79 03 13 16 e9 75 57 c3 16 18 58 95 f2 93 ff 63 44 07 72 75 04 06 c0 a8 01 10 05 06 00 00 00 14 06 06 00 00 00 02 07 06 00 00 00 01',
);
const FLOPSY_ACCEPT = hex(
  '02 01 00 38 15 ef bc 7d ab 26 cf a3 dc 34 d9 c0 3c 86 01 a4 06 06 00 00 00 02 07 06 00 00 00 01 08 06 ff ff ff fe 0a 06 00 00 00 02 0d 06 00 00 00 01 0c 06 00 00 05 dc',
);
const request = authenticatorOf(NEMO_REQUEST);

describe('RFC 2865 §7', () => {
  test('requests are read', () => {
    const nemo = decodePacket(NEMO_REQUEST) ?? assert.fail();
    assert.deepEqual([nemo.code, nemo.identifier], [1, 0]);
    assert.equal(Buffer.from(valueOf(nemo.attributes, 'User-Name') ?? []).toString(), 'nemo');
    assert.equal(valueOf(nemo.attributes, 'NAS-Port'), 3);
    const flopsy = decodePacket(FLOPSY_REQUEST) ?? assert.fail();
    assert.equal(valueOf(flopsy.attributes, 'CHAP-Password')?.length, 17);
  });

  test('a password is hidden as in the example', () => {
    const hidden = hidePassword(Buffer.from('arctangent'), { secret: SECRET, authenticator: request });
    assert.deepEqual(Buffer.from(hidden), hex('0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee'));
  });

  test('answers are those of the server, and of no other', () => {
    const judge = (answer: Buffer, asked: Buffer, secret = SECRET) =>
      judgeReply(answer, { secret, request: authenticatorOf(asked), mustBeSigned: false });
    assert.equal(judge(NEMO_ACCEPT, NEMO_REQUEST), null);
    assert.equal(judge(FLOPSY_ACCEPT, FLOPSY_REQUEST), null);
    assert.equal(judge(NEMO_ACCEPT, FLOPSY_REQUEST), 'forged');
    assert.equal(judge(NEMO_ACCEPT, NEMO_REQUEST, Buffer.from('xyzzy5462')), 'forged');
    const signed = { secret: SECRET, request, mustBeSigned: true };
    assert.equal(judgeReply(NEMO_ACCEPT, signed), 'unsigned');
  });
});

describe('a reply', () => {
  const reply = (isSigned: boolean, attributes: readonly Attribute[] = [['Session-Timeout', 60]]) =>
    encodeReply({ code: 2, identifier: 7, attributes }, { secret: SECRET, request, isSigned });
  const judge = (octets: Uint8Array, mustBeSigned = true) =>
    judgeReply(octets, { secret: SECRET, request, mustBeSigned });

  test('that is signed passes, with padding behind it, too', () => {
    assert.equal(judge(reply(true)), null);
    assert.equal(judge(Buffer.concat([reply(true), Buffer.alloc(9)])), null);
    assert.equal(judge(reply(false), false), null);
  });

  test('is forged when any of its bits is another', () => {
    const octets = reply(true);
    for (let bit = 0; bit < octets.length * 8; bit += 1) {
      const other = Uint8Array.from(octets);
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.notEqual(judge(other), null, `bit ${bit}`);
    }
  });

  test('is forged when its signature is wrong, although its authenticator is right', () => {
    for (const signature of [new Uint8Array(16), new Uint8Array(15), new Uint8Array(17)])
      assert.equal(judge(reply(false, [['Message-Authenticator', signature]])), 'forged');
    const twice = reply(true, [['Message-Authenticator', new Uint8Array(16)]]);
    assert.equal(judge(twice), 'forged');
  });

  test('that is cut off is none', () => {
    const octets = reply(true);
    for (let length = 0; length < octets.length; length += 1) {
      assert.equal(decodePacket(octets.subarray(0, length)), null);
      assert.equal(judge(octets.subarray(0, length)), 'forged');
    }
  });
});

test('Message-Authenticator stands first in a request', () => {
  const signed = encodeSigned(
    { code: 1, identifier: 1, authenticator: request, attributes: [['NAS-Port', 1]] },
    SECRET,
  );
  const { attributes } = decodePacket(signed) ?? assert.fail();
  assert.deepEqual(
    attributes.map(([name]) => name),
    ['Message-Authenticator', 'NAS-Port'],
  );
});

test('the authenticator of an accounting request is the MD5 of it', () => {
  const packet = { code: 4, identifier: 9, attributes: [] };
  assert.notDeepEqual(encodeAccounting(packet, SECRET), encodeAccounting(packet, Buffer.from('another')));
});

describe('attributes', () => {
  test('that lie about their lengths make the packet none', () => {
    const wrong = [
      '01',
      '0101',
      '0100',
      '0103',
      '1b0500000a',
      '1a08000001371a',
      '1a09000001370103',
      '1a0a0000013707060001',
    ];
    for (const octets of wrong) assert.equal(decodeAttributes(hex(octets)), null, octets);
  });

  test('that are not declared, and what other vendors have, are skipped', () => {
    assert.deepEqual(decodeAttributes(hex('f803ff 1a0900000009aaff00')), []);
  });

  test('of one vendor may share an attribute', () => {
    const both = decodeAttributes(hex('1a12 00000137 070600000001 070600000002'));
    assert.deepEqual(both, [
      ['MS-MPPE-Encryption-Policy', 1],
      ['MS-MPPE-Encryption-Policy', 2],
    ]);
  });

  test('are what they were after encoding and decoding', () => {
    const value = fc.uint8Array({ minLength: 1, maxLength: 240 });
    const attribute = fc.oneof(
      fc.tuple(fc.constant('User-Name' as const), value),
      fc.tuple(fc.constant('MS-CHAP2-Success' as const), value),
      fc.tuple(fc.constant('Session-Timeout' as const), fc.integer({ min: 0, max: 0xffff_ffff })),
      fc.tuple(fc.constant('WISPr-Bandwidth-Max-Up' as const), fc.integer({ min: 0, max: 0xffff_ffff })),
      fc.tuple(fc.constant('Framed-IP-Address' as const), fc.ipV4()),
      fc.tuple(fc.constant('Mikrotik-Rate-Limit' as const), fc.string({ minLength: 1, maxLength: 50 })),
    );
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 8 }), (attributes) => {
        assert.deepEqual(decodeAttributes(encodeAttributes(attributes)), attributes);
      }),
    );
  });

  test('have numbers of their own', () => {
    const numbers = Object.values(ATTRIBUTES).map(({ vendor, type }) => `${vendor} ${type}`);
    assert.equal(new Set(numbers).size, numbers.length);
  });
});

describe('MPPE keys', () => {
  const hiding = { secret: SECRET, authenticator: request };

  test('are what they were, with any salt', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 2, maxLength: 2 }),
        (key, salt) => {
          const hidden = hideKey(key, { ...hiding, salt });
          assert.equal(hidden.length, 34);
          assert.deepEqual(showKey(hidden, 16, hiding), key);
        },
      ),
    );
  });

  test('of another length, or hidden with another secret, are none', () => {
    const hidden = hideKey(new Uint8Array(8), { ...hiding, salt: Uint8Array.of(1, 2) });
    assert.equal(showKey(hidden, 16, hiding), null);
    for (const length of [0, 1, 2, 3, 17]) assert.equal(showKey(hidden.subarray(0, length), 8, hiding), null);
    assert.equal(showChapKeys(new Uint8Array(24), hiding), null);
  });
});
