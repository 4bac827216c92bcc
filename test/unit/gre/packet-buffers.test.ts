/** The kernel's structures in the shared memory, read back as it reads them: mmsghdr and iovec of 64-bit Linux. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_HEADER } from '../../../src/gre/header.js';
import {
  ACKNOWLEDGMENT_MESSAGE,
  MAX_FRAME,
  PacketBuffers,
  RECEIVE_BATCH,
  RECEIVE_SLOTS,
  SEND_BATCH,
} from '../../../src/gre/packet-buffers.js';
import { noneCounted } from '../../../src/gre/relay-counters.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';

const memory = new SharedMemory();
const buffers = new PacketBuffers(memory);

/** struct mmsghdr: msg_iov at 16, msg_iovlen at 24, msg_flags at 48, msg_len at 56, 64 in all; struct iovec: 16. */
const MESSAGE = 64;
const pointer = (at: number): number => Number(memory.view.getBigUint64(at, true)) - memory.address;
function message(at: number): { part: readonly [at: number, length: number]; parts: number } {
  const vector = pointer(at + 16);
  return {
    part: [pointer(vector), Number(memory.view.getBigUint64(vector + 8, true))],
    parts: Number(memory.view.getBigUint64(at + 24, true)),
  };
}
const received = (index: number): number => buffers.receiveMessages - memory.address + index * MESSAGE;
const sent = (index: number): number => buffers.sendMessages(index) - memory.address;

test('a received packet lands in the slot that its message was given, with room for the longest', () => {
  for (let index = 0; index < RECEIVE_BATCH; index += 1) buffers.receiveInto(index, RECEIVE_SLOTS - 1 - index);
  for (let index = 0; index < RECEIVE_BATCH; index += 1) {
    const { part, parts } = message(received(index));
    assert.deepEqual([parts, part[0]], [1, buffers.receiveSlotAt(RECEIVE_SLOTS - 1 - index)]);
    // The longest IPv4 header, GRE header and frame.
    assert.equal(part[1], 60 + MAX_HEADER + MAX_FRAME);
  }
});

test('how long a received packet is, and that the kernel has cut it, stands in its message', () => {
  for (let index = 0; index < RECEIVE_BATCH; index += 1) memory.view.setUint32(received(index) + 56, 100 + index, true);
  for (let index = 0; index < RECEIVE_BATCH; index += 1) assert.equal(buffers.receivedLength(index), 100 + index);
  memory.view.setUint32(received(7) + 48, 0x20 | 0x40, true);
  assert.equal(buffers.receivedLength(7), -1);
  memory.view.setUint32(received(7) + 48, 0x40, true);
  assert.equal(buffers.receivedLength(7), 107);
});

test('a packet to send is what its message was told, the acknowledgment’s as the last one', () => {
  const at = buffers.frameAt(5) - 16;
  for (let index = 0; index <= ACKNOWLEDGMENT_MESSAGE; index += 1) buffers.sendFrom(index, at + index, 50 + index);
  for (let index = 0; index <= ACKNOWLEDGMENT_MESSAGE; index += 1)
    assert.deepEqual(message(sent(index)), { part: [at + index, 50 + index], parts: 1 });
});

test('the lengths of decoded frames are read where the codec is told to write them', () => {
  const { lengthsAt, capacity } = buffers.frames;
  assert.equal(capacity, SEND_BATCH);
  for (let index = 0; index < capacity; index += 1) memory.view.setUint32(lengthsAt + index * 4, 1000 + index, true);
  for (let index = 0; index < capacity; index += 1) assert.equal(buffers.frameLength(index), 1000 + index);
});

test('no two packets share an octet, headers before frames included', () => {
  const { frames } = buffers;
  const places: [name: string, from: number, to: number][] = [];
  const add = (name: string, at: number, length: number): void => void places.push([name, at, at + length]);
  for (let slot = 0; slot < RECEIVE_SLOTS; slot += 1)
    add(`received ${slot}`, buffers.receiveSlotAt(slot), 60 + MAX_HEADER + MAX_FRAME);
  for (let index = 0; index < SEND_BATCH; index += 1) {
    assert.equal(buffers.frameAt(index), frames.at + index * frames.stride);
    add(`sent ${index}`, buffers.frameAt(index) - MAX_HEADER, MAX_HEADER + frames.limit);
  }
  add('lengths', frames.lengthsAt, 4 * SEND_BATCH);
  add('acknowledgment', buffers.acknowledgmentEnd - MAX_HEADER, MAX_HEADER);
  add('received messages', received(0), RECEIVE_BATCH * MESSAGE);
  add('messages to send', sent(0), (SEND_BATCH + 1) * MESSAGE);
  places.sort(([, one], [, other]) => one - other);
  for (const [index, [name, from]] of places.entries()) {
    const [before, , end] = places[index - 1] ?? ['', 0, 0];
    assert(from >= end, `${before} reaches into ${name}`);
  }
  assert((places.at(-1)?.[2] ?? 0) <= memory.octets.length);
});

test('a relay begins with nothing counted', () => {
  assert.deepEqual([...new Set(Object.values(noneCounted()))], [0]);
});
