/**
 * Finds rules of other programs that drop what clients send through this machine: in nftables a packet must pass the chains
 * of every table, so the server's own rules cannot accept it. Pure. A chain counts as open if one rule of its table accepts
 * the clients; the other rules are not evaluated.
 */
import { addressNumber, firstOf, parseNetwork } from '../config/addresses.js';

/** The rules as the system's programs print them; null: there are none, or the program is missing. */
export interface FirewallRules {
  /** `nft --json list ruleset`, parsed. */
  readonly nft: unknown;
  /** `iptables-legacy -S`. */
  readonly legacy: string | null;
}

export interface Blocker {
  /** `ufw`, or the table and chain. */
  readonly who: string;
  /** Command that lets the clients' packets pass. */
  readonly remedy: string;
}

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: string | undefined;
  readonly policy: string | undefined;
}

interface Rule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly expr: readonly unknown[];
}

const REPLIES = '-m conntrack --ctstate ESTABLISHED,RELATED';

/** Programs that manage a firewall, by a table or a chain that only they have. */
const MANAGERS: readonly { readonly who: string; readonly mark: string; readonly remedy: string }[] = [
  { who: 'ufw', mark: 'ufw-before-forward', remedy: 'ufw route allow in on ppp+' },
  {
    who: 'firewalld',
    mark: 'firewalld',
    remedy: 'firewall-cmd --permanent --zone=trusted --add-interface=ppp+ && firewall-cmd --reload',
  },
  {
    who: 'Docker',
    mark: 'DOCKER-USER',
    remedy: `iptables -I DOCKER-USER -i ppp+ -j ACCEPT && iptables -I DOCKER-USER -o ppp+ ${REPLIES} -j ACCEPT`,
  },
];

/** IPv4 only: tunnels carry no IPv6 beyond the server. */
const FAMILIES: ReadonlySet<string> = new Set(['ip', 'inet']);

/** `client`: the address of a client, which others' rules may admit. */
export function findBlockers({ nft, legacy }: FirewallRules, client: string | null): Blocker[] {
  return [...inNftables(nft, client), ...(legacy === null ? [] : inLegacy(legacy, client))];
}

/** Whether nftables has a table of this name. */
export const hasTable = ({ nft }: FirewallRules, name: string): boolean =>
  entriesOf(nft).some((entry) => fieldsOf(entry['table'])['name'] === name);

const entriesOf = (nft: unknown): readonly Fields[] => listOf(fieldsOf(nft)['nftables']).map(fieldsOf);

function inNftables(nft: unknown, client: string | null): Blocker[] {
  const entries = entriesOf(nft);
  const chains = entries.flatMap((entry) => (entry['chain'] === undefined ? [] : chainOf(fieldsOf(entry['chain']))));
  const rules = entries.flatMap((entry) => (entry['rule'] === undefined ? [] : ruleOf(fieldsOf(entry['rule']))));
  return chains.flatMap((chain) => {
    const { family, table, name, hook } = chain;
    if (hook !== 'forward' || !FAMILIES.has(family)) return [];
    const ofTable = rules.filter((rule) => rule.family === family && rule.table === table);
    const last = ofTable.findLast((rule) => rule.chain === name);
    const isClosed = chain.policy === 'drop' || (last !== undefined && dropsAll(last));
    if (!isClosed || ofTable.some((rule) => admits(rule, client))) return [];
    const marks = new Set([table, ...chains.filter((each) => each.table === table).map((each) => each.name)]);
    const own = name === 'FORWARD' ? iptablesCommand('iptables') : nftCommand(`${family} ${table} ${name}`);
    return [blocker(marks, `the nftables chain ${name} of the table "${family} ${table}"`, own)];
  });
}

/** Words of rules as iptables(8) has them. */
function inLegacy(text: string, client: string | null): Blocker[] {
  const lines = text.split('\n').map((line) => line.split(' '));
  const isClosed = lines.some(([what, chain, policy]) => what === '-P' && chain === 'FORWARD' && policy === 'DROP');
  const isOpen = lines.some((words) => {
    const after = (option: string): string => words[words.indexOf(option) + 1] ?? '';
    const isOurs = (words.includes('-i') && after('-i').startsWith('ppp')) || covers(after('-s'), client);
    return isOurs && words.includes('ACCEPT');
  });
  if (!isClosed || isOpen) return [];
  const marks = new Set(lines.flatMap(([what, chain = '']) => (what === '-N' ? [chain] : [])));
  return [blocker(marks, 'the chain FORWARD of iptables-legacy', iptablesCommand('iptables-legacy'))];
}

function blocker(marks: ReadonlySet<string>, chain: string, remedy: string): Blocker {
  const manager = MANAGERS.find(({ mark }) => marks.has(mark));
  return manager === undefined ? { who: chain, remedy } : { who: manager.who, remedy: manager.remedy };
}

const iptablesCommand = (program: string): string =>
  `${program} -I FORWARD -i ppp+ -j ACCEPT && ${program} -I FORWARD -o ppp+ ${REPLIES} -j ACCEPT`;

const nftCommand = (chain: string): string =>
  `nft 'insert rule ${chain} iifname "ppp*" accept; insert rule ${chain} oifname "ppp*" ct state established,related accept'`;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const chainOf = ({ family, table, name, hook, policy }: Fields): Chain => ({
  family: textOf(family),
  table: textOf(table),
  name: textOf(name),
  hook: textOf(hook),
  policy: textOf(policy),
});

const ruleOf = ({ family, table, chain, expr }: Fields): Rule => ({
  family: textOf(family),
  table: textOf(table),
  chain: textOf(chain),
  expr: listOf(expr),
});

const has = (statement: unknown, keys: readonly string[]): boolean =>
  keys.some((key) => Object.hasOwn(fieldsOf(statement), key));

/** Nothing but a verdict, and perhaps a counter or a log. */
const dropsAll = ({ expr }: Rule): boolean =>
  has(expr.at(-1), ['drop', 'reject']) && expr.slice(0, -1).every((each) => has(each, ['counter', 'log', 'limit']));

function admits({ expr }: Rule, client: string | null): boolean {
  if (!has(expr.at(-1), ['accept', 'jump', 'goto'])) return false;
  return expr.some((statement) => {
    const { op, left, right } = fieldsOf(fieldsOf(statement)['match']);
    if (op !== '==') return false;
    if (fieldsOf(fieldsOf(left)['meta'])['key'] === 'iifname')
      return valuesOf(right).some((name) => textOf(name).startsWith('ppp'));
    const { protocol, field } = fieldsOf(fieldsOf(left)['payload']);
    return protocol === 'ip' && field === 'saddr' && valuesOf(right).some((each) => covers(networkText(each), client));
  });
}

/** One value, or those of a set. */
function valuesOf(right: unknown): readonly unknown[] {
  const { set } = fieldsOf(right);
  return set === undefined ? [right] : listOf(set);
}

function networkText(value: unknown): string {
  const { prefix } = fieldsOf(value);
  if (prefix === undefined) return textOf(value);
  const { addr, len } = fieldsOf(prefix);
  return `${textOf(addr)}/${String(len)}`;
}

/** Whether a network has this address. */
function covers(network: string, address: string | null): boolean {
  const [parsed, wanted] = [parseNetwork(network), address === null ? null : addressNumber(address)];
  if (parsed === null || wanted === null) return false;
  return firstOf(parsed) === firstOf({ address: wanted, bits: parsed.bits });
}
