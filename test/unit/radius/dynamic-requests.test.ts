/** Requests of RADIUS servers: from whom, when, and only once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Attribute, valueOf } from '../../../src/radius/attributes.js';
import { DynamicRequests, TIME_WINDOW } from '../../../src/radius/dynamic-requests.js';
import { authenticatorOf, CODES, decodePacket, encodeReply, judgeReply } from '../../../src/radius/packet.js';

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

const fixture = () => new DynamicRequests([{ address: SENDER.address, secret: SECRET }], 'server1', NOW - 1000);

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
    for (const [count, answer] of [
      [2, [CODES.disconnectAck, null]],
      [0, [CODES.disconnectNak, 503]],
    ] as const) {
      const asked = request({ attributes: [['User-Name', Buffer.from('trent')], ['NAS-Port', 3], TIME] });
      const outcome = fixture().recv(asked, SENDER, NOW);
      assert(outcome.type === 'disconnect');
      assert.deepEqual(outcome.selector, { id: null, name: '7472656e74', address: null, port: 3, client: null });
      assert.deepEqual(read(outcome.answer(count), asked), answer);
    }
  });

  test('is answered again when its sender repeats it, and is not done again', () => {
    const requests = fixture();
    const asked = request();
    const outcome = requests.recv(asked, SENDER, NOW);
    assert(outcome.type === 'disconnect');
    assert.deepEqual(requests.recv(asked, SENDER, NOW), { type: 'dropped', reason: 'repeated' }, 'it is being done');
    const octets = outcome.answer(1);
    assert.deepEqual(requests.recv(asked, SENDER, NOW), { type: 'reply', octets });
    const other = { ...SENDER, port: 40_001 };
    assert.deepEqual(requests.recv(asked, other, NOW), { type: 'dropped', reason: 'repeated' });
  });

  test('that names no session, or another server, is refused', () => {
    const refused = (attributes: readonly Attribute[]) => {
      const asked = request({ attributes });
      const outcome = fixture().recv(asked, SENDER, NOW);
      assert(outcome.type === 'reply');
      return read(outcome.octets, asked);
    };
    assert.deepEqual(refused([TIME, ['NAS-Identifier', 'server1']]), [CODES.disconnectNak, 402]);
    assert.deepEqual(refused([TIME, ID, ['NAS-Identifier', 'server2']]), [CODES.disconnectNak, 403]);
  });
});

test('a CoA-Request is refused', () => {
  const asked = request({ code: CODES.coaRequest });
  const outcome = fixture().recv(asked, SENDER, NOW);
  assert(outcome.type === 'reply');
  assert.deepEqual(read(outcome.octets, asked), [CODES.coaNak, 405]);
});

describe('a request is dropped', () => {
  const drops: Readonly<Record<string, readonly [Uint8Array, typeof SENDER?, number?]>> = {
    unknownSender: [request(), { ...SENDER, address: '192.0.2.54' }],
    malformed: [request().subarray(0, 30)],
    wrongCode: [request({ code: CODES.accessRequest })],
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
