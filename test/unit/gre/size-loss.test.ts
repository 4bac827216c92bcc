import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { QUIET, SizeLoss } from '../../../src/gre/size-loss.js';

const WAIT = QUIET + 500;

/** A sender whose packets are WAIT ms apart. `passes` tells which lengths arrive and are acknowledged. */
class Sender {
  readonly loss = new SizeLoss();
  #sequence: number;
  #now = 0;

  constructor(first = 0) {
    this.#sequence = first;
  }

  send(lengths: readonly number[], passes: (length: number) => boolean, apart = WAIT): this {
    for (const length of lengths) {
      const sequence = this.#sequence;
      this.#sequence = (sequence + 1) >>> 0;
      this.loss.send(sequence, length, this.#now);
      this.#now += apart;
      if (passes(length)) this.loss.recvAcknowledgment(sequence);
    }
    return this;
  }
}

const MIXED = [1404, 60, 1404, 60, 1404, 92, 1404, 60, 60];
const upTo = (limit: number) => (length: number) => length <= limit;

describe('a black hole is suspected', () => {
  test('when long packets are missed repeatedly while short ones arrive', () => {
    const { loss } = new Sender().send(MIXED, upTo(1000));
    assert(loss.isSuspected);
    assert.deepEqual([loss.arrives, loss.missing], [92, 1404]);
  });

  test('when sequence numbers wrap to 0', () => {
    assert(new Sender(0xffff_fffd).send(MIXED, upTo(1000)).loss.isSuspected);
  });
});

describe('nothing is suspected', () => {
  const harmless: Readonly<Record<string, () => Sender>> = {
    'when everything arrives': () => new Sender().send(MIXED, () => true),
    'when nothing arrives': () => new Sender().send(MIXED, () => false),
    'when short ones are lost as well': () =>
      new Sender().send([60, 60, 60, ...MIXED, 40, 60], (length) => length === 60),
    'when a long one has arrived before': () => new Sender().send([1404], () => true).send(MIXED, upTo(1000)),
    'when packets follow so fast that acknowledgments may be merged': () => new Sender().send(MIXED, upTo(1000), 100),
    'before the third miss': () => new Sender().send([1404, 60, 1404, 60, 60, 60], upTo(1000)),
  };
  for (const [when, sent] of Object.entries(harmless)) test(when, () => assert(!sent().loss.isSuspected));

  test('when short ones are lost as often as long ones', () => {
    let count = 0;
    assert(!new Sender().send([...MIXED, ...MIXED], (length) => length < 1000 && ++count % 2 === 0).loss.isSuspected);
  });
});

describe('what counts', () => {
  /** Sends `lengths` one behind the other, WAIT apart, from `first` on; acknowledges none. */
  const sendAll = (loss: SizeLoss, first: number, lengths: readonly number[]): void => {
    for (const [index, length] of lengths.entries()) loss.send(first + index, length, (first + index) * WAIT);
  };

  test('a suspicion ends when a long one arrives, and needs as many again', () => {
    const sender = new Sender().send(MIXED, upTo(1000)).send([1404], () => true);
    const { loss } = sender;
    assert.deepEqual([loss.isSuspected, loss.arrives, loss.missing], [false, 1404, 0]);
    // Longer ones: three misses, but two arrivals.
    sender.send([1450, 60, 1450, 60, 1450], upTo(1000));
    loss.send(100, 40, 1_000_000);
    assert.equal(loss.isSuspected, false);
    loss.recvAcknowledgment(100);
    assert.deepEqual([loss.isSuspected, loss.missing], [true, 1450]);
  });

  test('a packet is missed when nothing has come for QUIET, not before', () => {
    for (const [apart, missing] of [
      [QUIET - 1, 0],
      [QUIET, 1404],
    ] as const) {
      const loss = new SizeLoss();
      loss.send(0, 1404, 10_000);
      loss.send(1, 60, 10_000 + apart);
      assert.equal(loss.missing, missing);
    }
  });

  test('QUIET counts from the packet that was sent last', () => {
    const loss = new SizeLoss();
    loss.send(0, 1404, 0);
    loss.send(1, 1404, QUIET - 1);
    loss.send(2, 60, QUIET + 1);
    assert.equal(loss.missing, 0);
  });

  test('the acknowledgment of an earlier packet does not stand for the last one', () => {
    const loss = new SizeLoss();
    loss.send(0, 60, 0);
    loss.send(1, 1404, 10);
    loss.recvAcknowledgment(0);
    loss.send(2, 60, 10 + QUIET);
    assert.equal(loss.missing, 1404);
  });

  test('a length that every path carries is lost for other reasons, and so is one that has arrived', () => {
    for (const [arrived, lost, missing] of [
      [60, 539, 0],
      [60, 540, 540],
      [1000, 1000, 0],
      [1000, 1001, 1001],
    ] as const) {
      const loss = new SizeLoss();
      loss.send(0, arrived, 0);
      loss.recvAcknowledgment(0);
      sendAll(loss, 1, [lost, 60]);
      assert.equal(loss.missing, missing, `${lost} where ${arrived} arrives`);
    }
  });

  test('the shortest of those that were missed is told', () => {
    const loss = new SizeLoss();
    sendAll(loss, 0, [1404, 1200, 1300, 60]);
    assert.equal(loss.missing, 1200);
  });

  test('arrivals count each once, and only since the first miss', () => {
    const loss = new SizeLoss();
    for (const number of [0, 1, 2, 3]) {
      loss.send(number, 60, number);
      loss.recvAcknowledgment(number);
    }
    sendAll(loss, 4, [1404, 1404, 1404]);
    loss.send(7, 60, 100 * WAIT);
    for (let round = 0; round < 5; round += 1) loss.recvAcknowledgment(7);
    assert.equal(loss.isSuspected, false, 'one arrival, told five times');
    for (const number of [8, 9]) {
      loss.send(number, 60, 100 * WAIT + number);
      loss.recvAcknowledgment(number);
    }
    assert.equal(loss.isSuspected, true);
  });

  test('acknowledgments of what was not sent, or so long ago that its length is forgotten, are none', () => {
    const loss = new SizeLoss();
    loss.recvAcknowledgment(0);
    for (let number = 0; number < 1100; number += 1) loss.send(number, 60, 0);
    sendAll(loss, 1100, [1404, 1404, 1404]);
    loss.send(1103, 60, 2000 * WAIT);
    for (const number of [5000, 1104, 1103 - 1024, 1103 - 1025, 10]) loss.recvAcknowledgment(number);
    assert.deepEqual([loss.arrives, loss.isSuspected], [0, false]);
    // As far back as lengths are known.
    for (const number of [1103 - 1023, 1103 - 1022, 1103]) loss.recvAcknowledgment(number);
    assert.deepEqual([loss.arrives, loss.isSuspected], [60, true]);
  });
});
