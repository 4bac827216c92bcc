import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessIdentity } from '../../../src/host/process.js';
import { type KnownProcesses, roleOf } from '../../../src/monitor/peer-role.js';

const MANAGER = { pid: 100, startTime: '5000' };
const WORKER = { pid: 200, startTime: '6000' };
const IDLE = { pid: 300, startTime: '7000' };
const KNOWN: KnownProcesses<object> = {
  manager: MANAGER,
  workers: new Map([
    [WORKER.pid, { identity: WORKER, session: {} }],
    [IDLE.pid, { identity: IDLE, session: null }],
  ]),
};
const later = (identity: ProcessIdentity): ProcessIdentity => ({ ...identity, startTime: '9999' });

const table: readonly [what: string, identity: ProcessIdentity | null, uid: number, role: string | null][] = [
  ['the manager', MANAGER, 990, 'manager'],
  ['the manager as root', MANAGER, 0, 'rootManager'],
  ['a worker of a session', WORKER, 990, 'worker'],
  ['a worker without a session', IDLE, 990, null],
  ['another process', { pid: 400, startTime: '1' }, 990, null],
  ['another process of root', { pid: 400, startTime: '1' }, 0, 'root'],
  ['a process that has ended', null, 990, null],
  ['a later process with the id of the manager', later(MANAGER), 990, null],
  ['a later process with the id of a worker', later(WORKER), 990, null],
  ['a later process of root with the id of the manager', later(MANAGER), 0, 'root'],
  ['a later process of root with the id of a worker', later(WORKER), 0, 'root'],
];

for (const [what, identity, uid, role] of table)
  test(`${what}: ${role ?? 'a stranger'}`, () => assert.equal(roleOf(identity, uid, KNOWN)?.name ?? null, role));

test('nobody is known yet', () => {
  const none = { manager: null, workers: new Map<number, never>() };
  assert.equal(roleOf(MANAGER, 990, none), null);
  assert.equal(roleOf(MANAGER, 0, none)?.name, 'root');
});
