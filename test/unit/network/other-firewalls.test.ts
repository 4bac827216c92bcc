/** Rulesets in the form in which nft 1.0.6 prints them (`nft --json list ruleset`), and iptables-legacy 1.8.9. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBlockers, hasTable } from '../../../src/network/other-firewalls.js';

type Statement = Readonly<Record<string, unknown>>;

const chain = (table: string, name: string, policy?: 'drop' | 'accept', hook = 'forward', family = 'ip') => ({
  chain: {
    family,
    table,
    name,
    handle: 1,
    ...(policy === undefined ? {} : { type: 'filter', hook, prio: 0, policy }),
  },
});
const rule = (table: string, chainName: string, expr: readonly Statement[], family = 'ip') => ({
  rule: { family, table, chain: chainName, handle: 2, expr },
});
const ruleset = (...entries: readonly object[]) => ({
  nftables: [{ metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } }, ...entries],
});
const COUNTER = { counter: { packets: 0, bytes: 0 } };
const DROP = { drop: null };
const ACCEPT = { accept: null };
const REJECT = { reject: { type: 'icmpx', expr: 'admin-prohibited' } };
const meta = (key: string, right: unknown): Statement => ({ match: { op: '==', left: { meta: { key } }, right } });
const from = (right: unknown): Statement => ({
  match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right },
});
const ESTABLISHED = { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } };
const OWN = chain('pptpd_ts_12345678', 'forward', 'accept', 'forward', 'inet');
const CLIENT = '203.0.113.10';

const cases: [title: string, nft: unknown, who: readonly RegExp[], remedy?: RegExp][] = [
  ['no nftables', null, []],
  ['another form of JSON', { nftables: 'none' }, []],
  ['nothing but the own table', ruleset(OWN), []],
  ['a policy of drop for what is for this machine', ruleset(chain('filter', 'INPUT', 'drop', 'input')), []],
  ['IPv6', ruleset(chain('filter', 'FORWARD', 'drop', 'forward', 'ip6')), []],
  [
    'iptables-nft with a policy of drop',
    ruleset(OWN, chain('filter', 'FORWARD', 'drop')),
    [/chain FORWARD of the table "ip filter"/],
    /^iptables -I FORWARD -i ppp\+ -j ACCEPT && iptables -I FORWARD -o ppp\+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT$/,
  ],
  [
    'a table of the administrator',
    ruleset(
      chain('filter', 'forward', 'drop', 'forward', 'inet'),
      rule('filter', 'forward', [ESTABLISHED, ACCEPT], 'inet'),
      rule('filter', 'forward', [meta('iifname', 'eth1'), ACCEPT], 'inet'),
    ),
    [/chain forward of the table "inet filter"/],
    /^nft 'insert rule inet filter forward iifname "ppp\*" accept; insert rule inet filter forward oifname "ppp\*" ct state established,related accept'$/,
  ],
  [
    'a last rule that drops',
    ruleset(
      chain('filter', 'forward', 'accept', 'forward', 'inet'),
      rule('filter', 'forward', [meta('iifname', 'eth1'), ACCEPT], 'inet'),
      rule('filter', 'forward', [COUNTER, DROP], 'inet'),
    ),
    [/chain forward/],
  ],
  [
    'a last rule that drops something only',
    ruleset(
      chain('filter', 'forward', 'accept', 'forward', 'inet'),
      rule('filter', 'forward', [meta('iifname', 'eth1'), DROP], 'inet'),
    ),
    [],
  ],
  [
    'clients admitted by their interfaces',
    ruleset(chain('filter', 'FORWARD', 'drop'), rule('filter', 'FORWARD', [meta('iifname', 'ppp*'), COUNTER, ACCEPT])),
    [],
  ],
  [
    'clients admitted by a set of interfaces',
    ruleset(
      chain('filter', 'FORWARD', 'drop'),
      rule('filter', 'FORWARD', [meta('iifname', { set: ['eth1', 'ppp0'] }), ACCEPT]),
    ),
    [],
  ],
  [
    'packets to the clients admitted, but none from them',
    ruleset(chain('filter', 'FORWARD', 'drop'), rule('filter', 'FORWARD', [meta('oifname', 'ppp*'), ACCEPT])),
    [/FORWARD/],
  ],
  [
    'clients admitted by their network',
    ruleset(
      chain('filter', 'FORWARD', 'drop'),
      rule('filter', 'FORWARD', [from({ prefix: { addr: '203.0.113.0', len: 24 } }), ACCEPT]),
    ),
    [],
  ],
  [
    'others admitted by their network',
    ruleset(
      chain('filter', 'FORWARD', 'drop'),
      rule('filter', 'FORWARD', [from({ prefix: { addr: '198.51.100.0', len: 24 } }), ACCEPT]),
    ),
    [/FORWARD/],
  ],
  [
    'ufw',
    ruleset(
      chain('filter', 'ufw-before-forward'),
      chain('filter', 'ufw-user-forward'),
      chain('filter', 'FORWARD', 'drop'),
      rule('filter', 'FORWARD', [COUNTER, { jump: { target: 'ufw-before-forward' } }]),
    ),
    [/^ufw$/],
    /^ufw route allow in on ppp\+$/,
  ],
  [
    'ufw that was told so',
    ruleset(
      chain('filter', 'ufw-before-forward'),
      chain('filter', 'ufw-user-forward'),
      chain('filter', 'FORWARD', 'drop'),
      rule('filter', 'FORWARD', [COUNTER, { jump: { target: 'ufw-before-forward' } }]),
      rule('filter', 'ufw-user-forward', [meta('iifname', 'ppp*'), COUNTER, ACCEPT]),
    ),
    [],
  ],
  [
    'firewalld',
    ruleset(
      chain('firewalld', 'filter_FORWARD', 'accept', 'forward', 'inet'),
      rule('firewalld', 'filter_FORWARD', [ESTABLISHED, ACCEPT], 'inet'),
      rule('firewalld', 'filter_FORWARD', [{ jump: { target: 'filter_FORWARD_ZONES' } }], 'inet'),
      rule('firewalld', 'filter_FORWARD', [REJECT], 'inet'),
    ),
    [/^firewalld$/],
    /^firewall-cmd .*--add-interface=ppp\+/,
  ],
  [
    'firewalld with the clients in a zone',
    ruleset(
      chain('firewalld', 'filter_FORWARD', 'accept', 'forward', 'inet'),
      rule('firewalld', 'filter_FORWARD', [{ jump: { target: 'filter_FORWARD_ZONES' } }], 'inet'),
      rule('firewalld', 'filter_FORWARD', [REJECT], 'inet'),
      rule(
        'firewalld',
        'filter_FORWARD_ZONES',
        [meta('iifname', 'ppp*'), { goto: { target: 'filter_FWD_trusted' } }],
        'inet',
      ),
    ),
    [],
  ],
  [
    'Docker',
    ruleset(
      chain('filter', 'DOCKER-USER'),
      chain('filter', 'FORWARD', 'drop'),
      rule('filter', 'FORWARD', [COUNTER, { jump: { target: 'DOCKER-USER' } }]),
    ),
    [/^Docker$/],
    /^iptables -I DOCKER-USER -i ppp\+ -j ACCEPT/,
  ],
];
for (const [title, nft, who, remedy] of cases)
  test(title, () => {
    const found = findBlockers({ nft, legacy: null }, CLIENT);
    assert.equal(found.length, who.length, JSON.stringify(found));
    for (const [index, pattern] of who.entries()) assert.match(found[index]?.who ?? '', pattern);
    if (remedy !== undefined) assert.match(found[0]?.remedy ?? '', remedy);
  });

const legacyCases: [title: string, lines: readonly string[], who: readonly RegExp[]][] = [
  ['open', ['-P INPUT ACCEPT', '-P FORWARD ACCEPT'], []],
  ['closed', ['-P INPUT ACCEPT', '-P FORWARD DROP', '-A FORWARD -i eth1 -j ACCEPT'], [/iptables-legacy/]],
  ['admits the clients', ['-P FORWARD DROP', '-A FORWARD -i ppp+ -j ACCEPT'], []],
  ['admits their network', ['-P FORWARD DROP', '-A FORWARD -s 203.0.113.0/24 -j ACCEPT'], []],
  ['Docker', ['-P FORWARD DROP', '-N DOCKER-USER', '-A FORWARD -j DOCKER-USER'], [/^Docker$/]],
];
for (const [title, lines, who] of legacyCases)
  test(`iptables-legacy: ${title}`, () => {
    const found = findBlockers({ nft: null, legacy: lines.join('\n') }, CLIENT);
    assert.equal(found.length, who.length, JSON.stringify(found));
    for (const [index, pattern] of who.entries()) assert.match(found[index]?.who ?? '', pattern);
  });

test('whether a table is there', () => {
  const nft = ruleset({ table: { family: 'inet', name: 'pptpd_ts_12345678', handle: 3 } });
  assert.equal(hasTable({ nft, legacy: null }, 'pptpd_ts_12345678'), true);
  assert.equal(hasTable({ nft, legacy: null }, 'pptpd_ts_87654321'), false);
  assert.equal(hasTable({ nft: null, legacy: null }, 'pptpd_ts_12345678'), false);
});
