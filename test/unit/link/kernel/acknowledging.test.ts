import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Acknowledging, LOOK_MS } from '../../../../src/link/kernel/acknowledging.js';

const WINDOW = 64;

/** A call, whose client sends and whose server answers as a test says; time passes by hand. */
class Call {
  now = 1000;
  fromClient = 0;
  toClient = 0;
  looks = 0;
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
      this.acknowledging.recvSample(this.now);
    }
    return samples;
  }

  wait(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const { deadline } = this.acknowledging;
      if (deadline === null || deadline > until) break;
      this.now = Math.max(this.now, deadline);
      this.acknowledging.tick(this.now);
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

describe('a client that is sent enough', () => {
  test('is not looked at, but its interface is, now and then', () => {
    const call = new Call();
    call.send(4000, 0.05, 2);
    assert.equal(call.every, null);
    const { looks } = call;
    assert.equal(call.send(20_000, 0.05, 2), 0);
    assert.equal(call.looks - looks, 1000 / LOOK_MS);
  });

  test('an answer for fewer than one packet in a quarter of its window is not enough', () => {
    const call = new Call();
    call.send(4000, 0.05, WINDOW / 2);
    assert.notEqual(call.every, null);
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
