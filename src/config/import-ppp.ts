/**
 * Translates pppd's options into the section `ppp`, so that the builtin engine does with it what pppd does. The options
 * file stays in force for pppd. A remark names each line that the builtin engine has no counterpart for.
 */
import {
  allowedMppeKeys,
  LOGIN_METHODS,
  type LoginMethod,
  MPPE_KEYS,
  requiredLogin,
  requiredMppe,
} from '../accounts/pppd-login.js';
import { type FileOption, optionsOfFile, SYSTEM_OPTIONS } from '../accounts/pppd-options-file.js';
import { type Notes, quoted, type Source } from './import-notes.js';
import { checkConfiguration } from './load.js';
import { type AuthenticationMethod, makesKeys } from './schema/ppp.js';

/** The machine that pppd runs on. */
export interface PppdHost {
  readonly lookUp: (name: string) => string | null;
  /** The file's text; null if it cannot be read. */
  readonly read: (path: string) => string | null;
}

interface Translated {
  readonly value: unknown;
  /** The option that decides. */
  readonly from: FileOption;
}

type Options = readonly FileOption[];
type Translate = (options: Options, host: PppdHost) => Translated | null;

const lastOf = (options: Options, names: readonly string[]): FileOption | undefined =>
  options.findLast(({ name }) => names.includes(name));

/** Of the options that turn it on or off the last one counts. */
const flag =
  (on: readonly string[], off: readonly string[]): Translate =>
  (options) => {
    const from = lastOf(options, [...on, ...off]);
    return from === undefined ? null : { value: on.includes(from.name), from };
  };

const value =
  (name: string, convert: (text: string) => unknown = (text) => text): Translate =>
  (options) => {
    const from = lastOf(options, [name]);
    return from === undefined || from.value === null || from.value === '' ? null : { value: convert(from.value), from };
  };

/** pppd's numbers, as strtoul(3) reads them; other texts as they are, which no key of a number allows. */
function number(text: string): number | string {
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^(?:\d+|0[xX][0-9A-Fa-f]+)$/.test(text) ? Number(text) : text;
}

/** pppd takes the last two. A host name is looked up. */
const servers =
  (name: string): Translate =>
  (options, { lookUp }) => {
    const given = options.filter((option) => option.name === name).slice(-2);
    const from = given.at(-1);
    return from === undefined ? null : { value: given.map((each) => lookUp(each.value ?? '') ?? each.value), from };
  };

const METHODS: Readonly<Record<Exclude<LoginMethod, 'eap'>, AuthenticationMethod>> = {
  'mschap-v2': 'ms-chap-v2',
  mschap: 'ms-chap',
  chap: 'chap-md5',
  pap: 'pap',
};

/** The options that require a login by the method. */
const requires = (method: LoginMethod): readonly string[] => [`require-${method}`, `+${method}`];

/** The methods that options name; "auth" alone names none. With MPPE only those that make its keys come to an end. */
function authentication(options: Options): Translated | null {
  const login = requiredLogin(options);
  const from = lastOf(options, LOGIN_METHODS.flatMap(requires));
  if (!login.required || from === undefined) return null;
  const methods = login.methods.flatMap((method) => (method === 'eap' ? [] : METHODS[method]));
  const usable = requiredMppe(options) === null ? methods : methods.filter(makesKeys);
  return usable.length === 0 ? null : { value: usable, from };
}

const MPPE = /^(?:require-|\+)mppe(?:-40|-128)?$/;

/**
 * pppd encrypts only if an option requires it. Options of patched versions (`mppe required,no40`, `mppc`) say something else,
 * and with those nothing is written, so that the builtin engine's default holds: encryption is required.
 */
function encryption(options: Options): Translated | null {
  if (options.some(({ name }) => /mpp[ce]/i.test(name) && !WITHOUT_REMARK.has(name))) return null;
  const from = options.findLast(({ name }) => MPPE.test(name) || name === 'nomppe' || name === '-mppe') ?? options[0];
  return from === undefined ? null : { value: requiredMppe(options) === null ? 'none' : 'require', from };
}

/** Only other lengths than the default's. */
function encryptionKeys(options: Options): Translated | null {
  if (requiredMppe(options) === null) return null;
  const from = options.findLast(({ name }) => MPPE.test(name));
  const allowed = allowedMppeKeys(options, MPPE_KEYS);
  const left = MPPE_KEYS.filter((bits) => allowed.has(bits));
  return from === undefined || left.length === 0 || left.join() === '128' ? null : { value: left, from };
}

/** With an interval of 0 pppd sends no requests, and the number of failures means nothing. */
function lcpEcho(options: Options): Translated | null {
  const from = lastOf(options, ['lcp-echo-interval']);
  if (from === undefined) return null;
  const interval = number(from.value ?? '');
  const failures = number(lastOf(options, ['lcp-echo-failure'])?.value ?? '0');
  return { value: { interval, failures: interval === 0 ? 4 : failures }, from };
}

const TRANSLATED = {
  name: value('name'),
  authentication,
  encryption,
  encryptionKeys,
  statefulEncryption: flag(['mppe-stateful'], ['nomppe-stateful']),
  stripDomain: flag(['chapms-strip-domain'], []),
  dns: servers('ms-dns'),
  wins: servers('ms-wins'),
  mtu: value('mtu', number),
  mru: value('mru', number),
  lcpEcho,
  ipv6: flag(['+ipv6', 'ipv6'], ['noipv6', '-ipv6']),
  proxyArp: flag(['proxyarp'], ['noproxyarp', '-proxyarp']),
  secrets: value('chap-secrets'),
} as const satisfies Readonly<Record<string, Translate>>;

/**
 * No line of these needs a remark: they are translated, or turn something off that the builtin engine does not have, or
 * concern pppd's terminal, log and process.
 */
const WITHOUT_REMARK: ReadonlySet<string> = new Set(
  `name require-mschap-v2 +mschap-v2 require-mschap +mschap require-chap +chap require-pap +pap
  require-mppe +mppe require-mppe-40 +mppe-40 require-mppe-128 +mppe-128 nomppe -mppe nomppe-40 nomppe-128
  mppe-stateful nomppe-stateful chapms-strip-domain ms-dns ms-wins mtu mru lcp-echo-interval lcp-echo-failure +ipv6
  noipv6 -ipv6 proxyarp noproxyarp -proxyarp chap-secrets
  auth refuse-pap -pap refuse-chap -chap refuse-mschap -mschap refuse-mschap-v2 -mschap-v2 refuse-eap -eap
  nobsdcomp -bsdcomp nodeflate -deflate nopredictor1 -predictor1 novj -vj novjccomp -vjccomp nomultilink nomp noendpoint
  noipx -ipx nodefaultroute -defaultroute nodefaultroute6 noreplacedefaultroute noipdefault nopersist noktune
  asyncmap default-asyncmap -am -as escape receive-all crtscts -crtscts nocrtscts xonxoff cdtrcts nocdtrcts modem local
  lock nolock hide-password show-password debug nodebug dump kdebug logfile logfd nologfd nodetach -detach updetach
  default-mru -mn nomagic
  nopcomp -pc noaccomp -ac`.split(/\s+/),
);

/** What else to do than to leave it to pppd. */
const ADVICE: Readonly<Record<string, string>> = {
  plugin: 'the builtin engine loads no plugins, and its users are those of ppp.secrets',
  login: 'the builtin engine knows the passwords of ppp.secrets only',
  'pap-secrets': 'the builtin engine finds the users of every login method in ppp.secrets',
  noauth: 'the builtin engine lets nobody in without a login',
  'require-eap': 'the builtin engine does not know EAP',
  '+eap': 'the builtin engine does not know EAP',
  idle: 'policy.idleTime holds for both engines',
  maxconnect: 'policy.sessionTime holds for both engines',
  ipv6: 'the builtin engine chooses the interface identifiers itself',
  ipparam: 'the server passes another one after it (pppd.ipparam)',
};
/** The addresses of both ends. */
const ADDRESSES = /^[^/]*:[^/]*$/;

/** A speed, or the terminal itself: both are the server's to say. */
const OF_TERMINAL = /^(?:\d+|\/dev\/\S+|tty\S+)$/;

/** Puts the keys of `ppp` that stand for the options in `path`, which `source` names. */
export function carryPpp(
  path: string,
  source: Source,
  {
    host,
    notes,
    put,
  }: {
    readonly host: PppdHost;
    readonly notes: Notes;
    readonly put: (key: string, value: unknown, source: Source) => void;
  },
): void {
  if (host.read(path) === null) {
    notes.remark(
      source,
      `${path} cannot be read here: its options hold with pppd, the builtin engine uses its defaults`,
    );
    return;
  }
  // pppd reads the system's file first, and so its options count here too.
  const options = [SYSTEM_OPTIONS, path].flatMap((each) => optionsOfFile(each, host.read));
  const sources = new Map(
    options.map((option, index) => [
      option,
      // The remarks stand after those of the line that names the file.
      { text: `${option.path}:${option.line}`, line: source.line + (index + 1) / (options.length + 1) },
    ]),
  );
  const remark = (option: FileOption, text: string): void =>
    notes.remark(sources.get(option) ?? source, `${quoted(written(option))} holds with pppd only: ${text}`);

  for (const [key, translate] of Object.entries(TRANSLATED)) {
    const translated = translate(options, host);
    if (translated === null) continue;
    const checked = checkConfiguration({ ppp: { [key]: translated.value } });
    if (checked.ok) put(`ppp.${key}`, translated.value, sources.get(translated.from) ?? source);
    else remark(translated.from, checked.problems.map((problem) => `${problem.key}: ${problem.text}`).join('; '));
  }
  for (const option of options) {
    const { name } = option;
    if (!WITHOUT_REMARK.has(name) && !OF_TERMINAL.test(name)) remark(option, adviceOn(name));
  }
  remarkOnLogin(path, options, source, { notes, remark });
}

function adviceOn(name: string): string {
  if (ADDRESSES.test(name)) return 'the builtin engine takes the addresses of the section "addresses"';
  return ADVICE[name] ?? 'the builtin engine has no such option';
}

const written = ({ name, value: given }: FileOption): string => (given === null ? name : `${name} ${given}`);

/** What the builtin engine does otherwise than pppd with these options, although no line of them says so. */
function remarkOnLogin(
  path: string,
  options: Options,
  source: Source,
  { notes, remark }: { readonly notes: Notes; readonly remark: (option: FileOption, text: string) => void },
): void {
  if (lastOf(options, ['name']) === undefined) {
    notes.remark(
      source,
      `${path} sets no "name": pppd takes the host name for the second column of chap-secrets, the builtin engine "pptpd"; set ppp.name`,
    );
  }
  const named = lastOf(options, LOGIN_METHODS.flatMap(requires));
  if (named === undefined) {
    notes.remark(
      source,
      `${path} requires no certain login method, and pppd accepts any; the builtin engine accepts MS-CHAPv2 only; set ppp.authentication`,
    );
  }
  if (requiredMppe(options) === null) return;
  for (const method of ['chap', 'pap'] as const) {
    const option = lastOf(options, requires(method));
    if (option !== undefined) {
      remark(option, 'a client that logs in so is refused afterwards, because MPPE takes its keys from MS-CHAP');
    }
  }
}
