import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SendWindow } from '../../../src/gre/send-window.js';

const send = (window: SendWindow, count: number, now = 0): number[] =>
  Array.from({ length: count }, () => window.send(now));

describe('SendWindow', () => {
  test('numbers begin at 0 and are consecutive', () => {
    assert.deepEqual(send(new SendWindow(64), 4), [0, 1, 2, 3]);
  });

  for (const [peerWindow, first] of [
    [64, 32],
    [3, 2],
    [1, 1],
    [0, 1],
  ] as const) {
    test(`a peer's window of ${peerWindow} begins with ${first} (§4.2.1)`, () => {
      assert.equal(new SendWindow(peerWindow).window, first);
    });
  }

  test('each acknowledged window enlarges it by one, up to the maximum (§4.2.3)', () => {
    const window = new SendWindow(4);
    send(window, 2);
    assert.deepEqual([window.outstanding, window.allowance], [2, 0]);
    window.recvAcknowledgment(0, 1);
    assert.deepEqual([window.window, window.allowance], [2, 1]);
    window.recvAcknowledgment(1, 1);
    assert.equal(window.window, 3);
    for (let last = 2; last < 40; last += 1) {
      window.send(2);
      window.recvAcknowledgment(last, 2);
    }
    assert.equal(window.window, 4);
  });

  test('an acknowledgment covers all packets before it, and old ones have no effect', () => {
    const window = new SendWindow(64);
    send(window, 10);
    window.recvAcknowledgment(7, 1);
    assert.equal(window.outstanding, 2);
    window.recvAcknowledgment(3, 1);
    assert.deepEqual([window.outstanding, window.impossible], [2, 0]);
  });

  test('an acknowledgment of a packet that was not sent is counted and ignored', () => {
    const window = new SendWindow(64);
    window.recvAcknowledgment(0, 0);
    send(window, 2);
    window.recvAcknowledgment(2, 0);
    window.recvAcknowledgment(500_000, 0);
    assert.deepEqual([window.impossible, window.outstanding], [3, 2]);
  });

  test('packets beyond the window are counted', () => {
    const window = new SendWindow(8);
    send(window, 6);
    assert.equal(window.exceeded, 2);
  });

  test('round-trip time and time-out by §4.4.1', () => {
    const window = new SendWindow(64);
    assert.equal(window.roundTrip, null);
    window.send(0);
    window.recvAcknowledgment(0, 100);
    assert.equal(window.roundTrip, 100);
    window.send(1000);
    window.recvAcknowledgment(1, 1180);
    // DIFF 80: DEV 20, RTT 110, ATO 110 + 4 * 20, raised to the minimum time-out of 200
    assert.deepEqual([window.roundTrip, window.timeout], [110, 200]);
    window.send(2000);
    window.recvAcknowledgment(2, 2430);
    // DIFF 320: DEV 20 + (320 - 20) / 4, RTT 150, ATO 150 + 4 * 95
    assert.deepEqual([window.roundTrip, window.timeout], [150, 530]);
  });

  test('a time-out halves the window, rounded up, and doubles the round-trip time (§4.2.2, §4.4.2)', () => {
    const window = new SendWindow(10);
    window.send(0);
    window.recvAcknowledgment(0, 150);
    send(window, 5, 1000);
    assert.equal(window.deadline, 1200);
    assert.equal(window.expire(1199), false);
    assert.equal(window.expire(1200), true);
    assert.deepEqual([window.window, window.roundTrip, window.timeout, window.timeouts], [3, 300, 300, 1]);
    // Outstanding packets are not waited for again.
    assert.deepEqual([window.outstanding, window.deadline, window.expire(9999)], [0, null, false]);
  });

  test('a silent peer reduces the window to one packet', () => {
    const window = new SendWindow(64);
    for (let second = 0; second < 400; second += 20) {
      window.send(second * 1000);
      window.expire((second + 15) * 1000);
    }
    assert.equal(window.window, 1);
    assert.equal(window.timeout, 10_000);
  });

  test('each window acknowledged counts once (§4.2.3)', () => {
    const window = new SendWindow(64);
    const acknowledge = (count: number): void => {
      const numbers = send(window, count);
      window.recvAcknowledgment(numbers.at(-1) ?? 0, 0);
    };
    acknowledge(32);
    assert.equal(window.window, 33);
    acknowledge(32);
    assert.equal(window.window, 33, 'one is missing');
    acknowledge(1);
    assert.equal(window.window, 34);
  });

  test('what was acknowledged before a time-out does not count behind it', () => {
    const window = new SendWindow(4);
    send(window, 2);
    window.recvAcknowledgment(0, 0);
    window.expire(1000);
    assert.equal(window.window, 1);
    window.send(1000);
    window.recvAcknowledgment(2, 1000);
    assert.equal(window.window, 2);
    const [last = 0] = send(window, 1, 1000);
    window.recvAcknowledgment(last, 1000);
    assert.equal(window.window, 2);
  });

  test('before anything is measured the time-out is half a second', () => {
    const window = new SendWindow(64);
    window.send(1000);
    assert.deepEqual([window.timeout, window.deadline], [500, 1500]);
  });

  test('an acknowledgment is waited for since the first packet that has none, and anew since the last one that came', () => {
    const window = new SendWindow(64);
    window.send(1000);
    window.send(1400);
    window.send(1450);
    assert.equal(window.deadline, 1500);
    window.recvAcknowledgment(0, 1460);
    assert.equal(window.deadline, 1460 + window.timeout);
    window.recvAcknowledgment(0, 1470);
    assert.equal(window.deadline, 1460 + window.timeout, 'the same one again is none');
    window.recvAcknowledgment(2, 1480);
    assert.equal(window.deadline, null);
    window.send(9000);
    assert.equal(window.deadline, 9000 + window.timeout);
  });

  test('one packet is timed at a time, until it is acknowledged itself', () => {
    const window = new SendWindow(64);
    send(window, 2, 0);
    window.recvAcknowledgment(0, 100);
    window.send(1000);
    window.recvAcknowledgment(1, 1050);
    assert.equal(window.roundTrip, 100, 'the one that is timed is not acknowledged yet');
    window.send(1060);
    window.recvAcknowledgment(3, 1180);
    // DIFF 80 from the packet of 1000, not that of 1060.
    assert.equal(window.roundTrip, 110);
  });

  test('a packet that was out at a time-out is timed no more', () => {
    const window = new SendWindow(64);
    window.send(0);
    window.expire(500);
    window.send(1000);
    window.recvAcknowledgment(1, 1100);
    assert.equal(window.roundTrip, 100);
  });
});
