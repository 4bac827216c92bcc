/** The server's nftables table as text for `nft -f`. Pure. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { parseDestination } from '../config/network.js';
import type { NetworkSettings } from './settings.js';

const NAME_DIGITS = 8;

/** Servers with different run directories have different tables. */
export const tableName = (runDirectory: string): string =>
  `pptpd_ts_${createHash('sha256').update(resolve(runDirectory)).digest('hex').slice(0, NAME_DIGITS)}`;

/** Removes the table if there is one. (`delete` alone fails without it, and nft before 1.0.8 has no `destroy`.) */
export const removal = (table: string): string => `table inet ${table}\ndelete table inet ${table}\n`;

/** The interfaces with NAT. `defaultRoutes`: those of the default routes. */
export const masqueradedAt = ({ masquerade }: NetworkSettings, defaultRoutes: readonly string[]): readonly string[] =>
  masquerade === 'auto' ? defaultRoutes : masquerade;

export interface RulesetOptions {
  readonly table: string;
  readonly settings: NetworkSettings;
  /** The interfaces of the default routes. */
  readonly defaultRoutes: readonly string[];
}

/** Makes the table, or replaces it, in one transaction. */
export function ruleset({ table, settings, defaultRoutes }: RulesetOptions): string {
  const { clampMss, isolateClients, allow } = settings;
  const masqueraded = masqueradedAt(settings, defaultRoutes);
  // An uplink over PPPoE is a ppp interface too, but no client's.
  const uplinks = [...new Set([...masqueraded, ...defaultRoutes])].filter((name) => name.startsWith('ppp'));
  const clientsAt = (key: 'iifname' | 'oifname'): string =>
    `${key} "ppp*"${uplinks.length === 0 ? '' : ` ${key} != ${setOf(uplinks)}`}`;
  const [from, to] = [clientsAt('iifname'), clientsAt('oifname')];
  const permit = allow.length > 0 ? [`${from} jump from_clients comment "network.allow"`] : [];
  const clamp = 'tcp flags syn / syn,rst tcp option maxseg size set rt mtu comment "network.clampMss"';
  const chains = {
    from_clients: permit.length === 0 ? [] : permitted(allow),
    input: base('filter', 'input', 'filter', permit),
    forward: base('filter', 'forward', 'filter', [
      ...(clampMss ? [`${from} ${clamp}`, `${to} ${clamp}`] : []),
      ...(isolateClients ? [`${from} ${to} drop comment "network.isolateClients"`] : []),
      ...permit,
    ]),
    postrouting: base(
      'nat',
      'postrouting',
      'srcnat',
      masqueraded.length > 0 ? [`${from} oifname ${setOf(masqueraded)} masquerade comment "network.masquerade"`] : [],
    ),
  };
  const body = Object.entries(chains).flatMap(([name, lines]) =>
    lines.length === 0 ? [] : [`\tchain ${name} {`, ...lines.map((line) => `\t\t${line}`), '\t}'],
  );
  return `${removal(table)}table inet ${table} {\n${body.join('\n')}\n}\n`;
}

const setOf = (names: readonly string[]): string => `{ ${names.map((name) => `"${name}"`).join(', ')} }`;

/** A chain without rules is left out. */
const base = (type: string, hook: string, priority: string, rules: readonly string[]): readonly string[] =>
  rules.length === 0 ? [] : [`type ${type} hook ${hook} priority ${priority}; policy accept;`, ...rules];

/** ICMP errors about permitted connections are `related`. */
const permitted = (allow: readonly string[]): readonly string[] => [
  'ct state established,related accept',
  ...allow.map((text) => {
    const { network = '', service = null } = parseDestination(text) ?? {};
    if (service === null) return `ip daddr ${network} accept`;
    const { protocol, first, last } = service;
    return `ip daddr ${network} ${protocol} dport ${first === last ? first : `${first}-${last}`} accept`;
  }),
  'reject with icmpx admin-prohibited',
];
