/**
 * The effective options of pppd: the words of all its options files and arguments, parsed into options and values, and
 * what they mean for login and encryption. See pppd(8) for the files; of contradicting options the last one wins.
 */
import { pppdArgumentsOf } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { PEERS } from '../host/pppd-options.js';
import type { Machine } from './machine.js';
import { textOf, wordsOf } from '../accounts/pppd-words.js';
import { identityOf } from './privilege-checks.js';

/** pppd always reads it first. */
export const SYSTEM_OPTIONS = '/etc/ppp/options';

/** pppd reads it next, from its user's home folder. */
const USER_OPTIONS = '.ppprc';

/**
 * The options that take the next word as their value, including those of Debian's plugins. From pppd 2.4.9, which
 * test/process/pppd-options.test.ts compares, and from the sources of 2.5.
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
  /** null for an option without a value. */
  readonly value: string | null;
}

/** Parses words into options. A file named by `file` or `call` is included in place. */
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

/** The home folder of the user that starts pppd; null if /etc/passwd has none. */
function homeFolder(machine: Machine): string | null {
  const uid = String(identityOf(machine).uid);
  const fields = (machine.read('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'));
  return fields.find((each) => each[2] === uid)?.[5] ?? null;
}

/** All options of pppd in their order: from the system's file, the user's, `pppd.options`, `ppp` and `pppd.args`. */
export function effectiveOptions({ ppp, pppd: { options, args } }: Configuration, machine: Machine): PppdOption[] {
  const home = homeFolder(machine);
  const files = [SYSTEM_OPTIONS, home === null ? null : `${home}/${USER_OPTIONS}`, options];
  const ofFiles = files.flatMap((path) => (path == null ? [] : optionsOf(path, machine)));
  return [...ofFiles, ...sort([...pppdArgumentsOf(ppp), ...args], machine, [])];
}

export const has = (options: readonly PppdOption[], name: string): boolean =>
  options.some((option) => option.name === name);

/** The value of the last option of that name; null if there is none. */
export const valueOf = (options: readonly PppdOption[], name: string): string | null =>
  options.findLast((option) => option.name === name)?.value ?? null;

const REQUIRES_MPPE = /^(?:require-|\+)mppe(?:-40|-128)?$/;

/** The option that requires MPPE; null if none does. Of contradicting options the last one counts. */
export function requiredMppe(options: readonly PppdOption[]): string | null {
  const last = options.findLast(({ name }) => REQUIRES_MPPE.test(name) || name === 'nomppe' || name === '-mppe');
  return last !== undefined && REQUIRES_MPPE.test(last.name) ? last.name : null;
}

/** Login methods, best first, as in the `require-` options. */
export const LOGIN_METHODS = ['mschap-v2', 'mschap', 'chap', 'eap', 'pap'] as const;

export type LoginMethod = (typeof LOGIN_METHODS)[number];

const REQUIRES_LOGIN = new RegExp(`^(?:require-|\\+)(${LOGIN_METHODS.join('|')})$`);

export type Login =
  /** Clients need not log in: `because` of "noauth", or null if no option requires it. */
  | { readonly required: false; readonly because: 'noauth' | null }
  /** Clients log in by one of `methods`; `options` are the ones that require it. */
  | { readonly required: true; readonly methods: readonly LoginMethod[]; readonly options: readonly string[] };

/** How clients must log in. "auth" alone accepts every method. */
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

/** pppd's own name, which it looks for in the second column of its secrets. */
export function serverName(options: readonly PppdOption[], machine: Machine): string {
  const host = machine.read('/proc/sys/kernel/hostname')?.trim() ?? '*';
  const domain = valueOf(options, 'domain') ?? '';
  const whole = domain === '' ? host : `${host}${domain.startsWith('.') ? '' : '.'}${domain}`;
  const named = has(options, 'usehostname') ? null : valueOf(options, 'name');
  return named === null || named === '' ? whole : named;
}
