/**
 * pppd's options as they are in force: the words of all its options files and arguments, sorted into options and their
 * values, and what they amount to. Where pppd takes options from, and that a later one wins, is pppd(8)'s.
 */
import type { Configuration } from '../config/schema.js';
import { PEERS } from '../host/pppd-options.js';
import type { Machine } from './machine.js';
import { textOf, wordsOf } from '../accounts/pppd-words.js';
import { identityOf } from './privilege-checks.js';

/** pppd reads it first, whatever else it is given. */
export const SYSTEM_OPTIONS = '/etc/ppp/options';

/** Then that of its user's home folder. */
const USER_OPTIONS = '.ppprc';

/**
 * The options that take the next word as their value, those of Debian's plugins too: of pppd 2.4.9, where
 * test/process/pppd-options.test.ts asks pppd itself, and of the sources of 2.5.
 */
export const WITH_VALUE: ReadonlySet<string> = new Set(
  `+ua -as active-filter allow-ip allow-number asyncmap auth-down-script auth-up-script avpair bsdcomp bundle ca call
  callback capath cert chap-interval chap-max-challenge chap-restart chap-secrets chap-timeout child-timeout connect
  connect-delay crl crl-dir datarate defaultroute-metric defaultroute6-metric deflate dhcpv6-metric dhcpv6-ra-intvl
  dhcpv6-server disconnect domain eap-interval eap-max-rreq eap-max-sreq eap-restart eap-timeout endpoint escape file
  holdoff host-uniq idle ifname init ip-down-script ip-pre-up-script ip-up-script ipcp-max-configure ipcp-max-failure
  ipcp-max-terminate ipcp-restart ipparam ipv6 ipv6-down-script ipv6-up-script ipv6cp-max-configure
  ipv6cp-max-failure ipv6cp-max-terminate ipv6cp-restart ipx-network ipx-node ipx-router-name ipx-routing
  ipxcp-max-configure ipxcp-max-failure ipxcp-max-terminate ipxcp-restart kdebug key lcp-echo-failure
  lcp-echo-interval lcp-max-configure lcp-max-failure lcp-max-terminate lcp-restart lcp-rtt-file linkname logfd
  logfile max-tls-version maxconnect maxfail maxoctets minconnect mo mo-direction mo-timeout mrru mru ms-dns ms-wins
  mtu name net-down-script net-init-script net-pre-up-script netmask ntlm_auth-helper pap-max-authreq pap-restart
  pap-secrets pap-timeout pass-filter password passwordfd pkcs12 plugin pppoe-ac pppoe-host-uniq pppoe-mac
  pppoe-padi-attempts pppoe-padi-timeout pppoe-service pppoe-sess pppoe-verbose privgroup promptprog pty
  radius-config-file realms-config-file record remotename remotenumber rp_pppoe_ac rp_pppoe_service rp_pppoe_sess
  rp_pppoe_verbose set socket srp-interval srp-pn-secret stop-bits tls-verify-method unit unset user vj-max-slots vrf
  welcome`.split(/\s+/),
);

export interface PppdOption {
  readonly name: string;
  /** null of an option that takes none. */
  readonly value: string | null;
}

/** Words as options; what a file holds that `file` or `call` names stands where it is named. */
function sort(words: readonly string[], machine: Machine, within: readonly string[]): PppdOption[] {
  const options: PppdOption[] = [];
  const rest = words.values();
  for (const name of rest) {
    const value = WITH_VALUE.has(name) ? (rest.next().value ?? '') : null;
    const named = value === null ? null : name === 'file' ? value : name === 'call' ? PEERS + value : null;
    if (named === null) options.push({ name, value });
    else options.push(...optionsOf(named, machine, within));
  }
  return options;
}

function optionsOf(path: string, machine: Machine, within: readonly string[] = []): PppdOption[] {
  if (within.includes(path)) return [];
  const words = wordsOf(machine.read(path) ?? '').map(({ bytes }) => textOf(bytes));
  return sort(words, machine, [...within, path]);
}

/** The home folder of the user that pppd is started by; null when /etc/passwd does not say. */
function homeFolder(machine: Machine): string | null {
  const uid = String(identityOf(machine).uid);
  const fields = (machine.read('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'));
  return fields.find((each) => each[2] === uid)?.[5] ?? null;
}

/** All options that pppd is given, in their order: the system's file, the user's, ours, and `pppd.args`. */
export function effectiveOptions({ pppd: { options, args } }: Configuration, machine: Machine): PppdOption[] {
  const home = homeFolder(machine);
  const files = [SYSTEM_OPTIONS, home === null ? null : `${home}/${USER_OPTIONS}`, options];
  return [...files.flatMap((path) => (path == null ? [] : optionsOf(path, machine))), ...sort(args, machine, [])];
}

export const has = (options: readonly PppdOption[], name: string): boolean =>
  options.some((option) => option.name === name);

/** The value of the last such option; null without one. */
export const valueOf = (options: readonly PppdOption[], name: string): string | null =>
  options.findLast((option) => option.name === name)?.value ?? null;

const REQUIRES_MPPE = /^(?:require-|\+)mppe(?:-40|-128)?$/;

/** The option that makes MPPE a condition; null without one. Of options that contradict each other the last counts. */
export function requiredMppe(options: readonly PppdOption[]): string | null {
  const last = options.findLast(({ name }) => REQUIRES_MPPE.test(name) || name === 'nomppe' || name === '-mppe');
  return last !== undefined && REQUIRES_MPPE.test(last.name) ? last.name : null;
}

/** Ways to log in, best first, as `require-` names them. */
export const LOGIN_METHODS = ['mschap-v2', 'mschap', 'chap', 'eap', 'pap'] as const;

export type LoginMethod = (typeof LOGIN_METHODS)[number];

const REQUIRES_LOGIN = new RegExp(`^(?:require-|\\+)(${LOGIN_METHODS.join('|')})$`);

export type Login =
  /** Clients need not log in; `because` of "noauth", or since nothing requires it. */
  | { readonly required: false; readonly because: 'noauth' | null }
  /** By one of `methods`; `options` are those that say so. */
  | { readonly required: true; readonly methods: readonly LoginMethod[]; readonly options: readonly string[] };

/** What a client has to do to get in. "auth" alone takes whatever the client likes. */
export function requiredLogin(options: readonly PppdOption[]): Login {
  const methodOf = (name: string): string | undefined => REQUIRES_LOGIN.exec(name)?.[1];
  const about = options.map(({ name }) => name).filter((name) => /^(?:no)?auth$/.test(name) || methodOf(name));
  const last = about.at(-1);
  if (last === undefined || last === 'noauth') return { required: false, because: last ?? null };
  const named = new Set(about.map(methodOf));
  const methods = LOGIN_METHODS.filter((method) => named.has(method));
  return {
    required: true,
    methods: methods.length === 0 ? LOGIN_METHODS : methods,
    options: [...new Set(about.filter((name) => name !== 'noauth'))],
  };
}

/** What pppd calls itself, and looks for in the second column of its secrets. */
export function serverName(options: readonly PppdOption[], machine: Machine): string {
  const host = machine.read('/proc/sys/kernel/hostname')?.trim() ?? '*';
  const domain = valueOf(options, 'domain') ?? '';
  const whole = domain === '' ? host : `${host}${domain.startsWith('.') ? '' : '.'}${domain}`;
  const named = has(options, 'usehostname') ? null : valueOf(options, 'name');
  return named === null || named === '' ? whole : named;
}
