import assert from 'node:assert/strict';
import { test } from 'node:test';
import { close } from '../../../src/sys/descriptor.js';
import { receivePackets, sendPacket, seqpacketPair } from '../../../src/sys/seqpacket-socket.js';

test('a process that sends without end has one turn of many', () => {
  const { ours, theirs } = seqpacketPair();
  const into = Buffer.alloc(8);
  let taken = 0;
  sendPacket(theirs, Buffer.from('first'));
  const isOpen = receivePackets(ours, into, 3, (length) => {
    assert.equal(into.toString('latin1', 0, length), taken === 0 ? 'first' : 'next');
    taken += 1;
    assert(taken <= 3, 'it has no end');
    sendPacket(theirs, Buffer.from('next'));
  });
  assert.deepEqual([isOpen, taken], [true, 3]);
  close(theirs);
  assert.equal(
    receivePackets(ours, into, 3, () => (taken += 1)),
    false,
  );
  assert.equal(taken, 4, 'what was sent before the end arrives');
  close(ours);
});
