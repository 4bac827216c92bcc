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
