/** Requests of RADIUS servers: from whom, when, and only once. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Attribute, valueOf, valuesOf } from '../../../src/radius/attributes.js';
import { DynamicRequests, TIME_WINDOW } from '../../../src/radius/dynamic-requests.js';
import { authenticatorOf, CODES, decodePacket, encodeReply, judgeReply } from '../../../src/radius/packet.js';
import { decodeFromRadius, encodeRadiusMessage, type SessionChange } from '../../../src/radius/protocol.js';

const SECRET = Buffer.from('secret');
const SENDER = { address: '192.0.2.53', port: 40_000 };
const NOW = 1_700_000_000;
const ID: Attribute = ['Acct-Session-Id', '1kzdpy-6747a3f0-7'];
const TIME: Attribute = ['Event-Timestamp', NOW];

interface Request {
  readonly code?: number;
  readonly attributes?: readonly Attribute[];
  readonly secret?: Uint8Array;
  readonly isSigned?: boolean;
}

/** A request is signed as a reply to sixteen zeros. */
const request = ({
  code = CODES.disconnectRequest,
  attributes = [ID, TIME],
  secret = SECRET,
  isSigned = true,
}: Request = {}) => encodeReply({ code, identifier: 9, attributes }, { secret, request: new Uint8Array(16), isSigned });

/** The same packet after a change, as its sender would have signed it. */
function resigned(packet: Uint8Array): Uint8Array {
  const whole = Uint8Array.from(packet);
  whole.fill(0, 4, 20);
  whole.set(createHash('md5').update(whole).update(SECRET).digest(), 4);
  return whole;
}

const SERVER = { nasIdentifier: 'server1', hasAddress: (address: string) => address === '192.0.2.1' };
const fixture = () => new DynamicRequests([{ address: SENDER.address, secret: SECRET }], SERVER, NOW - 1000);

/** The reply's code and Error-Cause. */
function read(octets: Uint8Array, asked: Uint8Array): readonly [number, number | null] {
  const signed = { secret: SECRET, request: authenticatorOf(asked), mustBeSigned: true };
  assert.equal(judgeReply(octets, signed), null);
  const { code, attributes, identifier } = decodePacket(octets) ?? assert.fail();
  assert.equal(identifier, 9);
  return [code, valueOf(attributes, 'Error-Cause')];
}

describe('a Disconnect-Request', () => {
  test('selects sessions, and its answer says whether there were any', () => {
    for (const [outcome, answer] of [
      ['done', [CODES.disconnectAck, null]],
      ['noSession', [CODES.disconnectNak, 503]],
      ['failed', [CODES.disconnectNak, 506]],
    ] as const) {
      const asked = request({ attributes: [['User-Name', Buffer.from('trent')], ['NAS-Port', 3], TIME] });
      const work = fixture().recv(asked, SENDER, NOW);
      assert(work.type === 'disconnect');
      const selector = { id: null, name: '7472656e74', address: null, port: 3, portId: null, client: null };
      assert.deepEqual(work.selector, selector);
      assert.deepEqual(read(work.answer(outcome), asked), answer);
    }
  });

  test('is answered again when its sender repeats it, and is not done again', () => {
    const requests = fixture();
    const asked = request();
    const outcome = requests.recv(asked, SENDER, NOW);
    assert(outcome.type === 'disconnect');
    assert.deepEqual(requests.recv(asked, SENDER, NOW), { type: 'dropped', reason: 'repeated' }, 'it is being done');
    const octets = outcome.answer('done');
    assert.deepEqual(requests.recv(asked, SENDER, NOW), { type: 'reply', octets });
    const other = { ...SENDER, port: 40_001 };
    assert.deepEqual(requests.recv(asked, other, NOW), { type: 'dropped', reason: 'repeated' });
  });

  test('is for this server, by any name it has', () => {
    const types = (attributes: readonly Attribute[]) =>
      fixture().recv(request({ attributes: [TIME, ID, ...attributes] }), SENDER, NOW).type;
    assert.equal(
      types([
        ['NAS-Identifier', 'server1'],
        ['NAS-IP-Address', '192.0.2.1'],
      ]),
      'disconnect',
    );
    assert.equal(
      types([
        ['Acct-Terminate-Cause', 6],
        ['Reply-Message', 'Goodbye'],
      ]),
      'disconnect',
    );
  });
});

describe('a CoA-Request', () => {
  const changes: readonly [what: string, attributes: readonly Attribute[], change: Partial<SessionChange>][] = [
    ['session time', [['Session-Timeout', 60]], { sessionTime: 60 }],
    ['idle time', [['Idle-Timeout', 0]], { idleTime: 0 }],
    ['speed', [['Mikrotik-Rate-Limit', '64k/128k']], { rate: { up: 64_000, down: 128_000 } }],
    ['one speed', [['WISPr-Bandwidth-Max-Up', 64_000]], { rate: { up: 64_000 } }],
  ];
  for (const [what, attributes, change] of changes)
    test(`changes ${what}`, () => {
      const asked = request({ code: CODES.coaRequest, attributes: [['NAS-Port-Id', 'ppp3'], TIME, ...attributes] });
      const work = fixture().recv(asked, SENDER, NOW);
      assert(work.type === 'change');
      assert.equal(work.selector.portId, 'ppp3');
      assert.deepEqual(work.change, { sessionTime: null, idleTime: null, rate: {}, ...change });
      const { answer: _, ...told } = work;
      const message = { ...told, id: 1, by: SENDER.address };
      assert.deepEqual(decodeFromRadius(encodeRadiusMessage(message)), message, 'the monitor would refuse it');
    });

  test('has an answer for what has come of it', () => {
    for (const [outcome, answer] of [
      ['done', [CODES.coaAck, null]],
      ['noSession', [CODES.coaNak, 503]],
      ['several', [CODES.coaNak, 508]],
      ['failed', [CODES.coaNak, 506]],
    ] as const) {
      const asked = request({ code: CODES.coaRequest, attributes: [ID, TIME, ['Session-Timeout', 60]] });
      const work = fixture().recv(asked, SENDER, NOW);
      assert(work.type === 'change');
      assert.deepEqual(read(work.answer(outcome), asked), answer);
    }
  });
});

describe('a request is refused', () => {
  /** An attribute that is not declared: Framed-Routing (10), behind the others. */
  const undeclared = (code: number): Uint8Array => {
    const whole = Buffer.concat([
      request({ code, attributes: [ID, TIME, ['Class', Uint8Array.of(1, 2, 3, 4)]], isSigned: false }),
    ]);
    whole[whole.length - 6] = 10;
    return resigned(whole);
  };
  const refusals: readonly [what: string, attributes: readonly Attribute[], disconnect: number, coa: number][] = [
    ['without an attribute that selects', [['NAS-Identifier', 'server1']], 402, 402],
    ['for another name', [ID, ['NAS-Identifier', 'server2']], 403, 403],
    ['for another address', [ID, ['NAS-IP-Address', '192.0.2.2']], 403, 403],
    ['with Service-Type', [ID, ['Service-Type', 17]], 405, 405],
    ['with an attribute that cannot be changed', [ID, ['Filter-Id', 'guests'], ['Session-Timeout', 60]], 401, 401],
    ['with an address to change', [ID, ['Framed-Route', '198.51.100.0/24']], 401, 401],
  ];
  for (const [what, attributes, ...causes] of refusals)
    test(what, () => {
      for (const [at, code, nak] of [
        [0, CODES.disconnectRequest, CODES.disconnectNak],
        [1, CODES.coaRequest, CODES.coaNak],
      ] as const) {
        const asked = request({ code, attributes: [TIME, ...attributes] });
        const outcome = fixture().recv(asked, SENDER, NOW);
        assert(outcome.type === 'reply', outcome.type);
        assert.deepEqual(read(outcome.octets, asked), [nak, causes[at]]);
      }
    });

  const refused = (asked: Uint8Array) => {
    const outcome = fixture().recv(asked, SENDER, NOW);
    assert(outcome.type === 'reply', outcome.type);
    return read(outcome.octets, asked);
  };

  test('with an attribute that is not known', () => {
    for (const [code, nak] of [
      [CODES.disconnectRequest, CODES.disconnectNak],
      [CODES.coaRequest, CODES.coaNak],
    ] as const)
      assert.deepEqual(refused(undeclared(code)), [nak, 401]);
  });

  test('that would end with a change', () => {
    assert.deepEqual(refused(request({ attributes: [ID, TIME, ['Session-Timeout', 60]] })), [CODES.disconnectNak, 401]);
  });

  test('that changes nothing, or to a speed that is none', () => {
    const coa = (...attributes: readonly Attribute[]) =>
      refused(request({ code: CODES.coaRequest, attributes: [ID, TIME, ...attributes] }));
    assert.deepEqual(coa(), [CODES.coaNak, 402]);
    assert.deepEqual(coa(['Mikrotik-Rate-Limit', 'fast']), [CODES.coaNak, 407]);
    assert.deepEqual(coa(['Mikrotik-Rate-Limit', 'fast'], ['WISPr-Bandwidth-Max-Up', 64_000]), [CODES.coaNak, 407]);
  });
});

test('Proxy-State comes back in its order', () => {
  const states = [Uint8Array.of(1), Uint8Array.of(2)];
  const asked = request({ attributes: [TIME, ...states.map((state): Attribute => ['Proxy-State', state])] });
  const outcome = fixture().recv(asked, SENDER, NOW);
  assert(outcome.type === 'reply');
  const { attributes = [] } = decodePacket(outcome.octets) ?? {};
  assert.deepEqual(valuesOf(attributes, 'Proxy-State'), states);
});

describe('a request is dropped', () => {
  const drops: Readonly<Record<string, readonly [Uint8Array, typeof SENDER?, number?]>> = {
    unknownSender: [request(), { ...SENDER, address: '192.0.2.54' }],
    malformed: [request().subarray(0, 30)],
    wrongCode: [request({ code: CODES.accessRequest })],
    'stale, a CoA-Request without a time': [
      request({ code: CODES.coaRequest, attributes: [ID, ['Session-Timeout', 60]] }),
    ],
    'forged, a CoA-Request': [request({ code: CODES.coaRequest, secret: Buffer.from('another') })],
    forged: [request({ secret: Buffer.from('another') })],
    'forged in its signature': [
      request({ attributes: [ID, TIME, ['Message-Authenticator', new Uint8Array(16)]], isSigned: false }),
    ],
    'stale without a time': [request({ attributes: [ID] })],
    'stale, from the past': [request(), SENDER, NOW + TIME_WINDOW + 1],
    'stale, from the future': [request(), SENDER, NOW - TIME_WINDOW - 1],
    'stale, from before the start': [
      request({ attributes: [ID, ['Event-Timestamp', NOW - 1001]] }),
      SENDER,
      NOW - 1001,
    ],
  };
  for (const [why, [octets, sender = SENDER, now = NOW]] of Object.entries(drops))
    test(why, () => {
      const [reason] = why.split(/[ ,]/);
      assert.deepEqual(fixture().recv(octets, sender, now), { type: 'dropped', reason });
    });
});
