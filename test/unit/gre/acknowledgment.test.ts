import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Acknowledgment } from '../../../src/gre/acknowledgment.js';

const TOP = 2 ** 32;

/** Received numbers, and whether an acknowledgment is then due, and urgent. */
type Row = readonly [name: string, receiveWindow: number, highest: readonly number[], isDue: boolean, urgent: boolean];

const TABLE: readonly Row[] = [
  ['nothing received', 64, [], false, false],
  ['one packet: acknowledgment due, not urgent', 64, [0], true, false],
  ['seven packets: due, not urgent', 64, [6, 12], true, false],
  ['eight packets: urgent', 64, [6, 13], true, true],
  ['a window of one: every packet', 1, [0], true, true],
  ['a window of six: every third', 6, [0, 2], true, true],
  ['the first number may have any value', 64, [4_000_000_000], true, false],
  ['across 2^32', 64, [TOP - 4, 4], true, true],
];

describe('Acknowledgment', () => {
  for (const [name, receiveWindow, numbers, isDue, urgent] of TABLE) {
    test(name, () => {
      const acknowledgment = new Acknowledgment(receiveWindow);
      for (const number of numbers) acknowledgment.recvUpTo(number);
      assert.deepEqual([acknowledgment.isDue, acknowledgment.isUrgent], [isDue, urgent]);
    });
  }

  test('the next data packet carries the acknowledgment, once', () => {
    const acknowledgment = new Acknowledgment(64);
    assert.equal(acknowledgment.piggyback(), null);
    acknowledgment.recvUpTo(0);
    assert.equal(acknowledgment.piggyback(), 0);
    assert.equal(acknowledgment.piggyback(), null);
    assert.equal(acknowledgment.isDue, false);
  });

  test('while data packets carry acknowledgments, one is urgent only after half a window', () => {
    const acknowledgment = new Acknowledgment(64);
    acknowledgment.recvUpTo(0);
    acknowledgment.piggyback();
    acknowledgment.recvUpTo(31);
    assert.equal(acknowledgment.isUrgent, false);
    acknowledgment.recvUpTo(32);
    assert.equal(acknowledgment.isUrgent, true);
    assert.equal(acknowledgment.sendAlone(), 32);
    acknowledgment.recvUpTo(40);
    assert.equal(acknowledgment.isUrgent, true);
  });

  describe('a client that stops after three packets until they are acknowledged', () => {
    const stopped = (): Acknowledgment => {
      const acknowledgment = new Acknowledgment(64);
      acknowledgment.recvUpTo(0);
      acknowledgment.recvUpTo(2);
      assert.equal(acknowledgment.isUrgent, false);
      acknowledgment.delay();
      acknowledgment.expire();
      assert.equal(acknowledgment.sendAlone(), 2);
      return acknowledgment;
    };

    test('waits once', () => {
      const acknowledgment = stopped();
      acknowledgment.recvUpTo(4);
      assert.equal(acknowledgment.isUrgent, false);
      acknowledgment.recvUpTo(5);
      assert.equal(acknowledgment.isUrgent, true);
    });

    test('whose window shrinks further waits once more', () => {
      const acknowledgment = stopped();
      acknowledgment.recvUpTo(3);
      acknowledgment.delay();
      acknowledgment.expire();
      acknowledgment.sendAlone();
      acknowledgment.recvUpTo(4);
      assert.equal(acknowledgment.isUrgent, true);
    });

    test('one that was acknowledged during the delay has not stopped', () => {
      const acknowledgment = new Acknowledgment(64);
      acknowledgment.recvUpTo(0);
      acknowledgment.delay();
      acknowledgment.recvUpTo(7);
      acknowledgment.sendAlone();
      acknowledgment.recvUpTo(9);
      acknowledgment.expire();
      acknowledgment.sendAlone();
      acknowledgment.recvUpTo(16);
      assert.equal(acknowledgment.isUrgent, false);
    });

    test('is forgotten when data are sent, which carry acknowledgments', () => {
      const acknowledgment = stopped();
      assert.equal(acknowledgment.piggyback(), null);
      acknowledgment.recvUpTo(9);
      assert.equal(acknowledgment.isUrgent, false);
      acknowledgment.recvUpTo(10);
      assert.equal(acknowledgment.isUrgent, true);
    });

    test('had perhaps no more to send: more are tried later, up to eight', () => {
      const acknowledgment = stopped();
      let highest = 2;
      const enough = (): number => {
        const before = highest;
        while (!acknowledgment.isUrgent) acknowledgment.recvUpTo((highest += 1));
        acknowledgment.sendAlone();
        return highest - before;
      };
      const seen = new Set(Array.from({ length: 2000 }, enough));
      assert.deepEqual([...seen], [3, 6, 8]);
    });

    test('while data carry acknowledgments nothing is learned', () => {
      const acknowledgment = new Acknowledgment(64);
      acknowledgment.recvUpTo(0);
      acknowledgment.piggyback();
      acknowledgment.recvUpTo(3);
      acknowledgment.delay();
      acknowledgment.expire();
      acknowledgment.sendAlone();
      acknowledgment.recvUpTo(10);
      assert.equal(acknowledgment.isUrgent, false);
    });
  });

  test('an acknowledgment that was not sent is due again', () => {
    const acknowledgment = new Acknowledgment(64);
    acknowledgment.recvUpTo(7);
    acknowledgment.piggyback();
    acknowledgment.unsent();
    assert.equal(acknowledgment.piggyback(), 7);
  });

  test('a peer whose numbers went back gets an acknowledgment at once', () => {
    const acknowledgment = new Acknowledgment(64);
    acknowledgment.recvUpTo(1_000_000);
    acknowledgment.sendAlone();
    acknowledgment.recvUpTo(4);
    assert.equal(acknowledgment.isUrgent, true);
    assert.equal(acknowledgment.sendAlone(), 4);
  });
});
