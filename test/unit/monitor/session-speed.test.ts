/** The limit that is in force at a session's interface, without an interface: the steps are written down here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionSpeed } from '../../../src/monitor/session-speed.js';
import { type Speed, UNLIMITED } from '../../../src/monitor/speed-limit.js';
import { LogLines } from '../ctrl/log-lines.js';

const DEVICE = { name: 'ppp0', index: 7 };
const SPEED = { up: 64_000, down: 128_000 };

/** `failing`: the step with this word fails. */
function fixture(saved: Speed = UNLIMITED, failing: string | null = null) {
  const happened: string[] = [];
  const lines = new LogLines('info');
  const speed: SessionSpeed = new SessionSpeed({
    saved,
    save: () => happened.push(`saved ${speed.value.up} ${speed.value.down}`),
    take: async (steps) => {
      for (const { args } of steps) {
        const step = args.slice(0, 3).join(' ');
        if (failing !== null && args.includes(failing)) throw new Error(`no ${failing} here`);
        happened.push(step);
      }
    },
    log: lines.log,
  });
  return { speed, happened, lines };
}

test('is written down before it is made, and is made once', async () => {
  const { speed, happened } = fixture();
  await speed.limit(DEVICE, SPEED);
  assert.deepEqual(speed.value, SPEED);
  assert.deepEqual(happened.slice(0, 3), ['saved 64000 128000', 'qdisc replace dev', 'link add ifb-7']);
  const count = happened.length;
  await speed.limit(DEVICE, { ...SPEED });
  assert.equal(happened.length, count);
});

test('another monitor removes the one that it finds written down', async () => {
  const { speed, happened } = fixture(SPEED);
  speed.remove(DEVICE);
  await speed.idle;
  assert.deepEqual(happened, ['link del ifb-7']);
  assert.deepEqual(speed.value, UNLIMITED);
  speed.remove(DEVICE);
  await speed.idle;
  assert.equal(happened.length, 1);
});

test('half a limit is none', async () => {
  const { speed, happened, lines } = fixture(UNLIMITED, 'ingress');
  await speed.limit(DEVICE, SPEED);
  assert.deepEqual(speed.value, UNLIMITED);
  assert.deepEqual(happened.slice(-2), ['qdisc del dev', 'link del ifb-7']);
  assert.match(lines.at('error').join(), /cannot limit the speed of ppp0: no ingress here\. The kernel needs sch_tbf/);
});

test('a removal that fails is logged', async () => {
  const { speed, lines } = fixture(SPEED, 'ifb-7');
  speed.remove(DEVICE);
  await speed.idle;
  assert.match(lines.at('warn').join(), /cannot remove the speed limit of ppp0: no ifb-7 here/);
});
