/**
 * The section `ppp` for either engine: the builtin engine's settings with every default, or the arguments that pppd is
 * given for the keys that are written.
 */
import { MPPE_KEYS } from '../accounts/pppd-login.js';
import type { Configuration } from './schema.js';
import type { AuthenticationMethod } from './schema/ppp.js';

type Ppp = Configuration['ppp'];

/** The keys that both engines know, with the builtin engine's defaults. */
export type PppSettings = {
  readonly [Key in Exclude<keyof Ppp, 'engine' | 'dataPath'>]-?: Exclude<Ppp[Key], undefined>;
};

const DEFAULTS: Omit<PppSettings, 'secrets'> = {
  name: 'pptpd',
  authentication: ['ms-chap-v2'],
  encryption: 'require',
  encryptionKeys: [128],
  statefulEncryption: false,
  stripDomain: false,
  dns: [],
  wins: [],
  mtu: 1400,
  mru: 1400,
  lcpEcho: { interval: 30, failures: 4 },
  ipv6: false,
  proxyArp: false,
};

export function pppSettings({ engine: _engine, dataPath: _dataPath, ...keys }: Ppp): PppSettings {
  const written = Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
  return { ...DEFAULTS, secrets: keys.secrets, ...written };
}

/** pppd(8) names login methods so. */
const PPPD_METHODS: Readonly<Record<AuthenticationMethod, string>> = {
  'ms-chap-v2': 'mschap-v2',
  'ms-chap': 'mschap',
  'chap-md5': 'chap',
  pap: 'pap',
};

type Shared = Exclude<keyof PppSettings, 'secrets' | 'encryptionKeys'>;

const authenticationArguments = (allowed: readonly AuthenticationMethod[]): string[] =>
  Object.entries(PPPD_METHODS).map(([method, name]) =>
    allowed.some((each) => each === method) ? `require-${name}` : `refuse-${name}`,
  );

/** MPPE comes alone: pppd must offer no other compression. */
const ENCRYPTED = ['nobsdcomp', 'nodeflate', 'novj', 'novjccomp'];

/**
 * pppd cannot prefer encryption: what it does not require it does not accept. Each length of keys by its own option, because
 * pppd 2.5 takes `require-mppe` as 40 bits only.
 */
function encryptionArguments(encryption: PppSettings['encryption'], { encryptionKeys }: Ppp): string[] {
  if (encryption !== 'require') return ['nomppe'];
  const { encryptionKeys: byDefault } = DEFAULTS;
  const keys = new Set(encryptionKeys ?? byDefault);
  return [...MPPE_KEYS.map((bits) => `${keys.has(bits) ? 'require-' : 'no'}mppe-${bits}`), ...ENCRYPTED];
}

const PPPD_ARGUMENTS: { readonly [Key in Shared]: (value: PppSettings[Key], ppp: Ppp) => readonly string[] } = {
  name: (name) => ['name', name],
  authentication: authenticationArguments,
  encryption: encryptionArguments,
  statefulEncryption: (isAllowed) => [isAllowed ? 'mppe-stateful' : 'nomppe-stateful'],
  stripDomain: (isStripped) => (isStripped ? ['chapms-strip-domain'] : []),
  dns: (servers) => servers.flatMap((server) => ['ms-dns', server]),
  wins: (servers) => servers.flatMap((server) => ['ms-wins', server]),
  mtu: (octets) => ['mtu', String(octets)],
  mru: (octets) => ['mru', String(octets)],
  lcpEcho: ({ interval, failures }) => ['lcp-echo-interval', String(interval), 'lcp-echo-failure', String(failures)],
  ipv6: (isWanted) => [isWanted ? '+ipv6' : 'noipv6'],
  proxyArp: (isWanted) => [isWanted ? 'proxyarp' : 'noproxyarp'],
};

/** pppd's arguments for the keys that are written; they stand after those of its options file, so that they win. */
export function pppdArgumentsOf(ppp: Ppp): string[] {
  return (Object.keys(PPPD_ARGUMENTS) as Shared[]).flatMap((key) => {
    const value = ppp[key];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key picks the function of this very value
    return value === undefined
      ? []
      : (PPPD_ARGUMENTS[key] as (value: unknown, ppp: Ppp) => readonly string[])(value, ppp);
  });
}
