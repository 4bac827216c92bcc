/** The commands that limit an interface: what there is already is changed, and what is left over is removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Speed, stepsAtEnd, stepsFor, UNLIMITED } from '../../../src/monitor/speed-limit.js';

const DEVICE = { name: 'ppp3', index: 42 };
const speed = (up: number | null, down: number | null): Speed => ({ up, down });
const lines = (before: Speed, after: Speed): string[] =>
  stepsFor(DEVICE, before, after).map(({ program, args }) => [program, ...args].join(' '));

const DOWN = 'tc qdisc replace dev ppp3 root tbf rate 20000000bit burst 25000b latency 100ms';
const UP = 'tc qdisc replace dev ifb-42 root tbf rate 512000bit burst 4096b latency 100ms';
const REDIRECT = [
  'ip link add ifb-42 type ifb',
  'ip link set ifb-42 up',
  UP,
  'tc qdisc add dev ppp3 handle ffff: ingress',
  'tc filter add dev ppp3 parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev ifb-42',
];
const UNDO_DOWN = 'tc qdisc del dev ppp3 root';
const UNDO_UP = ['tc qdisc del dev ppp3 ingress', 'ip link del ifb-42'];
const BOTH = speed(512_000, 20_000_000);

const changes: [what: string, before: Speed, after: Speed, steps: string[]][] = [
  ['nothing', UNLIMITED, UNLIMITED, []],
  ['both', UNLIMITED, BOTH, [DOWN, ...REDIRECT]],
  ['down only', UNLIMITED, speed(null, 20_000_000), [DOWN]],
  ['up only', UNLIMITED, speed(512_000, null), REDIRECT],
  ['other speeds', speed(9000, 9000), BOTH, [DOWN, UP]],
  ['none any more', BOTH, UNLIMITED, [UNDO_DOWN, ...UNDO_UP]],
  ['up no more', BOTH, speed(null, 20_000_000), [DOWN, ...UNDO_UP]],
  ['down no more', BOTH, speed(512_000, null), [UNDO_DOWN, UP]],
];
for (const [what, before, after, steps] of changes) test(what, () => assert.deepEqual(lines(before, after), steps));

test('at the end only the helper is left to remove', () => {
  assert.deepEqual(stepsAtEnd(DEVICE, speed(null, 9000)), []);
  assert.deepEqual(stepsAtEnd(DEVICE, BOTH), [{ program: 'ip', args: ['link', 'del', 'ifb-42'] }]);
});
