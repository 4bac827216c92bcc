/**
 * Engine and client over a line that loses, doubles, delays and reorders frames: whatever happens, both are up with the same
 * agreement in the end, or the link has ended with a cause. Time is simulated; the seed of a run is in its message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../../fuzz/random.js';
import { Client, type ClientSettings, octetsFrom, Server } from './peer.js';

interface Line {
  /** In a hundred. */
  readonly loss: number;
  readonly doubled: number;
  /** Longest delay, ms; each frame has its own, so that they overtake each other. */
  readonly delay: number;
}

interface Arrival {
  readonly at: number;
  readonly deliver: () => void;
}

/** Four echoes lost in a row would be an end as well, and would say nothing about the negotiation. */
const NO_ECHO = { interval: 0, failures: 0 };

const MINUTE = 60_000;
/** Longer than all restart counters of all protocols one after the other. */
const LONG_ENOUGH = 10 * MINUTE;
/** Frames from the engine in all that time: echoes, and a negotiation that may begin anew a few times. */
const MAX_FRAMES = 600;

function run(seed: number, line: Line, settings: Partial<ClientSettings>): { server: Server; client: Client } {
  const random = randomFrom(seed);
  const server = new Server({ ipv6: true, lcpEcho: NO_ECHO }, octetsFrom(random));
  const client = new Client(settings, octetsFrom(random));
  const arrivals: Arrival[] = [];
  const send = (deliver: () => void): void => {
    if (random(100) < line.loss) return;
    const copies = random(100) < line.doubled ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) arrivals.push({ at: server.now + 1 + random(line.delay), deliver });
  };
  server.onFrame = (frame) => send(() => client.recv(frame, server.now));
  client.onFrame = (frame) => send(() => server.recv(frame));
  server.start();
  client.start(0);
  while (server.now < LONG_ENOUGH) {
    arrivals.sort((one, other) => one.at - other.at);
    const arrival = arrivals[0];
    const timers = [server.engine.deadline, client.deadline].filter((deadline) => deadline !== null);
    const next = Math.min(...timers, arrival?.at ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(next)) break;
    server.now = Math.max(server.now, next);
    if (arrival !== undefined && arrival.at <= server.now) {
      arrivals.shift();
      arrival.deliver();
    }
    server.engine.tick(server.now);
    client.tick(server.now);
  }
  return { server, client };
}

/** Whether both are up; and that they are so with the same agreement, or that the link has ended for a reason. */
function check(seed: number, { server, client }: ReturnType<typeof run>): boolean {
  const last = server.types.findLast((type) => type === 'network' || type === 'networkDown' || type === 'ended');
  assert.ok(server.frames.length <= MAX_FRAMES, `${server.frames.length} frames, seed ${seed}`);
  if (last === 'ended') {
    assert.equal(server.types.at(-1), 'ended', `seed ${seed}`);
    assert.equal(server.engine.deadline, null, `seed ${seed}`);
    return false;
  }
  assert.equal(last, 'network', `seed ${seed}`);
  const network = server.said('network').at(-1);
  assert.ok(client.ipcp.isOpen && client.ccp.isOpen, `seed ${seed}`);
  assert.equal(client.ipcp.exchange.own.address, network?.remote, `seed ${seed}`);
  assert.equal(client.ipcp.exchange.peer.address, network?.local, `seed ${seed}`);
  const encryption = server.said('encryption').at(-1);
  assert.deepEqual(client.ccp.exchange.own.mppe?.keys, [encryption?.toClient?.bits], `seed ${seed}`);
  return true;
}

const RUNS = 200;

const LINES: readonly [name: string, line: Line, leastUp: number][] = [
  ['loses 5 %', { loss: 5, doubled: 0, delay: 1 }, 100],
  ['loses 20 %', { loss: 20, doubled: 0, delay: 1 }, 97],
  ['doubles half of the frames', { loss: 0, doubled: 50, delay: 1 }, 100],
  ['reorders', { loss: 0, doubled: 0, delay: 400 }, 100],
  ['loses, doubles and reorders', { loss: 10, doubled: 20, delay: 400 }, 97],
];

for (const [name, line, leastUp] of LINES) {
  test(`a line that ${name}: at least ${leastUp} % of ${RUNS} links come up, the others end`, () => {
    let up = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      if (check(seed, run(seed, line, { eager: seed % 2 === 0, ipv6: seed % 3 === 0 }))) up++;
    }
    assert.ok(up * 100 >= leastUp * RUNS, `${up} of ${RUNS}`);
  });
}
