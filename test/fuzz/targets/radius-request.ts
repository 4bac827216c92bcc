/** A packet that comes from the address of a RADIUS server as a Disconnect-Request or a CoA-Request, forged and signed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Attribute } from '../../../src/radius/attributes.js';
import { type DynamicOutcome, DynamicRequests } from '../../../src/radius/dynamic-requests.js';
import { decodePacket, encodeReply } from '../../../src/radius/packet.js';
import { decodeFromRadius, encodeRadiusMessage } from '../../../src/radius/protocol.js';
import { surrounded } from '../surroundings.js';
import type { Target } from '../target.js';

const SECRET = Buffer.from('secret');
const NOW = 1_700_000_000;
const SENDER = { address: '192.0.2.53', port: 40_000 };
const HEADER = 20;
const SELECTED: readonly Attribute[] = [
  ['User-Name', Buffer.from('alice')],
  ['NAS-Identifier', 'server1'],
  ['NAS-Port-Id', 'ppp0'],
  ['Event-Timestamp', NOW],
  ['Proxy-State', Uint8Array.of(1)],
];
const CHANGES: readonly Attribute[] = [
  ['Session-Timeout', 60],
  ['Idle-Timeout', 60],
  ['WISPr-Bandwidth-Max-Up', 64_000],
  ['Mikrotik-Rate-Limit', '64k/1M 2M'],
];

const request = (code: number, attributes: readonly Attribute[], isSigned = false): Uint8Array =>
  encodeReply({ code, identifier: 1, attributes }, { secret: SECRET, request: new Uint8Array(16), isSigned });

/** The input with the authenticator that a server with the secret would give it. */
function signed(input: Uint8Array): Uint8Array {
  const length = input.length < HEADER ? 0 : Buffer.from(input).readUInt16BE(2);
  const packet = Uint8Array.from(input.subarray(0, length));
  if (packet.length < HEADER) return input;
  packet.fill(0, 4, HEADER);
  packet.set(createHash('md5').update(packet).update(SECRET).digest(), 4);
  return packet;
}

function judge(octets: Uint8Array): DynamicOutcome {
  const server = { nasIdentifier: 'server1', hasAddress: (address: string) => address.startsWith('192.') };
  return new DynamicRequests([{ address: SENDER.address, secret: SECRET }], server, NOW - 1000).recv(
    octets,
    SENDER,
    NOW,
  );
}

export const radiusRequest: Target = {
  covers: ['/src/radius/'],
  seeds: () => [
    request(40, SELECTED),
    request(40, SELECTED, true),
    request(43, [...SELECTED, ...CHANGES]),
    request(43, [...SELECTED, ...CHANGES], true),
    request(43, [...SELECTED, ['Filter-Id', 'guests']]),
  ],
  run: (input) => {
    const raw = surrounded(input, (view) => judge(view).type);
    const outcome = judge(signed(input));
    if (outcome.type === 'dropped') return `${raw} ${outcome.reason}`;
    if (outcome.type === 'reply') {
      const { code = 0, attributes = [] } = decodePacket(outcome.octets) ?? {};
      assert([42, 45].includes(code), 'what is not done is refused');
      return `${raw} ${code} ${String(attributes.find(([name]) => name === 'Error-Cause')?.[1])}`;
    }
    const { answer, ...told } = outcome;
    assert.notEqual(decodePacket(answer('done')), null);
    const message = { ...told, id: 1, by: SENDER.address };
    assert.deepEqual(decodeFromRadius(encodeRadiusMessage(message)), message);
    return `${raw} ${outcome.type}`;
  },
};
