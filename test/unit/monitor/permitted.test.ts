import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPermitted, type Standing, standingOf } from '../../../src/monitor/permitted.js';
import type { RequestType } from '../../../src/monitor/protocol.js';

const TYPES = [
  'announce',
  'register',
  'release',
  'review',
  'challenge',
  'authenticate',
  'openTun',
  'openKernel',
  'configure',
  'close',
] as const;

/** The table as a person reads it: every request that is not named is refused. */
const table: [standing: Standing, ...permitted: RequestType[]][] = [
  ['root', 'announce'],
  ['manager', 'register', 'release', 'review'],
  ['rootManager', 'announce', 'register', 'release', 'review'],
  ['leased', 'challenge', 'authenticate', 'openTun', 'openKernel', 'close'],
  ['device', 'challenge', 'authenticate', 'close'],
  ['granted', 'challenge', 'authenticate', 'openTun', 'openKernel', 'close'],
  ['ready', 'challenge', 'authenticate', 'configure', 'close'],
  ['pppd'],
  ['over'],
];

for (const [standing, ...permitted] of table)
  test(standing, () =>
    assert.deepEqual(
      TYPES.filter((type) => isPermitted(standing, type)),
      permitted,
    ),
  );

test('a session is ready with interface and login', () => {
  assert.equal(standingOf({ device: false, login: false }), 'leased');
  assert.equal(standingOf({ device: true, login: false }), 'device');
  assert.equal(standingOf({ device: false, login: true }), 'granted');
  assert.equal(standingOf({ device: true, login: true }), 'ready');
});
