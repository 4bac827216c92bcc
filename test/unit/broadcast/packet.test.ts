import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type Broadcast, fingerprint, readBroadcast, relayed } from '../../../src/broadcast/packet.js';
import { heard, sealHeader, udpPacket, type UdpFields } from './packets.js';

/** The broadcast address of 192.0.2.0/25, which does not end in 255. */
const LAN_BROADCAST = 0xc000_027f;
const CLIENT = 0xcb00_710a; // 203.0.113.10
const PLAIN: UdpFields = { source: '192.0.2.9', destination: '192.0.2.255', text: 'who is there?' };

function accepted(packet: Uint8Array): Broadcast {
  const broadcast = readBroadcast(packet, LAN_BROADCAST);
  assert(typeof broadcast !== 'string', 'refused');
  return broadcast;
}

const relayedFrom = (packet: Uint8Array, source?: number): Buffer => {
  const broadcast = accepted(packet);
  return Buffer.from(relayed(broadcast, source ?? broadcast.source));
};

function changed(packet: Buffer, at: number, octet: number): Buffer {
  packet[at] = octet;
  return packet;
}

/** A packet, and the decision about it. */
const DECISIONS: readonly (readonly [name: string, packet: Buffer, decision: string])[] = [
  ['to x.x.x.255', udpPacket(PLAIN), 'relayed'],
  ['to 255.255.255.255', udpPacket({ ...PLAIN, destination: '255.255.255.255' }), 'relayed'],
  ["to the LAN's own broadcast address", udpPacket({ ...PLAIN, destination: '192.0.2.127' }), 'relayed'],
  ['to x.255.255.255, a mask by class', udpPacket({ ...PLAIN, destination: '10.255.255.255' }), 'relayed'],
  ['from 0.0.0.0, as DHCP clients send', udpPacket({ ...PLAIN, source: '0.0.0.0' }), 'relayed'],
  ['without UDP checksum', udpPacket({ ...PLAIN, checksum: 'none' }), 'relayed'],
  ['with IP options', udpPacket({ ...PLAIN, options: [1, 1, 1, 0] }), 'relayed'],
  ['TTL 2', udpPacket({ ...PLAIN, ttl: 2 }), 'relayed'],
  ['padded by the link', Buffer.concat([udpPacket(PLAIN), Buffer.alloc(9)]), 'relayed'],
  ['a first fragment', udpPacket({ ...PLAIN, fragment: 0x2000 }), 'relayed'],
  ['a later fragment', udpPacket({ ...PLAIN, fragment: 185 }), 'relayed'],
  ['to one host', udpPacket({ ...PLAIN, destination: '192.0.2.10' }), 'notBroadcast'],
  ['to a multicast group', udpPacket({ ...PLAIN, destination: '239.255.255.250' }), 'notBroadcast'],
  ['to a multicast group that ends in 255', udpPacket({ ...PLAIN, destination: '239.255.255.255' }), 'notBroadcast'],
  ['ICMP', udpPacket({ ...PLAIN, protocol: 1 }), 'notUdp'],
  ['TTL 1', udpPacket({ ...PLAIN, ttl: 1 }), 'alreadyRelayed'],
  ['TTL 0', udpPacket({ ...PLAIN, ttl: 0 }), 'alreadyRelayed'],
  ['nothing', Buffer.alloc(0), 'malformed'],
  ['shorter than a header', udpPacket(PLAIN).subarray(0, 19), 'malformed'],
  ['shorter than its length field says', udpPacket(PLAIN).subarray(0, -1), 'malformed'],
  ['IPv6', changed(udpPacket(PLAIN), 0, 0x65), 'malformed'],
  ['a header length below 20', changed(udpPacket(PLAIN), 0, 0x44), 'malformed'],
  ['a header longer than the packet', changed(udpPacket({ ...PLAIN, text: '' }), 0, 0x4f), 'malformed'],
  ["a wrong header's checksum", changed(udpPacket(PLAIN), 10, 0xaa), 'malformed'],
  ['no room for a UDP header', sealHeader(changed(udpPacket({ ...PLAIN, text: '' }), 3, 27)), 'malformed'],
];

describe('which packets are relayed', () => {
  for (const [name, packet, decision] of DECISIONS) {
    test(`${name}: ${decision}`, () => {
      const broadcast = readBroadcast(packet, LAN_BROADCAST);
      assert.equal(typeof broadcast === 'string' ? broadcast : 'relayed', decision);
    });
  }

  test('any octets are handled without throwing, and an accepted packet lies within them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(0xffff_ffff), (octets, lanBroadcast) => {
        const broadcast = readBroadcast(octets, lanBroadcast);
        assert(typeof broadcast === 'string' || broadcast.octets.length <= octets.length);
      }),
    );
  });
});

describe('what is changed in relayed packets', () => {
  const expected = {
    source: '192.0.2.9',
    destination: '255.255.255.255',
    ttl: 1,
    sourcePort: 5000,
    destinationPort: 6000,
    text: PLAIN.text,
  };

  test('destination and TTL are changed; ports, text and a correct checksum are kept', () => {
    assert.deepEqual(heard(relayedFrom(udpPacket(PLAIN))), { ...expected, udpChecksum: 'right' });
  });

  test("the source becomes the client's address", () => {
    const packet = relayedFrom(udpPacket({ ...PLAIN, source: '10.1.1.1' }), CLIENT);
    assert.deepEqual(heard(packet), { ...expected, source: '203.0.113.10', udpChecksum: 'right' });
  });

  test('a relayed packet is not relayed again, and the original is unchanged', () => {
    const packet = udpPacket(PLAIN);
    const before = Buffer.from(packet);
    assert.equal(readBroadcast(relayedFrom(packet, CLIENT), LAN_BROADCAST), 'alreadyRelayed');
    assert.deepEqual(packet, before);
  });

  test("the link's padding is cut off", () => {
    const packet = udpPacket(PLAIN);
    assert.deepEqual(relayedFrom(Buffer.concat([packet, Buffer.alloc(9, 7)])), relayedFrom(packet));
  });

  test('a checksum left to the network card is completed', () => {
    const packet = udpPacket({ ...PLAIN, checksum: 'unfinished' });
    assert.equal(heard(packet).udpChecksum, 'wrong');
    assert.equal(heard(relayedFrom(packet, CLIENT)).udpChecksum, 'right');
  });

  test('a missing checksum stays missing, and a wrong one stays wrong', () => {
    assert.equal(heard(relayedFrom(udpPacket({ ...PLAIN, checksum: 'none' }), CLIENT)).udpChecksum, 'none');
    assert.equal(heard(relayedFrom(udpPacket({ ...PLAIN, checksum: 0x1234 }), CLIENT)).udpChecksum, 'wrong');
  });

  test('a later fragment has no UDP header, so its payload is unchanged', () => {
    const packet = udpPacket({ ...PLAIN, fragment: 185 });
    assert.deepEqual(relayedFrom(packet, CLIENT).subarray(20), packet.subarray(20));
  });

  test('a correct checksum stays correct for any packet', () => {
    const octet = fc.nat(255);
    const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
    const checksum = fc.constantFrom('right', 'unfinished');
    fc.assert(
      fc.property(address, fc.string(), fc.nat(0xffff_ffff), checksum, (source, text, newSource, written) => {
        const packet = udpPacket({ source, destination: '10.0.0.255', text, checksum: written });
        assert.equal(heard(relayedFrom(packet, newSource)).udpChecksum, 'right');
      }),
    );
  });
});

describe('the fingerprint', () => {
  const print = (fields: Partial<UdpFields>): number => fingerprint(accepted(udpPacket({ ...PLAIN, ...fields })));

  test('does not depend on which relay sent the packet', () => {
    const again = relayedFrom(udpPacket(PLAIN), CLIENT);
    again[8] = 64;
    assert.equal(fingerprint(accepted(sealHeader(again))), print({}));
  });

  test('differs by identification, fragment and text', () => {
    const prints = [print({}), print({ identification: 2 }), print({ fragment: 185 }), print({ text: 'who is here?' })];
    assert.equal(new Set(prints).size, prints.length);
  });
});
