/** Parses an IP packet that may be a broadcast to relay. */
import assert from 'node:assert/strict';
import { fingerprint, LIMITED_BROADCAST, readBroadcast, relayed } from '../../../src/broadcast/packet.js';
import { udpPacket } from '../../unit/broadcast/packets.js';
import { surrounded } from '../surroundings.js';
import type { Target } from '../target.js';

const LAN_BROADCAST = 0xc000_027f;
const SOURCE = 0xcb00_710a;
const PLAIN = { source: '192.0.2.9', destination: '192.0.2.255', text: 'who is there?' };

export const broadcast: Target = {
  covers: ['/src/broadcast/packet.js'],
  seeds: () => [
    udpPacket(PLAIN),
    udpPacket({ ...PLAIN, options: [1, 1, 1, 0], checksum: 'none' }),
    udpPacket({ ...PLAIN, fragment: 0x2000 }),
    udpPacket({ ...PLAIN, fragment: 185, checksum: 'unfinished' }),
  ],
  run: (input) => {
    const result = surrounded(input, (view) => {
      const read = readBroadcast(view, LAN_BROADCAST);
      if (typeof read === 'string') return read;
      return { print: fingerprint(read), packet: relayed(read, SOURCE), length: read.octets.length };
    });
    if (typeof result === 'string') return result;
    const { packet, length } = result;
    assert(length <= input.length && packet.length === length);
    assert.equal(readBroadcast(packet, LAN_BROADCAST), 'alreadyRelayed');
    const view = new DataView(packet.buffer);
    assert.deepEqual([view.getUint32(12), view.getUint32(16)], [SOURCE, LIMITED_BROADCAST]);
    return 'relayed';
  },
};
