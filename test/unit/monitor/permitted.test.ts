import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPermitted, type PeerState, workerState } from '../../../src/monitor/permitted.js';
import type { RequestType } from '../../../src/monitor/protocol.js';

const TYPES = [
  'announce',
  'register',
  'release',
  'review',
  'network',
  'challenge',
  'authenticate',
  'openTun',
  'openKernel',
  'configure',
  'close',
] as const;

/** The table as a person reads it: every request that is not named is refused. */
const table: [state: PeerState, ...permitted: RequestType[]][] = [
  ['root', 'announce'],
  ['manager', 'register', 'release', 'review', 'network'],
  ['rootManager', 'announce', 'register', 'release', 'review', 'network'],
  ['leased', 'challenge', 'authenticate', 'openTun', 'openKernel', 'close'],
  ['device', 'challenge', 'authenticate', 'close'],
  ['granted', 'challenge', 'authenticate', 'openTun', 'openKernel', 'close'],
  ['ready', 'challenge', 'authenticate', 'configure', 'close'],
  ['pppd'],
  ['over'],
];

for (const [state, ...permitted] of table)
  test(state, () =>
    assert.deepEqual(
      TYPES.filter((type) => isPermitted(state, type)),
      permitted,
    ),
  );

test('a session is ready with interface and login', () => {
  assert.equal(workerState({ device: false, login: false }), 'leased');
  assert.equal(workerState({ device: true, login: false }), 'device');
  assert.equal(workerState({ device: false, login: true }), 'granted');
  assert.equal(workerState({ device: true, login: true }), 'ready');
});
