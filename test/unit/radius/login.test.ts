/** What is asked about a login, and what the answers mean. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { responseV2, verifyMsChapV2 } from '../../../src/mschap/ms-chap-v2.js';
import { ntHash, ntHashHash } from '../../../src/mschap/password-hash.js';
import { startKeysV1 } from '../../../src/mschap/start-keys.js';
import { type Attribute, decodeAttributes, encodeAttributes, valueOf } from '../../../src/radius/attributes.js';
import type { Answer } from '../../../src/radius/client.js';
import { hideKey, hidePassword } from '../../../src/radius/hidden-values.js';
import { isAskable, type Login, loginAttributes, verdictOf } from '../../../src/radius/login.js';
import { CODES } from '../../../src/radius/packet.js';
import { decodeFromRadius, encodeRadiusMessage, type RadiusVerdict } from '../../../src/radius/protocol.js';

const SECRET = Buffer.from('lab-secret');
const AUTHENTICATOR = new Uint8Array(16).fill(5);
const HIDING = { secret: SECRET, authenticator: AUTHENTICATOR };
const CHALLENGE = new Uint8Array(16).fill(1);
const NAME = Buffer.from('trent');
const HASH = ntHash('trent of RADIUS');
const RESPONSE = responseV2({
  ntHash: HASH,
  name: NAME,
  challenge: CHALLENGE,
  clientChallenge: new Uint8Array(16).fill(2),
});
const PROOF = verifyMsChapV2({ ntHash: HASH, name: NAME, challenge: CHALLENGE, response: RESPONSE }) ?? assert.fail();

const login: Login = {
  method: 'ms-chap-v2',
  name: NAME,
  challenge: CHALLENGE,
  response: RESPONSE,
  identifier: 9,
  port: 3,
  client: '198.51.100.7',
};

const asked = (change: Partial<Login> = {}): readonly Attribute[] =>
  decodeAttributes(
    encodeAttributes(loginAttributes({ ...login, ...change }, 'server1', { secret: SECRET }, AUTHENTICATOR)),
  ) ?? assert.fail();

const answer = (code: number, attributes: readonly Attribute[]): Answer => ({
  answered: true,
  reply: { packet: { code, identifier: 1, authenticator: AUTHENTICATOR, attributes }, ...HIDING },
});
const text = (value: string, identifier = 9): Uint8Array =>
  Buffer.concat([Uint8Array.of(identifier), Buffer.from(value)]);
const SUCCESS: Attribute = ['MS-CHAP2-Success', text(PROOF.authenticatorResponse)];
const key = (octets: Uint8Array, salt: number): Uint8Array =>
  hideKey(octets, { ...HIDING, salt: Uint8Array.of(salt, salt) });
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
/** As the monitor gets it. */
function verdict(from: Answer, change: Partial<Login> = {}): RadiusVerdict {
  const sent = { type: 'verdict', id: 1, verdict: verdictOf({ ...login, ...change }, from) } as const;
  const message = decodeFromRadius(encodeRadiusMessage(sent));
  assert(message?.type === 'verdict', 'the monitor would refuse it');
  return message.verdict;
}

describe('what is asked', () => {
  test('who the client is, and by which interface of which server', () => {
    const attributes = asked();
    const of = <N extends Parameters<typeof valueOf>[1]>(name: N) => valueOf(attributes, name);
    assert.equal(hex(valueOf(attributes, 'User-Name') ?? new Uint8Array()), hex(NAME));
    assert.deepEqual(
      [of('NAS-Identifier'), of('NAS-Port'), of('NAS-Port-Id'), of('Calling-Station-Id'), of('Tunnel-Type')],
      ['server1', 3, 'ppp3', '198.51.100.7', 1],
    );
    assert.equal(valueOf(asked({ port: null }), 'NAS-Port'), null);
  });

  test('MS-CHAPv2: the parts of the response in the order of RFC 2548 §2.3.2', () => {
    const value = Buffer.from(valueOf(asked(), 'MS-CHAP2-Response') ?? []);
    assert.equal(value.length, 50);
    assert.deepEqual([value[0], value[1]], [9, 0]);
    assert.equal(hex(value.subarray(2)), hex(RESPONSE.subarray(0, 48)));
    assert.deepEqual(valueOf(asked(), 'MS-CHAP-Challenge'), CHALLENGE);
  });

  test('MS-CHAP: with the flag in front', () => {
    const response = Uint8Array.from({ length: 49 }, (_, at) => at);
    response[48] = 1;
    const value = Buffer.from(valueOf(asked({ method: 'ms-chap', response }), 'MS-CHAP-Response') ?? []);
    assert.deepEqual([value[0], value[1], value[2], value[49]], [9, 1, 0, 47]);
  });

  test('CHAP with MD5, and PAP, whose password is hidden', () => {
    const chap = asked({ method: 'chap-md5', response: new Uint8Array(16).fill(4) });
    assert.equal(hex(valueOf(chap, 'CHAP-Password') ?? new Uint8Array()), `09${'04'.repeat(16)}`);
    const password = Buffer.from('a password of more than sixteen octets');
    const hidden = valueOf(asked({ method: 'pap', challenge: new Uint8Array(), response: password }), 'User-Password');
    assert.deepEqual(hidden, Uint8Array.from(hidePassword(password, HIDING)));
    assert.equal(hidden?.length, 48);
  });

  test('nothing that RADIUS has no room for', () => {
    assert(isAskable(login));
    assert(!isAskable({ ...login, name: new Uint8Array() }));
    assert(!isAskable({ ...login, name: new Uint8Array(254) }));
    assert(!isAskable({ ...login, response: new Uint8Array(48) }));
    assert(!isAskable({ ...login, method: 'pap', response: new Uint8Array(129) }));
  });
});

describe('an Access-Accept', () => {
  const grants: readonly Attribute[] = [
    SUCCESS,
    ['MS-MPPE-Send-Key', key(PROOF.keys.send, 0x81)],
    ['MS-MPPE-Recv-Key', key(PROOF.keys.receive, 0x92)],
    ['Framed-IP-Address', '203.0.113.77'],
    ['Session-Timeout', 3600],
    ['Idle-Timeout', 600],
    ['Acct-Interim-Interval', 120],
    ...Array.from({ length: 9 }, (_, at): Attribute => ['Class', Uint8Array.of(at)]),
  ];

  test('has the proof for the client, the keys, address and limits', () => {
    assert.deepEqual(verdict(answer(CODES.accessAccept, grants)), {
      outcome: 'accepted',
      message: `${PROOF.authenticatorResponse} M=Welcome`,
      keys: { send: hex(PROOF.keys.send), receive: hex(PROOF.keys.receive), weak: null },
      address: '203.0.113.77',
      sessionTime: 3600,
      idleTime: 600,
      classes: ['00', '01', '02', '03', '04', '05', '06', '07'],
      interim: 120,
      routes: [],
      rate: {},
      filter: null,
      notes: [],
    });
  });

  test('may greet the client', () => {
    const accepted = verdict(answer(CODES.accessAccept, [SUCCESS, ['Reply-Message', 'Good\r\nmorning']]));
    assert(accepted.outcome === 'accepted');
    assert.equal(accepted.message, `${PROOF.authenticatorResponse} M=Good morning`);
    assert.equal(accepted.keys, null);
  });

  test('has routes, speed and filter, and says what of them does not count', () => {
    const accepted = verdict(
      answer(CODES.accessAccept, [
        SUCCESS,
        ['Framed-Route', '198.51.100.0/24 0.0.0.0 1'],
        ['Framed-Route', 'nonsense\r\n"'],
        ['Filter-Id', 'first'],
        ['Filter-Id', 'gue\u0000sts'],
        ['Mikrotik-Rate-Limit', 'fast'],
        ['WISPr-Bandwidth-Max-Down', 128_000],
      ]),
    );
    assert(accepted.outcome === 'accepted');
    assert.deepEqual(accepted.routes, [{ network: '198.51.100.0/24', gateway: null, metric: 1 }]);
    assert.equal(accepted.filter, 'gue sts');
    assert.deepEqual(accepted.rate, { down: 128_000 });
    assert.deepEqual(accepted.notes, [
      'ignored Framed-Route "nonsense "": it is not NETWORK/BITS GATEWAY METRIC',
      'ignored Mikrotik-Rate-Limit "fast": it is not RX/TX in bits per second',
    ]);
  });

  test('may name a pool, which counts for nothing without an address', () => {
    const notes = (...address: readonly Attribute[]): readonly string[] => {
      const accepted = verdict(answer(CODES.accessAccept, [SUCCESS, ['Framed-Pool', 'gold'], ...address]));
      assert(accepted.outcome === 'accepted');
      return accepted.notes;
    };
    const ignored =
      'ignored Framed-Pool "gold": this server has no pools with names; ' +
      'remedy: let the RADIUS server choose the address, and send it as Framed-IP-Address';
    assert.deepEqual(notes(), [ignored]);
    assert.deepEqual(notes(['Framed-IP-Address', '255.255.255.254']), [ignored]);
    assert.deepEqual(notes(['Framed-IP-Address', '203.0.113.77']), []);
  });

  test('of many routes has as many as a session may have', () => {
    const routes = Array.from({ length: 60 }, (_, at): Attribute => ['Framed-Route', `198.51.100.${at * 4}/30`]);
    const accepted = verdict(answer(CODES.accessAccept, [SUCCESS, ...routes]));
    assert(accepted.outcome === 'accepted');
    assert.deepEqual([accepted.routes.length, accepted.notes.length], [32, 8]);
  });

  test('for another service is a refusal', () => {
    for (const other of [
      ['Service-Type', 6],
      ['Framed-Protocol', 2],
    ] as const)
      assert.equal(verdict(answer(CODES.accessAccept, [SUCCESS, other])).outcome, 'rejected');
    const framed: readonly Attribute[] = [
      ['Service-Type', 2],
      ['Framed-Protocol', 1],
    ];
    assert.equal(verdict(answer(CODES.accessAccept, [SUCCESS, ...framed])).outcome, 'accepted');
  });

  test('with one key, or a key of another length, has none', () => {
    for (const keys of [[grants[1]], [grants[1], ['MS-MPPE-Recv-Key', key(new Uint8Array(8), 0x92)]]])
      assert.equal(
        (verdict(answer(CODES.accessAccept, [SUCCESS, ...(keys as Attribute[])])) as { keys: unknown }).keys,
        null,
      );
  });

  test('without the proof that MS-CHAPv2 needs is none', () => {
    for (const attributes of [[], [['MS-CHAP2-Success', text('S=12')] as Attribute]])
      assert.deepEqual(verdict(answer(CODES.accessAccept, attributes)), { outcome: 'failed', problem: 'noProof' });
  });

  test('gives MS-CHAP the keys of its hashes', () => {
    const challenge = new Uint8Array(8).fill(3);
    const lm = new Uint8Array(16).fill(7);
    const hashes = Buffer.concat([lm.subarray(0, 8), ntHashHash(HASH), new Uint8Array(8)]);
    const hidden: Attribute = ['MS-CHAP-MPPE-Keys', hidePassword(hashes, HIDING)];
    const accepted = verdict(answer(CODES.accessAccept, [hidden]), { method: 'ms-chap', challenge });
    const { send, weak } = startKeysV1(HASH, lm, challenge);
    assert(accepted.outcome === 'accepted' && accepted.keys !== null);
    assert.deepEqual([accepted.keys.send, accepted.keys.weak], [hex(send), hex(weak ?? new Uint8Array())]);
  });
});

describe('no Access-Accept', () => {
  const rejected = (attributes: readonly Attribute[], change: Partial<Login> = {}) => {
    const refused = verdict(answer(CODES.accessReject, attributes), change);
    assert(refused.outcome === 'rejected');
    const { code, retry, message } = refused;
    return { code, retry, message };
  };

  test('says what the server says to the client', () => {
    assert.deepEqual(
      rejected([['MS-CHAP-Error', text('E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=No luck')]]),
      {
        code: 691,
        retry: true,
        message: 'No luck',
      },
    );
    assert.deepEqual(
      rejected([
        ['MS-CHAP-Error', text('E=646 R=0 V=3')],
        ['Reply-Message', 'Not at night'],
      ]),
      {
        code: 646,
        retry: false,
        message: 'Not at night',
      },
    );
    assert.deepEqual(rejected([]), { code: 691, retry: true, message: 'Access denied' });
    assert.deepEqual(rejected([['MS-CHAP-Error', text('E=0 nonsense')]]).code, 691);
    assert.equal(rejected([], { method: 'pap' }).retry, false);
  });

  test('an Access-Challenge is a refusal', () => {
    assert.equal(verdict(answer(CODES.accessChallenge, [])).outcome, 'rejected');
  });

  test('no answer has a cause', () => {
    const problem = (...dropped: readonly ('forged' | 'unsigned' | 'unexpected')[]) =>
      verdict({ answered: false, dropped: new Set(dropped) });
    assert.deepEqual(problem(), { outcome: 'failed', problem: 'noAnswer' });
    assert.deepEqual(problem('unexpected', 'forged'), { outcome: 'failed', problem: 'forged' });
    assert.deepEqual(problem('unsigned'), { outcome: 'failed', problem: 'unsigned' });
  });
});

test('the monitor refuses what is no message of the process', () => {
  const right = { type: 'verdict', id: 1, verdict: { outcome: 'rejected', code: 691, retry: true, message: '' } };
  const decoded = (change: object): unknown => decodeFromRadius(Buffer.from(JSON.stringify({ ...right, ...change })));
  assert.notEqual(decoded({}), null);
  const accepted = {
    outcome: 'accepted',
    message: '',
    keys: null,
    address: null,
    sessionTime: null,
    idleTime: null,
    classes: ['00'],
    interim: null,
    routes: [{ network: '198.51.100.0/24', gateway: null, metric: 1 }],
    rate: { up: 8000 },
    filter: 'guests',
    notes: [],
  };
  assert.notEqual(decoded({ verdict: accepted }), null);
  assert.notEqual(decoded({ type: 'accounted', isDone: true }), null);
  const wrong = [
    { id: -1 },
    { type: 'other' },
    { verdict: null },
    { verdict: { ...right.verdict, code: 1000 } },
    { verdict: { ...right.verdict, message: 'x'.repeat(301) } },
    { verdict: { ...accepted, outcome: 'toString' } },
    { verdict: { ...accepted, address: '192.0.2.256' } },
    { verdict: { ...accepted, keys: { send: '00', receive: '00', weak: null } } },
    { verdict: { ...accepted, sessionTime: 1.5 } },
    { verdict: { outcome: 'failed', problem: 'toString' } },
    { verdict: { ...accepted, classes: ['0'] } },
    { verdict: { ...accepted, classes: Array.from({ length: 9 }, () => '00') } },
    { type: 'accounted', isDone: 1 },
    ...['198.51.100.0', '198.51.100.0/0', '198.51.100.0/33', '198.51.100.0/24 dev lo', '::/1'].map((network) => ({
      verdict: { ...accepted, routes: [{ network, gateway: null, metric: null }] },
    })),
    { verdict: { ...accepted, rate: { up: 1 } } },
    { verdict: { ...accepted, filter: 'a\u0000b' } },
    { verdict: { ...accepted, notes: Array.from({ length: 9 }, () => '') } },
  ];
  for (const change of wrong) assert.equal(decoded(change), null, JSON.stringify(change));
  assert.equal(decodeFromRadius(Buffer.from('{')), null);
});
