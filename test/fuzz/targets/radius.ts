/** A packet that comes from a RADIUS server's address, as the answer to a login. */
import assert from 'node:assert/strict';
import { type Attribute, encodeAttributes } from '../../../src/radius/attributes.js';
import { type Login, verdictOf } from '../../../src/radius/login.js';
import { decodePacket, encodeReply, judgeReply } from '../../../src/radius/packet.js';
import { decodeFromRadius, encodeRadiusMessage } from '../../../src/radius/protocol.js';
import { surrounded } from '../surroundings.js';
import type { Target } from '../target.js';

const SECRET = Buffer.from('secret');
const REQUEST = new Uint8Array(16).fill(7);
const login: Login = {
  method: 'ms-chap-v2',
  name: Buffer.from('alice'),
  challenge: new Uint8Array(16),
  response: new Uint8Array(49),
  identifier: 1,
  port: 0,
  client: '198.51.100.7',
};
const GRANTS: readonly Attribute[] = [
  ['MS-CHAP2-Success', Buffer.from(`\u0001S=${'0'.repeat(40)}`)],
  ['MS-MPPE-Send-Key', new Uint8Array(34).fill(0x91)],
  ['MS-MPPE-Recv-Key', new Uint8Array(34).fill(0x92)],
  ['MS-CHAP-MPPE-Keys', new Uint8Array(32)],
  ['Framed-IP-Address', '203.0.113.77'],
  ['Session-Timeout', 60],
  ['Reply-Message', 'Welcome'],
  ['Mikrotik-Rate-Limit', '5M/20M'],
  ['WISPr-Bandwidth-Max-Up', 64_000],
  ['Framed-Route', '198.51.100.0/24 0.0.0.0 1'],
  ['Filter-Id', 'guests'],
];
const REFUSAL: readonly Attribute[] = [['MS-CHAP-Error', Buffer.from('\u0001E=691 R=1 C=00 V=3 M=No')]];

const reply = (code: number, attributes: readonly Attribute[], isSigned: boolean): Uint8Array =>
  encodeReply({ code, identifier: 1, attributes }, { secret: SECRET, request: REQUEST, isSigned });

export const radius: Target = {
  covers: ['/src/radius/'],
  seeds: () => [reply(2, GRANTS, true), reply(2, GRANTS, false), reply(3, REFUSAL, true), reply(11, [], true)],
  run: (input) => {
    const packet = surrounded(input, decodePacket);
    const fault = surrounded(input, (view) =>
      judgeReply(view, { secret: SECRET, request: REQUEST, mustBeSigned: false }),
    );
    if (packet === null) return fault ?? assert.fail('it is signed, and no packet');
    assert(encodeAttributes(packet.attributes).length <= input.length * 4);
    // What follows would be done with a packet that is signed.
    const said = (['ms-chap-v2', 'ms-chap', 'chap-md5', 'pap'] as const).map((method) => {
      const answered = { packet, secret: SECRET, authenticator: REQUEST };
      const verdict = verdictOf({ ...login, method }, { answered: true, reply: answered });
      const message = { type: 'verdict', id: 1, verdict } as const;
      assert.deepEqual(decodeFromRadius(encodeRadiusMessage(message)), message);
      return verdict.outcome;
    });
    return `${fault ?? 'right'} ${said.join(' ')}`;
  },
};
