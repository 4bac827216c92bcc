/** The three kinds of CHAP and PAP: what is accepted, and that nothing else is. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { responseMd5, samePassword, verifyChapMd5 } from '../../../src/mschap/chap-md5.js';
import { responseV1, verifyMsChapV1 } from '../../../src/mschap/ms-chap-v1.js';
import {
  challengeHash,
  type LoginV2,
  responseV2,
  verifyMsChapV2,
  withoutDomain,
} from '../../../src/mschap/ms-chap-v2.js';
import { lmHash, ntHash } from '../../../src/mschap/password-hash.js';
import * as captures from '../ppp/captures.js';
import { ascii, hex, toHex } from './octets.js';

/** RFC 2759 §9.2. */
const rfc = {
  ntHash: ntHash('clientPass'),
  name: ascii('User'),
  challenge: hex('5b5d7c7d7b3f2f3e3c2c602132262628'),
  clientChallenge: hex('21402324255e262a28295f2b3a337c7e'),
};
const login: LoginV2 = { ...rfc, response: responseV2(rfc) };

/** Each octet of `octets` with each of its bits flipped, one at a time. */
function* flipped(octets: Uint8Array, from: number, to: number): Generator<Uint8Array> {
  for (let bit = 8 * from; bit < 8 * to; bit += 1) {
    const copy = Uint8Array.from(octets);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield copy;
  }
}

describe('MS-CHAPv2', () => {
  test('RFC 2759 §9.2: challenge hash, NT-Response and authenticator response', () => {
    assert.equal(toHex(challengeHash(rfc.clientChallenge, rfc.challenge, rfc.name)), 'd02e4386bce91226');
    assert.equal(toHex(login.response.subarray(0, 16)), toHex(rfc.clientChallenge));
    assert.equal(
      toHex(login.response.subarray(16)),
      `${'00'.repeat(8)}82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df00`,
    );
    assert.equal(verifyMsChapV2(login)?.authenticatorResponse, 'S=407A5589115FD0D6209F510FE9C04566932CDA56');
  });

  test('the domain of a name has no effect', () => {
    for (const name of ['DOMAIN\\User', 'a\\b\\User']) {
      assert.ok(verifyMsChapV2({ ...login, name: ascii(name) }), name);
    }
    assert.equal(verifyMsChapV2({ ...login, name: ascii('User\\') }), null);
    assert.deepEqual(withoutDomain(ascii('User')), ascii('User'));
  });

  test('any other password, name, challenge or response is refused', () => {
    assert.equal(verifyMsChapV2({ ...login, ntHash: ntHash('clientpass') }), null);
    assert.equal(verifyMsChapV2({ ...login, name: ascii('user') }), null);
    for (const challenge of flipped(rfc.challenge, 0, 16)) assert.equal(verifyMsChapV2({ ...login, challenge }), null);
    for (const response of flipped(login.response, 0, 16)) assert.equal(verifyMsChapV2({ ...login, response }), null);
    for (const response of flipped(login.response, 24, 48)) assert.equal(verifyMsChapV2({ ...login, response }), null);
  });

  test('the reserved octets and the flags have no effect, as with pppd', () => {
    for (const response of flipped(login.response, 16, 24)) assert.ok(verifyMsChapV2({ ...login, response }));
    for (const response of flipped(login.response, 48, 49)) assert.ok(verifyMsChapV2({ ...login, response }));
  });

  test('any octets: no exception, no login', () => {
    const octets = fc.uint8Array({ maxLength: 60 });
    fc.assert(
      fc.property(octets, octets, octets, (name, challenge, response) => {
        assert.equal(verifyMsChapV2({ ...login, name, response }), null);
        assert.equal(verifyMsChapV2({ ...login, challenge }), null);
      }),
    );
  });

  /** Logins of Windows 7 with pppd, from the test data of John the Ripper; their passwords are published with them. */
  const windows = [
    {
      name: 'lulu',
      password: 'password',
      challenge: '95a87fa62ebcd2e3c8b09e1b448a6c72',
      response: 'e2ae0995eaac6ceff0d9757428b515090000000000000000ed8cc90fd40faa2d6bcd0abd0b1f562fd777df6c5609c98b00',
      answer: 'S=460874E1CADF35FBD9F6E80C01A1ADC5746F0B6A',
    },
    {
      name: 'solar',
      password: 'solarisalwaysbusy',
      challenge: 'bde000cc4aec82da11803dee6c6720cd',
      response: '8005caf13dfebc85e67beaf822310a010000000000000000b700770725f87739adb110b310d9a289cdbb550adca6cb8600',
      answer: 'S=79FCE48CDCAD95BF0D8DB7845FAAED588C58B881',
    },
  ];
  for (const { name, password, challenge, response, answer } of windows) {
    test(`a recorded login of Windows: ${name}`, () => {
      const accepted = verifyMsChapV2({
        ntHash: ntHash(password),
        name: ascii(name),
        challenge: hex(challenge),
        response: hex(response),
      });
      assert.equal(accepted?.authenticatorResponse, answer);
    });
  }

  test('recorded logins of pppd with pppd: the same result and the same answer', () => {
    const { login: usual, oneWayMppe, withoutCcp, wrongPassword } = captures;
    const logins = [usual, oneWayMppe, withoutCcp, wrongPassword].flatMap((frames) => recordedLogins(frames));
    assert.deepEqual(
      logins.map(({ answer }) => answer === null),
      [false, false, false, true],
    );
    for (const { name, challenge, response, answer } of logins) {
      const accepted = verifyMsChapV2({ ntHash: ntHash('alice of the lab'), name, challenge, response });
      assert.equal(accepted?.authenticatorResponse ?? null, answer);
    }
  });
});

interface RecordedLogin {
  readonly name: Uint8Array;
  readonly challenge: Uint8Array;
  readonly response: Uint8Array;
  /** pppd's `S=…`; null when it refused. */
  readonly answer: string | null;
}

/** The MS-CHAPv2 logins among recorded frames: challenge (1), response (2), success (3) or failure (4). */
function recordedLogins(frames: readonly string[]): RecordedLogin[] {
  const logins: RecordedLogin[] = [];
  let challenge = new Uint8Array();
  let response: { name: Uint8Array; value: Uint8Array } | null = null;
  for (const frame of frames) {
    const packet = /^[<>] (?:ff03)?c223(.*)$/.exec(frame)?.[1];
    if (packet === undefined) continue;
    const octets = hex(packet);
    const length = octets[4] ?? 0;
    const value = octets.slice(5, 5 + length);
    if (octets[0] === 1 && length === 16) challenge = value;
    if (octets[0] === 2 && length === 49) {
      response = { name: octets.subarray(5 + length), value };
    }
    if ((octets[0] === 3 || octets[0] === 4) && response !== null) {
      const answer = /^S=[0-9A-F]{40}/.exec(Buffer.from(octets.subarray(4)).toString('latin1'))?.[0] ?? null;
      logins.push({ name: response.name, challenge, response: response.value, answer });
      response = null;
    }
  }
  return logins;
}

describe('MS-CHAPv1', () => {
  const challenge = hex('102db5df085d3041');
  const hashes = { ntHash: ntHash('MyPw'), lmHash: lmHash('MyPw'), challenge };
  const response = responseV1(hashes.ntHash, challenge);

  test('RFC 2433 §B.2: the response is accepted, and gives keys', () => {
    assert.equal(toHex(response.subarray(24, 48)), '4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61');
    assert.notEqual(verifyMsChapV1({ ...hashes, response }), null);
  });

  test('another NT response is refused, and one of LAN Manager alone', () => {
    for (const other of flipped(response, 24, 49)) assert.equal(verifyMsChapV1({ ...hashes, response: other }), null);
  });

  test('any octets: no exception, no login', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 20 }), (octets, other) => {
        assert.equal(verifyMsChapV1({ ...hashes, response: octets }), null);
        assert.equal(verifyMsChapV1({ ...hashes, challenge: other, response }), null);
      }),
    );
  });
});

describe('CHAP with MD5', () => {
  const chap = {
    identifier: 1,
    secret: ascii('MyPw'),
    challenge: hex('c49c74a7d3f8fa006ea57190f28ab34c'),
    response: Buffer.from('giwrxlSx0Kjb6oc3+73eDg==', 'base64'),
  };

  test("the response of another implementation (npm's chap)", () => {
    assert.ok(verifyChapMd5(chap));
    assert.deepEqual(responseMd5(chap), chap.response);
  });

  test('anything else is refused', () => {
    assert.equal(verifyChapMd5({ ...chap, identifier: 2 }), false);
    assert.equal(verifyChapMd5({ ...chap, secret: ascii('mypw') }), false);
    for (const response of flipped(chap.response, 0, 16)) assert.equal(verifyChapMd5({ ...chap, response }), false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (response) => {
        assert.equal(verifyChapMd5({ ...chap, response }), false);
      }),
    );
  });
});

test('Passwords in the clear are the same octet by octet, whatever their length', () => {
  assert.ok(samePassword(ascii('secret'), ascii('secret')));
  for (const other of ['', 'Secret', 'secret ', 'secre'])
    assert.equal(samePassword(ascii('secret'), ascii(other)), false);
});
