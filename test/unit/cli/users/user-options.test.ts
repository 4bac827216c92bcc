/** The options of `users add` and `set`, and the account that they make. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Command } from 'commander';
import { changed } from '../../../../src/users/accounts-store.js';
import { addUserOptions, changesOf } from '../../../../src/cli/users/user-options.js';
import type { FieldChanges } from '../../../../src/users/user-store.js';
import { hashOf, type User } from '../../../../src/users/user.js';

const NOW = Date.parse('2027-01-01T00:00:00Z');

function changes(...words: readonly string[]): FieldChanges {
  const command = addUserOptions(new Command('set'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse([...words], { from: 'user' });
  return changesOf(command.opts());
}

describe('an option and its field', () => {
  const right: [words: string[], fields: object][] = [
    [[], {}],
    [['--address', '192.0.2.7'], { address: '192.0.2.7' }],
    [['--address', 'any'], { address: null }],
    [['--expires', '2027-01-31'], { expires: '2027-01-31' }],
    [['--expires', '2027-01-31T18:00Z'], { expires: '2027-01-31T18:00:00.000Z' }],
    [['--expires', '2027-01-31T18:00'], { expires: new Date(2027, 0, 31, 18).toISOString() }],
    [['--expires', '30d'], { expires: '2027-01-31T00:00:00.000Z' }],
    [['--expires', 'never'], { expires: null }],
    [['--expires-after', '12h'], { expiresAfter: 43_200 }],
    [['--sessions', '0'], { sessions: 0 }],
    [['--sessions', 'default'], { sessions: null }],
    [['--session-time', '1.5h'], { sessionTime: 5400 }],
    [['--idle-time', '30min'], { idleTime: 1800 }],
    [['--idle-time', '0'], { idleTime: 0 }],
    [['--speed', '20M'], { speed: { up: 20_000_000, down: 20_000_000 } }],
    [['--speed', 'up=512k,down=1.5G'], { speed: { up: 512_000, down: 1_500_000_000 } }],
    [['--speed', 'down=5M'], { speed: { down: 5_000_000 } }],
    [['--speed', 'none'], { speed: null }],
    [['--quota', '5G/month'], { quota: { octets: 5 * 2 ** 30, per: 'month' } }],
    [['--quota', '1.5k'], { quota: { octets: 1536, per: 'total' } }],
    [['--quota', 'none'], { quota: null }],
    [['--routes', '198.51.100.0/24,203.0.113.128/25'], { routes: ['198.51.100.0/24', '203.0.113.128/25'] }],
    [['--routes', 'none'], { routes: null }],
    [['--note', ''], { note: null }],
  ];
  for (const [words, fields] of right)
    test(words.join(' '), (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: NOW });
      assert.deepEqual(changes(...words), fields);
    });
  const wrong: string[][] = [
    ['--address', '192.0.2.256'],
    ['--address', '192.0.2.0/24'],
    ['--expires', '2027-02-29'],
    ['--expires', '2027-13-01'],
    ['--expires', '31.01.2027'],
    ['--expires', '30'],
    ['--expires-after', '0d'],
    ['--expires', '30d', '--expires-after', '30d'],
    ['--sessions', '-1'],
    ['--sessions', '65536'],
    ['--session-time', '24d'],
    ['--idle-time', '5'],
    ['--routes', '198.51.100.1/24'],
    ['--routes', '0.0.0.0/0'],
    ['--routes', '198.51.100.0'],
    ['--routes', '198.51.100.0/24; reboot'],
    ['--speed', '20'],
    ['--speed', '7k'],
    ['--speed', '101G'],
    ['--speed', 'up=1M,up=2M'],
    ['--speed', 'up=1M,left=2M'],
    ['--speed', ''],
    ['--quota', '5'],
    ['--quota', '0G/day'],
    ['--quota', '5G/week'],
    ['--quota', '9000T'],
    ['--note', 'x'.repeat(1001)],
    ['--password', 'x'],
  ];
  for (const words of wrong)
    test(`${words.join(' ').slice(0, 60)} is refused`, () => assert.throws(() => changes(...words)));
});

describe('the account afterwards', () => {
  const alice: User = { name: 'alice', ntHash: hashOf('x') };
  const trial: User = { ...alice, expiresAfter: 60, firstLogin: '2027-01-01T00:00:00.000Z', note: 'n' };

  test('has what is set, and lacks what is removed', () => {
    assert.deepEqual(changed(alice, { sessions: 2, note: 'n' }), { ...alice, sessions: 2, note: 'n' });
    assert.deepEqual(changed({ ...alice, sessions: 2, note: 'n' }, { sessions: null }), { ...alice, note: 'n' });
  });

  test('has one kind of end, and a new duration begins with the next login', () => {
    assert.deepEqual(changed(trial, { note: 'm' }), { ...trial, note: 'm' });
    assert.deepEqual(changed(trial, { expires: '2027-01-31' }), { ...alice, note: 'n', expires: '2027-01-31' });
    assert.deepEqual(changed(trial, { expiresAfter: 90 }), { ...alice, note: 'n', expiresAfter: 90 });
    assert.deepEqual(changed({ ...alice, expires: '2027-01-31' }, { expiresAfter: 90 }), {
      ...alice,
      expiresAfter: 90,
    });
    assert.deepEqual(changed(trial, { expires: null }), { ...alice, note: 'n' });
  });
});
