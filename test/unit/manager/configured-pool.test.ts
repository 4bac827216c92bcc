/** Which pairs of addresses a configuration has to lease. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfigurationInput, configurationSchema } from '../../../src/config/schema.js';
import { configuredPool } from '../../../src/manager/configured-pool.js';

const pool = (addresses: ConfigurationInput['addresses'], connections = 7) =>
  configuredPool(configurationSchema.parse({ addresses, limits: { connections } }));
const pairs = (...all: readonly (readonly [local: string, remote: string])[]) =>
  all.map(([local, remote]) => ({ local, remote }));

test('one local address is every client’s other end', () => {
  assert.deepEqual(pool({ local: '192.0.2.1', remote: '198.51.100.10-12' }), {
    pairs: pairs(['192.0.2.1', '198.51.100.10'], ['192.0.2.1', '198.51.100.11'], ['192.0.2.1', '198.51.100.12']),
    delegated: null,
    connections: 7,
  });
});

test('of several each remote address has its own, in their order; those left over are not used', () => {
  const { pairs: lent } = pool({ local: ['192.0.2.1-3'], remote: ['198.51.100.10', '198.51.100.20'] });
  assert.deepEqual(lent, pairs(['192.0.2.1', '198.51.100.10'], ['192.0.2.2', '198.51.100.20']));
});

test('with delegate there is nothing to lend but our own end, where there is one', () => {
  assert.deepEqual(pool({ delegate: true, local: [] }), { pairs: [], delegated: { local: null }, connections: 7 });
  const { pairs: lent, delegated } = pool({ delegate: true, local: '192.0.2.1', remote: '198.51.100.10' });
  assert.deepEqual([lent, delegated], [[], { local: '192.0.2.1' }]);
});
