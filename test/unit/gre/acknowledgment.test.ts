import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Acknowledgment } from '../../../src/gre/acknowledgment.js';

const TOP = 2 ** 32;

/** What has come, and whether an acknowledgment is due, and urgent. */
type Row = readonly [name: string, receiveWindow: number, highest: readonly number[], isDue: boolean, urgent: boolean];

const TABLE: readonly Row[] = [
  ['nothing has come', 64, [], false, false],
  ['one packet waits for data to ride on', 64, [0], true, false],
  ['seven packets', 64, [6, 12], true, false],
  ['eight packets', 64, [6, 13], true, true],
  ['a window of one: every packet', 1, [0], true, true],
  ['a window of six: every third', 6, [0, 2], true, true],
  ['the first number is any', 64, [4_000_000_000], true, false],
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

  test('rides on the next data packet, once', () => {
    const acknowledgment = new Acknowledgment(64);
    assert.equal(acknowledgment.piggyback(), null);
    acknowledgment.recvUpTo(0);
    assert.equal(acknowledgment.piggyback(), 0);
    assert.equal(acknowledgment.piggyback(), null);
    assert.equal(acknowledgment.isDue, false);
  });

  test('while it finds data to ride on it waits for more, up to half a window', () => {
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

  test('what did not go out is due again', () => {
    const acknowledgment = new Acknowledgment(64);
    acknowledgment.recvUpTo(7);
    acknowledgment.piggyback();
    acknowledgment.unsent();
    assert.equal(acknowledgment.piggyback(), 7);
  });

  test('a peer that went back is told so at once', () => {
    const acknowledgment = new Acknowledgment(64);
    acknowledgment.recvUpTo(1_000_000);
    acknowledgment.sendAlone();
    acknowledgment.recvUpTo(4);
    assert.equal(acknowledgment.isUrgent, true);
    assert.equal(acknowledgment.sendAlone(), 4);
  });
});
