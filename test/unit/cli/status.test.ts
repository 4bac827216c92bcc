/** The line about the section `network` in `pptpd-ts status`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkText } from '../../../src/cli/commands/status.js';
import { localTime } from '../../../src/admin/units.js';

const since = Date.parse('2026-11-28T12:00:00Z');
const TABLE = 'pptpd_ts_0a1b2c3d';
const IN_FORCE = {
  state: 'inForce',
  table: TABLE,
  forwarding: true,
  masquerade: ['eth0'],
  since,
  restored: null,
} as const;

test('rules that are in force, or are not', () => {
  const rest = `in force since ${localTime(since)}; NAT through eth0`;
  assert.equal(networkText(IN_FORCE), `forwarding on; nftables table ${TABLE} ${rest}`);
  assert.equal(
    networkText({ ...IN_FORCE, state: 'missing', forwarding: false, masquerade: [] }),
    `forwarding OFF; nftables table ${TABLE} MISSING in the kernel; put into force ${localTime(since)}`,
  );
  assert.equal(networkText({ ...IN_FORCE, table: null, masquerade: [] }), 'forwarding on');
  assert.equal(networkText({ state: 'unknown', why: 'no monitor' }), 'not known: no monitor');
});

test('a table that was restored', () => {
  const restored = { at: since + 1000, why: 'deleted' } as const;
  const end = (count: number): string | undefined =>
    networkText({ ...IN_FORCE, restored: { ...restored, count } })
      .split('; ')
      .at(-1);
  assert.equal(end(1), 'restored once: another program has deleted it');
  assert.equal(end(3), 'restored 3 times: another program has deleted it');
});
