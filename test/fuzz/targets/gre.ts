/** GRE: the header of a packet, the order of many packets, and the window that acknowledgments open. */
import assert from 'node:assert/strict';
import { Acknowledgment } from '../../../src/gre/acknowledgment.js';
import { decodeHeader, emptyHeader, encodeAcknowledgment, encodeDataHeader } from '../../../src/gre/header.js';
import { MAX_WAIT } from '../../../src/gre/reorder-wait.js';
import { SendWindow } from '../../../src/gre/send-window.js';
import { ReceiveSequence, RUN_TO_RESYNC, WINDOW } from '../../../src/gre/sequence.js';
import { advance, distance } from '../../../src/gre/serial.js';
import { surrounded } from '../surroundings.js';
import type { Target } from '../target.js';

const CALL_ID = 0x1234;
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

export const greHeader: Target = {
  covers: ['/src/gre/header.js'],
  seeds: () => [
    hex('3081 880b 0004 1234 00000001 00000002 c021 0101'),
    hex('3001 880b 0002 1234 ffffffff 0021'),
    hex('2081 880b 0000 1234 00000007'),
    hex('2001 880b 0000 1234'),
  ],
  run: (input) => {
    const { fault, header } = surrounded(input, (bytes) => {
      const read = emptyHeader();
      const view = new DataView(bytes.buffer);
      const end = bytes.byteOffset + bytes.length;
      const why = decodeHeader(view, bytes.byteOffset, end, CALL_ID, read);
      return { fault: why, header: why === null ? { ...read, payloadAt: read.payloadAt - bytes.byteOffset } : read };
    });
    if (fault !== null) return fault;
    const { payloadAt, payloadLength, sequence, acknowledgment } = header;
    assert(payloadAt >= 8 && payloadAt + payloadLength <= input.length);
    if (payloadLength === 0 && header.hasSequence) return 'empty data';
    // Encoding it again gives the same octets.
    const again = new Uint8Array(payloadAt);
    const view = new DataView(again.buffer);
    if (header.hasSequence) {
      const ack = header.hasAcknowledgment ? acknowledgment : null;
      assert.equal(encodeDataHeader(view, payloadAt, payloadLength, CALL_ID, sequence, ack), 0);
    } else {
      assert(header.hasAcknowledgment);
      assert.equal(encodeAcknowledgment(view, payloadAt, CALL_ID, acknowledgment), 0);
    }
    assert.deepEqual(again, Uint8Array.from(input.subarray(0, payloadAt)));
    return 'sound';
  },
};

const words = (...values: readonly number[]): Uint8Array => {
  const bytes = Buffer.alloc(values.length * 3);
  for (const [index, value] of values.entries()) bytes.writeUIntBE(value, index * 3, 3);
  return bytes;
};

/**
 * Three octets per step: a pause in ms (its high four bits are the number of doublings), and the distance from the
 * usual number.
 */
function* steps(input: Uint8Array): Generator<{ readonly pause: number; readonly offset: number }> {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  for (let at = 0; at + 3 <= input.length; at += 3) {
    const pause = view.getUint8(at);
    yield { pause: (pause & 0x0f) << (pause >> 4), offset: view.getInt16(at + 1) };
  }
}

export const greSequence: Target = {
  covers: ['/src/gre/sequence.js', '/src/gre/acknowledgment.js', '/src/gre/serial.js'],
  seeds: () => [
    words(0, 0, 0, 0, 0, 0, 0, 0),
    words(0, 0, 1, 0xffff, 0, 0x050010, 0, 0x000200, 0x000200, 0x000200, 0x000200, 0x000200, 0x000200),
    words(...Array.from({ length: 400 }, (_, index) => (index % 7) + 1)),
    words(0, 0, 0, ...Array.from({ length: 12 }, () => 0x8f00fa)),
  ],
  run: (input) => {
    const sequence = new ReceiveSequence();
    const acknowledgment = new Acknowledgment(64);
    /** Slots that the sequence holds, by number. */
    const owned = new Map<number, number>();
    const numbers: number[] = [];
    /** The next numbers of the windows that were left; the packets held there have been released. */
    const left = new Set<number>();
    let now = 0;
    const take = (): void => {
      for (let index = 0; index < sequence.releasedCount; index += 1) {
        assert(
          owned.delete(sequence.released[index] ?? -1),
          'a slot was released that was not held, or was released twice',
        );
      }
      sequence.releasedCount = 0;
    };
    let slot = 0;
    for (const { pause, offset } of steps(input)) {
      now += pause;
      sequence.expire(now);
      take();
      const { resyncs } = sequence;
      const place = sequence.held > 0 ? advance(sequence.highest, 1) : sequence.next;
      const number = (0xffff_ff00 + slot + offset) >>> 0;
      numbers.push(number);
      owned.set(slot, number);
      const verdict = sequence.receive(number, slot, now);
      if (verdict !== 'accepted' && verdict !== 'held') assert(owned.delete(slot));
      else acknowledgment.recvUpTo(sequence.highest);
      take();
      assert.equal(owned.size, sequence.held);
      assert(sequence.held < WINDOW);
      assert((sequence.deadline() === null) === (sequence.held === 0));
      if (sequence.resyncs > resyncs) {
        const run = numbers.slice(-RUN_TO_RESYNC);
        const isRun =
          run.length === RUN_TO_RESYNC && run.every((each, index) => each === ((run[0] ?? 0) + index) >>> 0);
        const isKnown = [...left].some((known) => distance(known, number) >= 0 && distance(known, number) < WINDOW);
        assert(isRun || isKnown, 'the window moved to an unknown position without a run');
        left.add(place);
      }
      if (acknowledgment.isUrgent) assert.equal(acknowledgment.sendAlone(), sequence.highest);
      slot += 1;
    }
    sequence.expire(now + MAX_WAIT);
    take();
    assert.equal(owned.size, 0);
    return `${Math.min(3, sequence.resyncs)} ${Math.min(1, sequence.lost)}`;
  },
};

const MAX_WINDOW = 64;

export const greWindow: Target = {
  covers: ['/src/gre/send-window.js'],
  seeds: () => [words(0, 1, 2, 3), words(0x018000, 0x018000, 0x028001, 0xff0000, 0x018000, 0x010002)],
  run: (input) => {
    const window = new SendWindow(MAX_WINDOW);
    let now = 0;
    let sent = 0;
    for (const { pause, offset } of steps(input)) {
      now += pause;
      // Half of the steps send packets; the others acknowledge numbers near the last one.
      if (offset < 0) {
        assert.equal(window.send(now), sent >>> 0);
        sent += 1;
      } else window.recvAcknowledgment((sent - (offset % 300) + 20) >>> 0, now);
      window.expire(now);
      assert(window.outstanding >= 0 && window.outstanding <= sent);
      assert(window.window >= 1 && window.window <= MAX_WINDOW);
      assert(window.allowance >= 0 && window.allowance <= window.window);
      assert(Number.isFinite(window.timeout) && window.timeout > 0);
      assert((window.deadline === null) === (window.outstanding === 0));
      assert(window.roundTrip === null || window.roundTrip >= 0);
    }
    return '';
  },
};
