import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removal, ruleset, tableName } from '../../../src/network/ruleset.js';
import { isNetworkSettings, needsTable, type NetworkSettings } from '../../../src/network/settings.js';

const NOTHING: NetworkSettings = {
  forward: false,
  masquerade: [],
  clampMss: false,
  isolateClients: false,
  allow: [],
};
const table = 'pptpd_ts_test';

/** The chains, without the lines that make the transaction. */
function chains(settings: Partial<NetworkSettings>, defaultRoutes: readonly string[] = ['eth0']): string {
  const text = ruleset({ table, settings: { ...NOTHING, ...settings }, defaultRoutes });
  const begin = `${removal(table)}table inet ${table} {\n`;
  assert(text.startsWith(begin) && text.endsWith('}\n'), text);
  return text.slice(begin.length, -2).replaceAll('\t', '');
}

const CLAMP = 'tcp flags syn / syn,rst tcp option maxseg size set rt mtu comment "network.clampMss"';
const FORWARD = 'chain forward {\ntype filter hook forward priority filter; policy accept;\n';
const INPUT = 'chain input {\ntype filter hook input priority filter; policy accept;\n';
const POSTROUTING = 'chain postrouting {\ntype nat hook postrouting priority srcnat; policy accept;\n';

const cases: [title: string, settings: Partial<NetworkSettings>, text: string, defaultRoutes?: readonly string[]][] = [
  [
    'masquerade: on named interfaces only',
    { masquerade: ['eth0', 'wlan0'] },
    `${POSTROUTING}iifname "ppp*" oifname { "eth0", "wlan0" } masquerade comment "network.masquerade"\n}\n`,
  ],
  [
    'masquerade: auto is where the default routes lead',
    { masquerade: 'auto' },
    `${POSTROUTING}iifname "ppp*" oifname { "lte0", "eth1" } masquerade comment "network.masquerade"\n}\n`,
    ['lte0', 'eth1'],
  ],
  ['masquerade: auto without a default route', { masquerade: 'auto' }, '\n', []],
  [
    'an uplink over PPPoE is no client',
    { masquerade: 'auto', isolateClients: true },
    `${FORWARD}iifname "ppp*" iifname != { "ppp0" } oifname "ppp*" oifname != { "ppp0" } drop comment "network.isolateClients"\n}\n` +
      `${POSTROUTING}iifname "ppp*" iifname != { "ppp0" } oifname { "ppp0" } masquerade comment "network.masquerade"\n}\n`,
    ['ppp0'],
  ],
  ['clampMss: both directions', { clampMss: true }, `${FORWARD}iifname "ppp*" ${CLAMP}\noifname "ppp*" ${CLAMP}\n}\n`],
  [
    'isolateClients',
    { isolateClients: true },
    `${FORWARD}iifname "ppp*" oifname "ppp*" drop comment "network.isolateClients"\n}\n`,
  ],
  [
    'allow: networks from their first address, ports, and nothing else, also of the server',
    { allow: ['192.0.2.77/24', '192.0.2.1 tcp 443', '203.0.113.0/28 udp 5000-5010'] },
    'chain from_clients {\nct state established,related accept\nip daddr 192.0.2.0/24 accept\n' +
      'ip daddr 192.0.2.1/32 tcp dport 443 accept\nip daddr 203.0.113.0/28 udp dport 5000-5010 accept\n' +
      'reject with icmpx admin-prohibited\n}\n' +
      `${INPUT}iifname "ppp*" jump from_clients comment "network.allow"\n}\n` +
      `${FORWARD}iifname "ppp*" jump from_clients comment "network.allow"\n}\n`,
  ],
];
for (const [title, settings, text, defaultRoutes] of cases)
  test(title, () => assert.equal(chains(settings, defaultRoutes), text));

test('isolation comes before what clients may reach', () => {
  const text = chains({ isolateClients: true, allow: ['0.0.0.0/0'], clampMss: true });
  const at = (what: string): number => text.indexOf(what, text.indexOf('chain forward'));
  assert(at('maxseg') < at('drop') && at('drop') < at('jump'), text);
});

test('two run directories have two tables, and one always the same', () => {
  assert.notEqual(tableName('/run/a'), tableName('/run/b'));
  assert.equal(tableName('/run/a/'), tableName('/run/../run/a'));
  assert.match(tableName('/run/pptpd-ts'), /^pptpd_ts_[0-9a-f]{8}$/);
});

test('forwarding alone needs no table', () => {
  assert.equal(needsTable({ ...NOTHING, forward: true }), false);
  const others: readonly Partial<NetworkSettings>[] = [
    { masquerade: 'auto' },
    { masquerade: ['eth0'] },
    { clampMss: true },
    { isolateClients: true },
    { allow: ['192.0.2.1'] },
  ];
  for (const each of others) assert.equal(needsTable({ ...NOTHING, ...each }), true);
});

test('settings in a message are checked: nothing in them can be a rule of its own', () => {
  assert(isNetworkSettings({ ...NOTHING, masquerade: ['eth0.7', 'br-lan', 'ppp0'], allow: ['192.0.2.1 tcp 1-65535'] }));
  const wrong: readonly unknown[] = [
    undefined,
    null,
    'auto',
    {},
    { ...NOTHING, forward: 1 },
    { ...NOTHING, masquerade: 'eth0' },
    { ...NOTHING, masquerade: ['eth0" drop'] },
    { ...NOTHING, masquerade: ['eth*'] },
    { ...NOTHING, masquerade: ['sixteen_letters_'] },
    { ...NOTHING, allow: ['192.0.2.1; flush ruleset'] },
    { ...NOTHING, allow: ['192.0.2.1 tcp 0'] },
    { ...NOTHING, allow: ['192.0.2.1 tcp 9-8'] },
    { ...NOTHING, allow: ['192.0.2.1 tcp 65536'] },
    { ...NOTHING, allow: ['192.0.2.1 icmp'] },
    { ...NOTHING, allow: ['2001:db8::/32'] },
    { ...NOTHING, allow: Array.from({ length: 51 }, () => '192.0.2.1') },
  ];
  assert.deepEqual(
    wrong.filter((settings) => isNetworkSettings(settings)),
    [],
  );
});
