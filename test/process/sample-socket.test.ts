/** link/kernel/sample-socket: which packets of a client reach the worker while the kernel carries the call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SideSocket } from '../../src/gre/side-socket.js';
import type { Sampling } from '../../src/link/kernel/acknowledging.js';
import { SampleSocket } from '../../src/link/kernel/sample-socket.js';
import { BPF } from '../../src/sys/packet-filter.js';
import { enterNamespace } from './support/netns.js';

const [SERVER, CLIENT] = ['192.0.2.1', '192.0.2.2'];
enterNamespace(SERVER, CLIENT);

const CALL_ID = 7;
/** Compressed protocol field of an MPPE packet. */
const DATA = [0xfd, 0x90, 0x00, 0x12, 0x34];
const CONFIGURE_REQUEST = [0x80, 0xfd, 1, 1, 0, 4];

const samples = new SampleSocket({
  localAddress: SERVER,
  peerAddress: CLIENT,
  localCallId: CALL_ID,
  peerCallId: 9,
  device: undefined,
});
const client = new SideSocket({
  localAddress: CLIENT,
  peerAddress: SERVER,
  device: undefined,
  callId: 9,
  filter: [{ code: BPF.return, operand: 0 }],
  longest: 1,
});
let sequence = 0;

/** The client's packet; lo delivers it before this returns. */
function send(frame: readonly number[]): void {
  const header = [0x30, 0x01, 0x88, 0x0b, 0, frame.length, 0, CALL_ID, 0, 0, 0, sequence++];
  assert(client.send(Uint8Array.from([...header, ...frame])));
}

/** How many of eight data packets and one of CCP are seen. */
function seen(what: Sampling): number {
  samples.listen(what, 'sealed');
  for (let count = 0; count < 8; count += 1) send(DATA);
  send(CONFIGURE_REQUEST);
  let packets = 0;
  while (samples.read() !== null) packets += 1;
  return packets;
}

test('sampling, every n-th data packet and CCP are seen; resting, CCP only; deaf, nothing', (t) => {
  t.after(() => {
    samples.close();
    client.close();
  });
  assert.equal(seen({ kind: 'sampling', every: 1 }), 9);
  assert.equal(seen({ kind: 'deaf' }), 0);
  assert.equal(seen({ kind: 'resting' }), 1);
  assert.equal(seen({ kind: 'deaf' }), 0);
  assert.equal(seen({ kind: 'sampling', every: 1 }), 9);
});
