import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliverer, destinationOf, type Hook } from '../../../../src/manager/hooks/delivery.js';
import { endOf, eventsBetween } from '../../../../src/manager/hooks/hook-event.js';
import { Hooks } from '../../../../src/manager/hooks/hooks.js';
import { checkConfiguration } from '../../../../src/config/load.js';
import { LogLines } from '../../ctrl/log-lines.js';
import { aState, aStateUp } from '../../session/a-state.js';

const FAILURE = {
  reason: 'pppdExited',
  detail: null,
  cause: 'wrongPassword',
  text: 'the password is wrong',
  remedy: null,
} as const;
const names = (...states: Parameters<typeof eventsBetween>): string[] =>
  eventsBetween(...states).map(({ event }) => event);

test('connect, up, fail: each once', () => {
  const failed = aState({ phase: 'ending', ending: FAILURE });
  assert.deepEqual(names(null, aState()), ['connect']);
  assert.deepEqual(names(aState(), aState({ phase: 'negotiating' })), []);
  assert.deepEqual(names(aState({ phase: 'negotiating' }), aStateUp()), ['up']);
  assert.deepEqual(names(aStateUp(), aStateUp()), []);
  assert.deepEqual(names(aState(), failed), ['fail']);
  assert.deepEqual(names(failed, failed), []);
  assert.deepEqual(names(null, aStateUp()), ['connect', 'up']);
  assert.deepEqual(names(aStateUp(), aStateUp({ ending: { ...FAILURE, cause: null } })), []);
});

test('what a failure and an end say', () => {
  const [event] = eventsBetween(aState(), aState({ user: 'alice', ending: FAILURE }));
  const { time, host, ...rest } = event ?? assert.fail();
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.notEqual(host, '');
  const session = { client: '198.51.100.7', session: 'abc123', user: 'alice', address: '203.0.113.10' };
  assert.deepEqual(rest, { event: 'fail', ...session, cause: 'wrongPassword', text: 'the password is wrong' });
  const last = aStateUp({ since: Date.now() - 60_000, counters: { rxBytes: 7, txBytes: 8, rxPackets: 1 } });
  const { reason, detail, seconds = 0, rxBytes, txBytes } = endOf({ ...last, ending: FAILURE }, false);
  assert.deepEqual([reason, detail, rxBytes, txBytes], ['pppdExited', null, 7, 8]);
  assert(seconds >= 60 && seconds < 120);
  assert.equal(endOf(last, true).reason, 'workerFailed');
});

test('sessions of an earlier manager: their beginning is not told again', async () => {
  const told: string[] = [];
  const hooks = new Hooks(new LogLines().log, () => async ({ event }) => {
    told.push(event);
    return Promise.resolve({ ok: false, why: 'no', again: false });
  });
  hooks.reconfigure([{ on: ['connect', 'up', 'end'], run: ['/x'], timeout: 1 }]);
  hooks.entered('abc123', true);
  hooks.changed(aStateUp(), null);
  hooks.over('abc123', aStateUp(), false);
  await hooks.close();
  assert.deepEqual([told, hooks.dropped], [['end'], 1]);
});

test('the log has of a URL no more than its origin', () => {
  const hook: Hook = {
    on: ['up'],
    post: 'https://user:password@hooks.example:8443/bot123:token/send?key=secret',
    timeout: 1,
  };
  assert.equal(destinationOf(hook), 'https://hooks.example:8443');
  assert.equal(typeof deliverer(hook), 'function');
});

const wrong: [title: string, hook: object, problem: string][] = [
  ['neither', { on: ['up'] }, 'hooks[0]: "this hook" is not allowed (it has neither run nor post)'],
  [
    'both',
    { on: ['up'], run: ['/x'], post: 'http://192.0.2.1/' },
    'hooks[0]: "this hook" is not allowed (it has both run and post)',
  ],
  ['no event', { on: [], run: ['/x'] }, 'hooks[0].on: [] is not allowed'],
  [
    'an unknown event',
    { on: ['down'], run: ['/x'] },
    'hooks[0].on[0]: "down" is not allowed; allowed: "connect", "up"',
  ],
  ['no absolute path', { on: ['up'], run: ['x'] }, 'hooks[0].run[0]: "x" is not allowed; allowed: an absolute path'],
  ['no program', { on: ['up'], run: [] }, 'hooks[0].run'],
  [
    'another protocol',
    { on: ['up'], post: 'ftp://user:secret@192.0.2.1/' },
    'hooks[0].post: "this URL" is not allowed',
  ],
  ['no URL', { on: ['up'], post: 'secret' }, 'hooks[0].post: "this URL" is not allowed; allowed: a URL that begins'],
  ['no time', { on: ['up'], run: ['/x'], timeout: 0 }, 'hooks[0].timeout: 0 is not allowed'],
  ['an unknown key', { on: ['up'], run: ['/x'], retry: 1 }, 'hooks[0].retry: unknown key'],
];
for (const [title, hook, problem] of wrong)
  test(`the configuration: ${title}`, () => {
    const checked = checkConfiguration({ hooks: [hook] });
    assert(!checked.ok);
    const said = checked.problems.map(({ key, text }) => `${key}: ${text}`);
    assert.equal(said.length, 1, said.join('\n'));
    assert(said[0]?.startsWith(problem), said[0]);
    assert(!said.join().includes('secret'), said[0]);
  });
