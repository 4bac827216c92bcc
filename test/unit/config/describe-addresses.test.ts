/** The description of the address pool. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAddresses } from '../../../src/config/describe-addresses.js';
import { configurationSchema, type ConfigurationInput } from '../../../src/config/schema.js';

const table: readonly [input: ConfigurationInput, ...sentences: string[]][] = [
  [
    {},
    'clients: 91 addresses, 192.168.1.10 to 192.168.1.100',
    'server: 192.168.0.1 for every client',
    'connections: at most 91, because there are no more addresses (limits.connections is 100)',
  ],
  [
    { addresses: { local: '192.0.2.1', remote: '192.0.2.9' }, limits: { connections: 1 } },
    'clients: 1 address, 192.0.2.9',
    'server: 192.0.2.1 for every client',
    'connections: at most 1, one for each address',
  ],
  [
    { addresses: { local: '192.0.2.1-9', remote: '192.0.2.20-22,192.0.2.30' }, limits: { connections: 3 } },
    'clients: 4 addresses, 192.0.2.20 to 192.0.2.22, 192.0.2.30',
    'server: one address for each client, 192.0.2.1 to 192.0.2.4',
    'connections: at most 3 (limits.connections), leaving 1 of the addresses free',
  ],
  [
    { addresses: { local: '198.51.100.1', remote: '192.0.1-6.9' }, limits: { connections: 0 } },
    'clients: 6 addresses, 192.0.1.9, 192.0.2.9, 192.0.3.9 … 192.0.6.9 (6 ranges)',
    'server: 198.51.100.1 for every client',
    'connections: at most 6, one for each address',
  ],
  [
    { addresses: { delegate: true } },
    'clients: pppd chooses their addresses (addresses.delegate)',
    'server: 192.168.0.1',
    'connections: at most 100 (limits.connections)',
  ],
  [
    { addresses: { delegate: true, local: [] }, limits: { connections: 0 } },
    'clients: pppd chooses their addresses (addresses.delegate)',
    'server: pppd chooses its address too',
    'connections: no limit (limits.connections is 0)',
  ],
];
for (const [input, ...sentences] of table) {
  test(JSON.stringify(input), () => assert.deepEqual(describeAddresses(configurationSchema.parse(input)), sentences));
}
