import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_WAIT, LOSSES_TO_LEARN, SHORTEST_WAIT } from '../../../src/gre/reorder-wait.js';
import {
  HELD_TO_SLIDE,
  ReceiveSequence,
  RUN_TO_RESYNC,
  SILENCE_TO_GO_BACK,
  SILENCE_TO_FORGET,
  type Verdict,
  WINDOW,
} from '../../../src/gre/sequence.js';

const TOP = 2 ** 32;

/** Takes the released slots, as the relay does. */
const take = (sequence: ReceiveSequence): number[] => {
  const slots = [...sequence.released.subarray(0, sequence.releasedCount)];
  sequence.releasedCount = 0;
  return slots;
};

/** A packet's number, its verdict, and the released slots (slots are numbered in order of arrival, from 0). */
type Step = readonly [number: number, verdict: Verdict, out: readonly number[]];

/** `count` consecutive numbers starting with `first`. */
const run = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => (first + index) >>> 0);

const TABLE: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  [
    '1 in order',
    [
      [0, 'accepted', [0]],
      [1, 'accepted', [1]],
      [2, 'accepted', [2]],
    ],
  ],
  [
    '2 the first packet may have any number',
    [
      [123_456, 'accepted', [0]],
      [123_457, 'accepted', [1]],
      [123_455, 'late', []],
    ],
  ],
  [
    '3 across 2^32',
    [
      [TOP - 2, 'accepted', [0]],
      [TOP - 1, 'accepted', [1]],
      [0, 'accepted', [2]],
      [1, 'accepted', [3]],
    ],
  ],
  [
    '4 out of order across 2^32',
    [
      [TOP - 2, 'accepted', [0]],
      [1, 'held', []],
      [0, 'held', []],
      [TOP - 1, 'accepted', [3, 2, 1]],
      [2, 'accepted', [4]],
    ],
  ],
  [
    '5 two packets swapped',
    [
      [5, 'accepted', [0]],
      [7, 'held', []],
      [6, 'accepted', [2, 1]],
      [8, 'accepted', [3]],
    ],
  ],
  [
    '6 duplicates of a delivered packet and of a held one',
    [
      [5, 'accepted', [0]],
      [5, 'duplicate', []],
      [7, 'held', []],
      [7, 'duplicate', []],
      [6, 'accepted', [4, 2]],
      [6, 'duplicate', []],
      [7, 'duplicate', []],
    ],
  ],
  [
    '7 two gaps are filled one by one',
    [
      [0, 'accepted', [0]],
      [2, 'held', []],
      [4, 'held', []],
      [1, 'accepted', [3, 1]],
      [3, 'accepted', [4, 2]],
    ],
  ],
  [
    '8 the last number of the window, and the first one beyond',
    [
      [0, 'accepted', [0]],
      [WINDOW, 'held', []],
      [WINDOW + 1, 'outside', []],
      [1, 'accepted', [3]],
    ],
  ],
  [
    '9 one packet far ahead changes nothing',
    [
      [0, 'accepted', [0]],
      [1_000_000, 'outside', []],
      [1, 'accepted', [2]],
      [2, 'accepted', [3]],
    ],
  ],
  [
    '10 one packet far behind changes nothing',
    [
      [1_000_000, 'accepted', [0]],
      [0, 'outside', []],
      [1_000_001, 'accepted', [2]],
    ],
  ],
  [
    '11 number 1 resets nothing',
    [
      [40, 'accepted', [0]],
      [1, 'late', []],
      [41, 'accepted', [2]],
    ],
  ],
];

describe('ReceiveSequence', () => {
  for (const [name, steps] of TABLE) {
    test(name, () => {
      const sequence = new ReceiveSequence();
      for (const [slot, [number, verdict, out]] of steps.entries()) {
        assert.deepEqual([sequence.receive(number, slot, 0), take(sequence)], [verdict, out], `packet ${number}`);
      }
    });
  }

  test('the number to acknowledge is the highest, including held packets', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(TOP - 1, 0, 0);
    assert.equal(sequence.highest, TOP - 1);
    sequence.receive(3, 1, 0);
    sequence.receive(1, 2, 0);
    assert.equal(sequence.highest, 3);
  });
});

describe('waiting', () => {
  test('a missing packet counts as lost after MAX_WAIT, and as late if it arrives then', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    assert.equal(sequence.deadline(), null);
    sequence.receive(2, 2, 10);
    sequence.receive(3, 3, 20);
    take(sequence);
    assert.equal(sequence.deadline(), 10 + MAX_WAIT);
    sequence.expire(9 + MAX_WAIT);
    assert.deepEqual([take(sequence), sequence.lost], [[], 0]);
    sequence.expire(10 + MAX_WAIT);
    assert.deepEqual([take(sequence), sequence.lost, sequence.held], [[2, 3], 1, 0]);
    assert.equal(sequence.receive(1, 1, 400), 'late');
    assert.equal(sequence.receive(4, 4, 400), 'accepted');
  });

  test('each gap has its own deadline', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    sequence.receive(2, 2, 0);
    sequence.receive(4, 4, 100);
    take(sequence);
    sequence.expire(MAX_WAIT);
    assert.deepEqual([take(sequence), sequence.deadline()], [[2], 100 + MAX_WAIT]);
    sequence.receive(3, 3, MAX_WAIT);
    assert.deepEqual([take(sequence), sequence.lost], [[3, 4], 1]);
  });

  test('the deadline of a packet behind two gaps ends both', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    sequence.receive(4, 4, 10);
    sequence.receive(2, 2, 200);
    take(sequence);
    sequence.expire(10 + MAX_WAIT);
    assert.deepEqual([take(sequence), sequence.lost, sequence.deadline()], [[2, 4], 2, null]);
  });
});

describe('an adapted wait', () => {
  /**
   * Loses `losses` single packets after number 0, each given up after the maximum wait; returns the next number and the
   * time.
   */
  const withLosses = (sequence: ReceiveSequence, losses: number): [next: number, now: number] => {
    sequence.receive(0, 0, 0);
    for (let gap = 1; gap <= losses; gap += 1) {
      sequence.receive(2 * gap, gap, gap * MAX_WAIT);
      sequence.expire((gap + 1) * MAX_WAIT);
    }
    take(sequence);
    assert.equal(sequence.lost, losses);
    return [2 * losses + 1, (losses + 1) * MAX_WAIT];
  };

  test('is short when the path only loses packets', () => {
    const sequence = new ReceiveSequence();
    const [next, now] = withLosses(sequence, LOSSES_TO_LEARN);
    sequence.receive(next + 1, 1, now);
    assert.equal(sequence.deadline(), now + SHORTEST_WAIT);
    sequence.expire(now + SHORTEST_WAIT);
    assert.deepEqual(take(sequence), [1]);
  });

  test('is the maximum until enough packets were lost', () => {
    const sequence = new ReceiveSequence();
    const [next, now] = withLosses(sequence, LOSSES_TO_LEARN - 1);
    sequence.receive(next + 1, 1, now);
    assert.equal(sequence.deadline(), now + MAX_WAIT);
  });

  test('is the maximum again after a packet was given up too soon', () => {
    const sequence = new ReceiveSequence();
    const [next, now] = withLosses(sequence, LOSSES_TO_LEARN);
    sequence.receive(next + 1, 1, now);
    sequence.expire(now + SHORTEST_WAIT);
    assert.equal(sequence.receive(next, 2, now + SHORTEST_WAIT + 1), 'late');
    sequence.receive(next + 3, 3, now + SHORTEST_WAIT + 1);
    assert.equal(sequence.deadline(), now + SHORTEST_WAIT + 1 + MAX_WAIT);
  });

  test('covers the greatest lateness seen, counted from the first packet that was held', () => {
    const sequence = new ReceiveSequence();
    const [next, now] = withLosses(sequence, LOSSES_TO_LEARN - 1);
    // Two packets are missing, and the second arrives before the first.
    sequence.receive(next + 2, 1, now);
    sequence.receive(next + 1, 2, now + 39);
    sequence.receive(next, 3, now + 40);
    assert.deepEqual(take(sequence), [3, 2, 1]);
    sequence.receive(next + 4, 4, now + 50);
    sequence.expire(now + 50 + MAX_WAIT);
    assert.deepEqual(take(sequence), [4]);
    sequence.receive(next + 6, 5, now + 400);
    const wait = (sequence.deadline() ?? 0) - (now + 400);
    assert.ok(wait >= 2 * 40 && wait < MAX_WAIT, `${wait} ms`);
  });

  test('counts a gap of many packets as one loss', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    sequence.receive(50, 1, 0);
    sequence.expire(MAX_WAIT);
    assert.deepEqual([take(sequence), sequence.lost], [[0, 1], 49]);
    sequence.receive(52, 2, MAX_WAIT);
    assert.equal(sequence.deadline(), 2 * MAX_WAIT);
  });
});

describe('a stream that has moved on', () => {
  test('the window slides when it holds enough packets', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    for (const number of run(2, HELD_TO_SLIDE)) sequence.receive(number, number, 0);
    take(sequence);
    assert.equal(sequence.receive(WINDOW + 1, 999, 0), 'held');
    assert.deepEqual([take(sequence), sequence.lost], [run(2, HELD_TO_SLIDE), 1]);
  });

  test('too few held packets do not move the window', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    for (const number of run(2, HELD_TO_SLIDE - 1)) sequence.receive(number, number, 0);
    take(sequence);
    assert.equal(sequence.receive(WINDOW + 1, 999, 0), 'outside');
    assert.deepEqual(take(sequence), []);
  });

  test('a full window does not slide to a packet far ahead', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    for (const number of run(2, HELD_TO_SLIDE)) sequence.receive(number, number, 0);
    assert.equal(sequence.receive(1_000_000, 999, 0), 'outside');
  });

  test('a run of consecutive packets far ahead moves the window at once, and held packets come out first', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    sequence.receive(2, 2, 0);
    take(sequence);
    const verdicts = run(1_000_000, RUN_TO_RESYNC).map((number, index) => sequence.receive(number, 10 + index, 1));
    assert.deepEqual(verdicts, [...Array.from({ length: RUN_TO_RESYNC - 1 }, () => 'outside'), 'accepted']);
    assert.deepEqual(take(sequence), [2, 10 + RUN_TO_RESYNC - 1]);
    assert.equal(sequence.resyncs, 1);
    assert.equal(sequence.receive(1_000_000 + RUN_TO_RESYNC, 50, 1), 'accepted');
  });

  test('a run interrupted by a packet of the window does not move it', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    for (const number of run(1_000_000, RUN_TO_RESYNC - 1)) sequence.receive(number, 1, 0);
    sequence.receive(1, 2, 0);
    assert.equal(sequence.receive(1_000_000 + RUN_TO_RESYNC - 1, 3, 0), 'outside');
    assert.equal(sequence.next, 2);
  });

  test('a run with a gap does not move the window', () => {
    const sequence = new ReceiveSequence();
    sequence.receive(0, 0, 0);
    for (const number of run(1_000_000, RUN_TO_RESYNC - 1)) sequence.receive(number, 1, 0);
    assert.equal(sequence.receive(1_000_000 + RUN_TO_RESYNC, 2, 0), 'outside');
  });

  test('a replayed burst does not move the window back without silence', () => {
    const burst = run(0, RUN_TO_RESYNC);
    const sequence = new ReceiveSequence();
    for (const number of run(0, 20)) sequence.receive(number, number, 0);
    const replayed = burst.map((number) => sequence.receive(number, number, SILENCE_TO_GO_BACK - 1));
    assert.deepEqual([replayed, sequence.next], [burst.map(() => 'duplicate'), 20]);
  });

  test('after silence, a peer may restart from 0', () => {
    const sequence = new ReceiveSequence();
    for (const number of run(500_000, 20)) sequence.receive(number, 1, 0);
    take(sequence);
    const verdicts = run(0, RUN_TO_RESYNC + 1).map((number) => sequence.receive(number, 1, SILENCE_TO_GO_BACK));
    assert.deepEqual(verdicts.slice(-2), ['accepted', 'accepted']);
    assert.equal(sequence.highest, RUN_TO_RESYNC);
  });
});

describe('a window that a run has replaced', () => {
  /** Receives numbers 0 to 19 and then a run far ahead; returns the number after the run. */
  const replaceByRun = (sequence: ReceiveSequence): number => {
    for (const number of run(0, 20)) sequence.receive(number, number, 0);
    for (const number of run(1_000_000, RUN_TO_RESYNC)) sequence.receive(number, 0, 0);
    take(sequence);
    return 1_000_000 + RUN_TO_RESYNC;
  };

  test('is restored by the next packet that belongs to it', () => {
    const sequence = new ReceiveSequence();
    replaceByRun(sequence);
    assert.deepEqual([sequence.receive(20, 7, 0), take(sequence), sequence.next], ['accepted', [7], 21]);
    assert.equal(sequence.highest, 20);
  });

  test('is restored by a packet after a gap, and the gap may still be filled', () => {
    const sequence = new ReceiveSequence();
    replaceByRun(sequence);
    assert.equal(sequence.receive(22, 7, 0), 'held');
    assert.deepEqual([sequence.receive(20, 8, 0), sequence.receive(21, 9, 0), take(sequence)].flat(), [
      'accepted',
      'accepted',
      8,
      9,
      7,
    ]);
  });

  test('survives any number of further runs without losing a packet of the stream', () => {
    const sequence = new ReceiveSequence();
    let own = 20;
    replaceByRun(sequence);
    for (let forged = 0; forged < 50; forged += 1) {
      for (const number of run(forged * 5_000_000, RUN_TO_RESYNC + (forged % 3))) sequence.receive(number, 0, forged);
      take(sequence);
      assert.deepEqual([sequence.receive(own, own, forged), take(sequence)], ['accepted', [own]]);
      own += 1;
    }
    assert.equal(sequence.lost, 0);
  });

  test("gives way again to the run's window when the run's next packet arrives", () => {
    const sequence = new ReceiveSequence();
    const next = replaceByRun(sequence);
    sequence.receive(20, 0, 0);
    assert.deepEqual([sequence.receive(next, 7, 0), sequence.next], ['accepted', next + 1]);
  });

  test('is forgotten when no packet has belonged to it for SILENCE_TO_FORGET', () => {
    const sequence = new ReceiveSequence();
    const next = replaceByRun(sequence);
    assert.equal(sequence.receive(next, 1, SILENCE_TO_FORGET - 1), 'accepted');
    assert.equal(sequence.receive(next + 1, 2, SILENCE_TO_FORGET), 'accepted');
    assert.equal(sequence.receive(20, 3, SILENCE_TO_FORGET), 'outside');
  });
});

describe('where the window ends', () => {
  const begun = (): ReceiveSequence => {
    const sequence = new ReceiveSequence();
    sequence.receive(1_000_000, 0, 0);
    take(sequence);
    return sequence;
  };
  const next = 1_000_001;

  test('the last number of it is held, the first one behind it is not', () => {
    assert.equal(begun().receive(next + WINDOW - 1, 1, 0), 'held');
    assert.equal(begun().receive(next + WINDOW, 1, 0), 'outside');
  });

  test('a whole window is held, and comes out at once', () => {
    const sequence = begun();
    for (const number of run(1, WINDOW - 1)) assert.equal(sequence.receive(next + number, number, 0), 'held');
    assert.equal(sequence.receive(next, 0, 0), 'accepted');
    assert.deepEqual(take(sequence), run(0, WINDOW));
  });

  test('what is 200 numbers late is late, and what is later is outside of it', () => {
    const sequence = begun();
    for (const number of run(0, 300)) sequence.receive(next + number, number, 0);
    assert.equal(sequence.receive(next + 300 - 200, 1, 0), 'duplicate');
    assert.equal(sequence.receive(next + 300 - 201, 1, 0), 'outside');
  });
});

describe('late is not twice', () => {
  test('a lost number whose place another one had long before is late, not a duplicate', () => {
    const sequence = new ReceiveSequence();
    for (const number of run(0, 600)) sequence.receive(number, number, 0);
    sequence.receive(601, 601, 0);
    sequence.expire(MAX_WAIT);
    take(sequence);
    assert.deepEqual([sequence.receive(600, 1, MAX_WAIT), sequence.receive(599, 2, MAX_WAIT)], ['late', 'duplicate']);
  });

  test('a number just before a run that has moved the window is late, not a duplicate', () => {
    const sequence = new ReceiveSequence();
    for (const number of run(0, 600)) sequence.receive(number, number, 0);
    for (const number of run(1_000_000, RUN_TO_RESYNC)) sequence.receive(number, number, 0);
    assert.equal(sequence.receive(1_000_000 - 1, 1, 0), 'late');
  });
});

describe('silence', () => {
  test('counts from the last packet that was accepted: a run goes back no sooner', () => {
    const sequence = new ReceiveSequence();
    for (const number of run(500_000, 20)) sequence.receive(number, 1, SILENCE_TO_GO_BACK);
    take(sequence);
    for (const number of run(0, 2 * RUN_TO_RESYNC)) {
      assert.equal(sequence.receive(number, 1, 2 * SILENCE_TO_GO_BACK - 1), 'outside');
    }
    assert.equal(sequence.next, 500_020);
    for (const number of run(100, RUN_TO_RESYNC)) sequence.receive(number, 1, 2 * SILENCE_TO_GO_BACK);
    assert.equal(sequence.next, 100 + RUN_TO_RESYNC);
  });

  test("of the stream's own window counts from its own last packet: a run's packets do not settle it sooner", () => {
    const sequence = new ReceiveSequence();
    const since = SILENCE_TO_FORGET;
    for (const number of run(0, 20)) sequence.receive(number, 1, since);
    for (const number of run(1_000_000, RUN_TO_RESYNC)) sequence.receive(number, 1, since);
    sequence.receive(1_000_000 + RUN_TO_RESYNC, 1, since + SILENCE_TO_FORGET - 1);
    assert.equal(sequence.receive(20, 1, since + SILENCE_TO_FORGET - 1), 'accepted');
  });

  test('a run that has become the stream is its own window: another run takes it away and it is had back', () => {
    const sequence = new ReceiveSequence();
    for (const number of run(0, 20)) sequence.receive(number, 1, 0);
    for (const number of run(1_000_000, RUN_TO_RESYNC)) sequence.receive(number, 1, 0);
    const own = 1_000_000 + RUN_TO_RESYNC;
    assert.equal(sequence.receive(own, 1, SILENCE_TO_FORGET), 'accepted');
    for (let forged = 1; forged < 4; forged += 1) {
      for (const number of run((1 + forged) * 2_000_000, RUN_TO_RESYNC)) sequence.receive(number, 1, SILENCE_TO_FORGET);
    }
    assert.equal(sequence.receive(own + 1, 1, SILENCE_TO_FORGET), 'accepted');
  });

  test('two runs in succession do not make the stream forget where it was', () => {
    const sequence = new ReceiveSequence();
    for (const number of run(0, 20)) sequence.receive(number, 1, 0);
    for (const far of [1_000_000, 2_000_000]) {
      for (const number of run(far, RUN_TO_RESYNC)) sequence.receive(number, 1, 0);
    }
    assert.equal(sequence.receive(20, 1, 0), 'accepted');
  });
});

test('several gaps that are given up together count one by one', () => {
  const sequence = new ReceiveSequence();
  sequence.receive(0, 0, 0);
  for (let gap = 1; gap <= LOSSES_TO_LEARN; gap += 1) sequence.receive(2 * gap, 1, 0);
  sequence.expire(MAX_WAIT);
  assert.equal(sequence.lost, LOSSES_TO_LEARN);
  sequence.receive(2 * LOSSES_TO_LEARN + 2, 1, MAX_WAIT);
  assert.equal(sequence.deadline(), MAX_WAIT + SHORTEST_WAIT);
});

describe('any stream', () => {
  const first = fc.integer({ min: 0, max: TOP - 1 });

  test('reordered within the window without loss, comes out complete and in order', () => {
    const distances = fc.array(fc.integer({ min: 0, max: WINDOW - 1 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(first, distances, (begin, delays) => {
        const sequence = new ReceiveSequence();
        sequence.receive(begin, 0, 0);
        const out = take(sequence);
        const numbers = [...delays.entries()].toSorted(([a, x], [b, y]) => a + x - (b + y)).map(([index]) => index + 1);
        for (const number of numbers) {
          sequence.receive((begin + number) >>> 0, number, 0);
          out.push(...take(sequence));
        }
        assert.deepEqual(out, run(0, delays.length + 1));
      }),
    );
  });

  test('releases each slot once, and never holds a full window', () => {
    const packets = fc.array(fc.tuple(fc.integer({ min: -350, max: 350 }), fc.integer({ min: 0, max: 400 })), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(first, packets, (begin, steps) => {
        const sequence = new ReceiveSequence();
        const owned = new Set<number>();
        let now = 0;
        for (const [slot, [offset, pause]] of [[0, 0] as const, ...steps].entries()) {
          now += pause;
          sequence.expire(now);
          for (const out of take(sequence)) assert.ok(owned.delete(out));
          const verdict = sequence.receive((begin + slot + offset) >>> 0, slot, now);
          if (verdict === 'accepted' || verdict === 'held') owned.add(slot);
          for (const out of take(sequence)) assert.ok(owned.delete(out));
          assert.equal(owned.size, sequence.held);
          assert.ok(sequence.held < WINDOW);
        }
        sequence.expire(now + MAX_WAIT);
        for (const out of take(sequence)) assert.ok(owned.delete(out));
        assert.equal(owned.size, 0);
      }),
    );
  });
});
