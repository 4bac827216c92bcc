import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketBuffers, RECEIVE_BATCH, RECEIVE_SLOTS } from '../../../src/gre/packet-buffers.js';
import { ReceiveSlots } from '../../../src/gre/receive-slots.js';
import { SharedMemory } from '../../../src/sys/shared-memory.js';

const RANGE = Array.from({ length: RECEIVE_BATCH }, (_, index) => index);

function fixture() {
  const buffers = new PacketBuffers(new SharedMemory());
  /** Where the kernel will put each message of the next batch, by slot: the last it was told. */
  const told = new Map<number, number>();
  const receiveInto = buffers.receiveInto.bind(buffers);
  buffers.receiveInto = (index, slot) => {
    told.set(index, slot);
    receiveInto(index, slot);
  };
  const slots = new ReceiveSlots(buffers);
  const batch = (): number[] => RANGE.map((index) => slots.of(index));
  const assertTold = (): void =>
    assert.deepEqual(
      [...told].toSorted(([one], [other]) => one - other),
      [...batch().entries()],
    );
  return { slots, batch, assertTold };
}

test('each message of a batch has a slot of its own, and the kernel is told of it', () => {
  const { batch, assertTold } = fixture();
  assert.equal(new Set(batch()).size, RECEIVE_BATCH);
  assertTold();
});

test('a packet that is held keeps its slot: the next batch gets another that nobody has', () => {
  const { slots, batch, assertTold } = fixture();
  const held = new Set<number>();
  // As many as there are.
  while (held.size < RECEIVE_SLOTS - RECEIVE_BATCH) {
    const index = held.size % RECEIVE_BATCH;
    held.add(slots.of(index));
    slots.hold(index);
    assert.equal(new Set([...held, ...batch()]).size, held.size + RECEIVE_BATCH, 'a slot has two packets');
  }
  for (const slot of [...held, ...batch()]) assert(slot >= 0 && slot < RECEIVE_SLOTS);
  assertTold();
});

test('a slot that was released is used again', () => {
  const { slots, batch, assertTold } = fixture();
  for (let round = 0; round < 10 * RECEIVE_SLOTS; round += 1) {
    const index = (round * 7) % RECEIVE_BATCH;
    const held = slots.of(index);
    slots.hold(index);
    assert(!batch().includes(held));
    slots.release(held);
  }
  assert.equal(new Set(batch()).size, RECEIVE_BATCH);
  assertTold();
});
