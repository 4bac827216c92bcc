/** Any bytes at any moment: no exception, few answers, and an engine that still ends in order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutate } from '../../../fuzz/mutate.js';
import { randomFrom } from '../../../fuzz/random.js';
import { octetsFrom, Server } from './peer.js';
import * as captures from '../captures.js';
import { hex } from '../frames.js';
import * as recordings from './recordings.js';

const SEED = 1661;
const LINKS = 60;
const PACKETS = 400;
/** An Ack of ours may be the last thing missing: then LCP, echo, challenge or CCP, IPCP, IPV6CP begin at once. */
const MAX_ANSWERS = 5;

const FRAMES = [...Object.values(captures), ...Object.values(recordings)].flat().map((line) => hex(line.slice(2)));

/** A frame of a real link, changed or not, or our own last one with its code changed: Acks, Naks and Rejects of it. */
function any(server: Server, random: (limit: number) => number): Uint8Array {
  const frame = FRAMES[random(FRAMES.length)] ?? new Uint8Array();
  switch (random(4)) {
    case 0:
      return frame;
    case 1: {
      const own = Uint8Array.from(server.frames.at(-1 - random(Math.min(4, server.frames.length))) ?? []);
      own[4] = 1 + random(8);
      return own;
    }
    case 2:
      return octetsFrom(random)(random(64));
    default:
      return mutate(frame, FRAMES[random(FRAMES.length)] ?? frame, random);
  }
}

test(`${LINKS} links of ${PACKETS} frames each, from real links, changed, or at random`, () => {
  const random = randomFrom(SEED);
  const ends = new Set<string>();
  for (let link = 0; link < LINKS; link++) {
    const server = new Server({ ipv6: link % 2 === 0, encryption: link % 3 === 0 ? 'prefer' : 'require' }).start();
    let causes = 0;
    for (let packet = 0; packet < PACKETS; packet++) {
      const frame = any(server, random);
      assert.ok(server.recv(frame).length <= MAX_ANSWERS, Buffer.from(frame).toString('hex'));
      causes++;
      if (random(20) === 0 && server.engine.deadline !== null) {
        causes++;
        assert.ok(server.tick().length <= MAX_ANSWERS);
      }
    }
    assert.ok(server.frames.length <= 2 * causes + 1);
    assert.ok(server.events.length <= 4 * causes + 1);
    server.engine.terminate('end', server.now);
    while (server.engine.deadline !== null) server.tick();
    assert.equal(server.said('ended').length, 1);
    assert.equal(server.types.at(-1), 'ended');
    ends.add(server.end?.kind ?? '');
  }
  assert.ok(ends.size > 1, [...ends].join());
});
