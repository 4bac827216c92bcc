import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Acknowledging, DEAF_RATE, LOOK_MS, TRIAL_MS } from '../../../../src/link/kernel/acknowledging.js';

const WINDOW = 64;

/** A call, whose client sends and whose server answers as a test says; time passes by hand. */
class Call {
  now = 1000;
  fromClient = 0;
  toClient = 0;
  looks = 0;
  /** The number of packets that the client knows to have arrived. */
  acknowledged = 0;
  #sampled = 0;
  readonly acknowledging = new Acknowledging({
    window: WINDOW,
    now: this.now,
    traffic: () => {
      this.looks += 1;
      return { fromClient: this.fromClient, toClient: this.toClient };
    },
  });

  get every(): number | null {
    const { state } = this.acknowledging;
    return state.kind === 'sampling' ? state.every : null;
  }

  /** `packets` arrive, `apart` ms from each other, and the server sends an answer for every `answered`-th. */
  send(packets: number, apart: number, answered = Infinity): number {
    let samples = 0;
    for (let count = 0; count < packets; count += 1) {
      this.wait(apart);
      this.fromClient += 1;
      if (this.fromClient % answered === 0) this.toClient += 1;
      if (this.every === null || this.fromClient % this.every !== 0) continue;
      samples += 1;
      this.#recvSample();
    }
    return samples;
  }

  #recvSample(): void {
    this.acknowledging.recvSample(this.now);
    this.#sampled = this.fromClient;
    this.acknowledged = this.fromClient;
  }

  /** As `send`, but the client keeps to a window. Returns how often it had to wait; null: it would wait for ever. */
  sendInWindow(packets: number, apart: number, window: number): number | null {
    let waits = 0;
    for (let count = 0; count < packets; count += 1) {
      if (this.fromClient - this.acknowledged >= window) {
        const { deadline } = this.acknowledging;
        if (deadline === null) return null;
        this.wait(deadline - this.now);
        waits += 1;
        if (this.fromClient - this.acknowledged >= window) return null;
      }
      this.send(1, apart);
    }
    return waits;
  }

  wait(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const { deadline } = this.acknowledging;
      if (deadline === null || deadline > until) break;
      this.now = Math.max(this.now, deadline);
      const unseen = this.acknowledging.tick(this.now);
      if (unseen === 0) continue;
      this.#sampled += unseen;
      this.acknowledged = this.#sampled;
      assert.ok(this.acknowledged <= this.fromClient, 'what has not come is acknowledged');
    }
    this.now = until;
  }
}

describe('a client that only sends', () => {
  test('a fast one is seen once in a quarter of its window', () => {
    const call = new Call();
    call.send(1000, 0.05);
    assert.equal(call.every, WINDOW / 4);
    assert.equal(call.send(WINDOW * 10, 0.05), 40);
  });

  test('a slow one is seen with each packet', () => {
    const call = new Call();
    assert.equal(call.send(20, 200), 20);
    assert.equal(call.every, 1);
  });

  test('one whose window has shrunk waits for LOOK_MS at most', () => {
    const call = new Call();
    call.send(1000, 0.05);
    // It sends three packets, none of which is seen, and waits.
    call.fromClient = 1001;
    call.fromClient += 2;
    call.wait(LOOK_MS);
    assert.equal(call.every, 1);
    assert.equal(call.send(1, 1), 1);
  });
});

describe('a client that keeps to its window', () => {
  for (const window of [1, 2, 3, 5, 7, 12, 16, 64]) {
    test(`of ${window} waits twice at most before its window is known`, () => {
      const call = new Call();
      call.send(1, 0.05);
      const waits = call.sendInWindow(100, 0.05, window);
      assert.ok(waits !== null && waits <= 2, `it has waited ${waits} times`);
      assert.equal(call.sendInWindow(100, 0.05, window), 0);
    });
  }

  test('that shrinks while it sends', () => {
    const call = new Call();
    call.sendInWindow(1000, 0.05, 64);
    assert.equal(call.every, WINDOW / 4);
    // Of 64 packets under way, up to 15 have had no sample: it must wait for those, too.
    const waits = call.sendInWindow(200, 0.05, 3);
    assert.ok(waits !== null && waits <= 3, `it has waited ${waits} times`);
    assert.equal(call.sendInWindow(200, 0.05, 3), 0);
  });

  test('gets more again later, when its window may have grown', () => {
    const call = new Call();
    call.sendInWindow(200, 0.05, 3);
    assert.equal(call.every, 2);
    call.sendInWindow(20_000, 0.05, 64);
    assert.equal(call.every, WINDOW / 4);
  });

  test('pauses are no reason to see more of its packets', () => {
    const call = new Call();
    for (let burst = 0; burst < 20; burst += 1) {
      call.send(1003, 0.05);
      assert.equal(call.every, WINDOW / 4);
      call.wait(1000);
      assert.equal(call.acknowledged, call.fromClient);
    }
  });
});

describe('a client that is sent enough', () => {
  test('is not looked at, but its interface is, now and then', () => {
    const call = new Call();
    call.send(4000, 0.05, 1);
    assert.equal(call.every, null);
    const { looks } = call;
    assert.equal(call.send(20_000, 0.05, 1), 0);
    assert.equal(call.looks - looks, 1000 / LOOK_MS);
  });

  test('an answer for one packet in 51 is enough as long as it is as fast without samples', () => {
    const call = new Call();
    call.send(4000, 0.05, 51);
    assert.equal(call.every, null);
    // Trials of 1, 2, 4 and 8 s; between them LOOK_MS with samples.
    const packets = (10 * TRIAL_MS) / 0.05;
    const samples = call.send(packets, 0.05, 51);
    assert.ok(samples < packets / (WINDOW / 4) / 40, `${samples} samples`);
  });

  test('and such a client is seen again as soon as it gets slower in a long trial', () => {
    const call = new Call();
    call.send((8 * TRIAL_MS) / 0.05, 0.05, 51);
    assert.equal(call.every, null);
    call.send(TRIAL_MS / 0.2, 0.2, 51);
    assert.notEqual(call.every, null);
  });

  test('such a client is seen again as soon as it gets slower', () => {
    const call = new Call();
    call.send(4000, 0.05, 51);
    assert.equal(call.every, null);
    call.send(TRIAL_MS / 2 / 0.2, 0.2, 51);
    assert.notEqual(call.every, null);
    // It stays slow: samples make no difference, but for a while there is no other trial.
    call.send(TRIAL_MS / 2 / 0.2, 0.2, 51);
    assert.notEqual(call.every, null);
    call.send(TRIAL_MS / 0.2, 0.2, 51);
    assert.equal(call.every, null);
  });

  test('with a window of 32 it loses little by trials, when the server sends something every 20 ms', () => {
    const call = new Call();
    const packets = 1_000_000;
    let steps = 0;
    for (; call.fromClient < packets; steps += 1) {
      call.wait(0.05);
      if (steps % 400 === 0) {
        call.toClient += 1;
        call.acknowledged = call.fromClient;
      }
      if (call.fromClient - call.acknowledged < 32) call.send(1, 0);
    }
    assert.ok(steps < 1.2 * packets, `it was ${steps / packets} times as slow`);
  });

  test('is not heard while it sends fast', () => {
    const call = new Call();
    call.send(4000, 0.9 / DEAF_RATE, 2);
    assert.equal(call.acknowledging.state.kind, 'deaf');
    call.send(1000, 1.1 / DEAF_RATE, 2);
    assert.equal(call.acknowledging.state.kind, 'resting');
    call.send(4000, 0.9 / DEAF_RATE, 2);
    call.send(WINDOW, 0.9 / DEAF_RATE);
    call.wait(2 * LOOK_MS);
    assert.equal(call.every, 1);
  });

  test('is seen again when the answers stop', () => {
    const call = new Call();
    call.send(4000, 0.05, 2);
    call.send(WINDOW, 0.05);
    call.wait(2 * LOOK_MS);
    assert.equal(call.every, 1);
  });
});

test('an idle call has no wake-up, whatever was before', () => {
  for (const answered of [1, 2, Infinity]) {
    const call = new Call();
    call.send(4000, 0.05, answered);
    call.wait(2 * LOOK_MS);
    assert.equal(call.acknowledging.deadline, null);
    const { looks } = call;
    call.wait(3_600_000);
    assert.equal(call.looks, looks);
  }
});

test('a new call has no wake-up', () => assert.equal(new Call().acknowledging.deadline, null));
