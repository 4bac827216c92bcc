import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MEMORY_ENTRIES, MEMORY_MS, RecentBroadcasts } from '../../../src/broadcast/recent-broadcasts.js';
import { BURST, RATE, RateLimit } from '../../../src/broadcast/rate-limit.js';

const LAN = 2;
const TUNNEL = 3;

/** A first packet (fingerprint 7) at 0 ms from the LAN, then a second one; is the second a copy? */
const SECONDS: readonly (readonly [
  name: string,
  second: { fingerprint: number; identification: number; from: number; at: number },
  isCopy: boolean,
])[] = [
  ['returned by a tunnel', { fingerprint: 7, identification: 1, from: TUNNEL, at: 10 }, true],
  ['duplicated by the network', { fingerprint: 7, identification: 1, from: LAN, at: 10 }, true],
  ['back, without identification', { fingerprint: 7, identification: 0, from: TUNNEL, at: 10 }, true],
  ['repeated without identification', { fingerprint: 7, identification: 0, from: LAN, at: 10 }, false],
  ['a different packet', { fingerprint: 8, identification: 1, from: TUNNEL, at: 10 }, false],
  ['just in time', { fingerprint: 7, identification: 1, from: TUNNEL, at: MEMORY_MS - 1 }, true],
  ['forgotten', { fingerprint: 7, identification: 1, from: TUNNEL, at: MEMORY_MS }, false],
];

describe('copies of what was relayed', () => {
  for (const [name, { fingerprint, identification, from, at }, isCopy] of SECONDS) {
    test(`${name}: ${isCopy ? 'a copy' : 'relayed'}`, () => {
      const memory = new RecentBroadcasts();
      assert(!memory.isCopy(7, identification, LAN, 0));
      assert.equal(memory.isCopy(fingerprint, identification, from, at), isCopy);
    });
  }

  test('a repeated packet moves to the end of the order of expiry', () => {
    const memory = new RecentBroadcasts();
    memory.isCopy(7, 0, LAN, 0);
    memory.isCopy(8, 0, LAN, 1);
    memory.isCopy(7, 0, LAN, MEMORY_MS - 1);
    assert(memory.isCopy(7, 0, TUNNEL, MEMORY_MS + 1), 'remembered since its repetition');
    assert(!memory.isCopy(8, 0, TUNNEL, MEMORY_MS + 1), 'forgotten');
  });

  test('the oldest is forgotten when there are too many', () => {
    const memory = new RecentBroadcasts();
    for (let print = 0; print <= MEMORY_ENTRIES; print += 1) memory.isCopy(print, 1, LAN, 0);
    assert(memory.isCopy(MEMORY_ENTRIES, 1, TUNNEL, 0));
    assert(!memory.isCopy(0, 1, TUNNEL, 0));
  });
});

describe('the rate limit', () => {
  const takeAll = (limit: RateLimit, now: number): number => {
    let taken = 0;
    while (taken <= BURST && limit.take(now)) taken += 1;
    return taken;
  };

  test('lets a burst through, then its rate', () => {
    const limit = new RateLimit(0);
    assert.equal(takeAll(limit, 0), BURST);
    assert.equal(takeAll(limit, 100), RATE / 10);
    assert.equal(takeAll(limit, 100), 0);
  });

  test('accumulates at most one burst', () => {
    const limit = new RateLimit(0);
    takeAll(limit, 0);
    assert.equal(takeAll(limit, 3_600_000), BURST);
  });
});
