import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Leases, type LeasePool } from '../../../src/manager/leases.js';
import type { Lease } from '../../../src/session/lease.js';

const pool = (count: number, connections = 0): LeasePool => ({
  pairs: Array.from({ length: count }, (_, index) => ({ local: '192.0.2.1', remote: `198.51.100.${index + 1}` })),
  delegated: null,
  connections,
});

function taken(leases: Leases): Lease {
  const lease = leases.take();
  assert.ok(lease !== null, 'a lease was expected');
  return lease;
}

test('every address is leased once, then none is left', () => {
  const leases = new Leases(pool(3));
  const remotes = [taken(leases), taken(leases), taken(leases)].map(({ remote }) => remote);
  assert.deepEqual(remotes, ['198.51.100.1', '198.51.100.2', '198.51.100.3']);
  assert.equal(leases.take(), null);
});

test('a returned address is leased again after those that were returned earlier', () => {
  const leases = new Leases(pool(3));
  const first = taken(leases);
  leases.giveBack(first);
  assert.deepEqual(
    [taken(leases), taken(leases), taken(leases)].map(({ remote }) => remote),
    ['198.51.100.2', '198.51.100.3', '198.51.100.1'],
  );
});

test('returning a lease twice does not free its address twice', () => {
  const leases = new Leases(pool(1));
  const lease = taken(leases);
  leases.giveBack(lease);
  leases.giveBack(lease);
  taken(leases);
  assert.equal(leases.take(), null);
});

test('limits.connections limits the leases even if more addresses are free', () => {
  const leases = new Leases(pool(5, 2));
  taken(leases);
  taken(leases);
  assert.equal(leases.take(), null);
});

test('call ids are unique, non-zero and within 16 bits', () => {
  const leases = new Leases({ pairs: [], delegated: { local: null }, connections: 0 });
  const ids = new Set(Array.from({ length: 5000 }, () => taken(leases).callId));
  assert.equal(ids.size, 5000);
  for (const id of ids) assert.ok(id >= 1 && id <= 65535);
});

test('with addresses.delegate leases have no remote address', () => {
  const leases = new Leases({ pairs: [], delegated: { local: '192.0.2.1' }, connections: 1 });
  const { local, remote } = taken(leases);
  assert.deepEqual({ local, remote }, { local: '192.0.2.1', remote: null });
  assert.equal(leases.take(), null);
});

test('a lease taken over from a live session is not leased again until it is returned', () => {
  const leases = new Leases(pool(2));
  const old: Lease = { local: '192.0.2.1', remote: '198.51.100.1', callId: 4711 };
  leases.adopt(old);
  assert.equal(taken(leases).remote, '198.51.100.2');
  assert.equal(leases.take(), null);
  leases.giveBack(old);
  assert.equal(taken(leases).remote, '198.51.100.1');
});

test('an address that PPP agreed is not leased, and the lease’s own address is free again', () => {
  const leases = new Leases(pool(3));
  const fixed = taken(leases);
  leases.use(fixed, '198.51.100.2');
  assert.deepEqual([taken(leases).remote, taken(leases).remote, leases.take()], ['198.51.100.3', '198.51.100.1', null]);
  leases.giveBack(fixed);
  assert.equal(taken(leases).remote, '198.51.100.2');
});

test('an agreed address outside the pool occupies no pool address, and is never leased', () => {
  const leases = new Leases(pool(1));
  const fixed = taken(leases);
  assert.equal(leases.most, 1);
  leases.use(fixed, '203.0.113.77');
  assert.equal(leases.most, 2);
  assert.equal(taken(leases).remote, '198.51.100.1');
  leases.giveBack(fixed);
  assert.equal(leases.take(), null);
});

test('an address that two sessions hold is leased again when both are over', () => {
  const leases = new Leases(pool(2));
  const [fixed, lent] = [taken(leases), taken(leases)];
  leases.use(fixed, lent.remote);
  assert.equal(taken(leases).remote, fixed.remote);
  leases.giveBack(lent);
  assert.equal(leases.take(), null);
  leases.giveBack(fixed);
  assert.equal(taken(leases).remote, lent.remote);
});

test('after its call a session holds its lease’s address again', () => {
  const leases = new Leases(pool(2));
  const fixed = taken(leases);
  leases.use(fixed, '198.51.100.2');
  leases.use(fixed, fixed.remote);
  assert.deepEqual([taken(leases).remote, leases.take()], ['198.51.100.2', null]);
});

test('a late report of an ended session does not occupy an address', () => {
  const leases = new Leases(pool(1));
  const over = taken(leases);
  leases.giveBack(over);
  leases.use(over, '198.51.100.1');
  assert.equal(taken(leases).remote, '198.51.100.1');
});

test('an agreed address is not leased if a new pool contains it', () => {
  const leases = new Leases(pool(1));
  leases.use(taken(leases), '198.51.100.2');
  leases.reconfigure(pool(2));
  assert.deepEqual([taken(leases).remote, leases.take()], ['198.51.100.1', null]);
});

test('onFreed is called for each returned address and lease', () => {
  const leases = new Leases(pool(1));
  let freed = 0;
  leases.onFreed = () => (freed += 1);
  const lease = taken(leases);
  leases.use(lease, lease.remote);
  assert.equal(freed, 0);
  leases.use(lease, '203.0.113.77');
  assert.equal(freed, 1);
  leases.giveBack(lease);
  assert.equal(freed, 2);
});

test('reloading the same pool keeps the order: the address returned last is leased last', () => {
  const leases = new Leases(pool(3));
  leases.giveBack(taken(leases));
  leases.reconfigure(pool(4));
  const remotes = Array.from({ length: 4 }, () => taken(leases).remote);
  assert.deepEqual(remotes, ['198.51.100.2', '198.51.100.3', '198.51.100.1', '198.51.100.4']);
});

test('a new pool does not affect leases in use, and an address that left the pool is not leased again', () => {
  const leases = new Leases(pool(2));
  const kept = taken(leases);
  leases.reconfigure({ pairs: [{ local: '192.0.2.1', remote: '203.0.113.9' }], delegated: null, connections: 0 });
  assert.equal(leases.leasedCount, 1);
  assert.equal(taken(leases).remote, '203.0.113.9');
  leases.giveBack(kept);
  assert.equal(leases.take(), null);
});
