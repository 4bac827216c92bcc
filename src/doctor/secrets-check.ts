/** The checks of the secrets files: who can log in, with which addresses, and which lines are wrong. */
import { addressList, addressNumber } from '../config/addresses.js';
import { pppSettings } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { bad, type Check, good, type Outcome } from './check.js';
import { requiredLogin } from '../accounts/pppd-login.js';
import { has, type PppdOption, valueOf } from '../accounts/pppd-option-table.js';
import { effectiveOptions, serverName } from './effective-options.js';
import type { Machine } from './machine.js';
import { EXIT, pppdVersion, trial, wordsOfTrial } from './pppd-program.js';
import { identityOf } from './privilege-checks.js';
import { examine, type Finding, type SecretsFile, type SecretsReport } from './secret-findings.js';

/** Plugins of pppd that look up users elsewhere. */
const USER_PLUGIN = /(?:^|\/)(radius|winbind)\.so$/;

/** Maximum number of findings that are shown. */
const MAX_FINDINGS = 20;

/** The secrets files. In pppd 2.5 options can name others. */
const FILES = [
  { kind: 'chap', option: 'chap-secrets', path: '/etc/ppp/chap-secrets' },
  { kind: 'pap', option: 'pap-secrets', path: '/etc/ppp/pap-secrets' },
] as const;

export const secrets: Check = {
  name: 'secrets',
  fatal: false,
  engine: 'pppd',
  follows: 'options file',
  async run(configuration, machine) {
    if ((await pppdVersion(configuration, machine)) === null) return good('not checked: this program is not pppd');
    const options = effectiveOptions(configuration, machine);
    const plugins = options.flatMap(({ name, value }) => (name === 'plugin' ? (value ?? '') : []));
    const plugin = plugins.flatMap((path) => USER_PLUGIN.exec(path)?.[1] ?? [])[0];
    if (plugin !== undefined) return good(`none needed: users come from pppd's plugin ${plugin}.so`);

    const outcomes = filesInForce(options, machine).flatMap((file) => lookInto(file, configuration, machine));
    if (outcomes.some(({ ok }) => !ok)) return outcomes;
    const tried = await trial(configuration, machine);
    return tried.code === EXIT.fatal
      ? bad(`pppd does not start, and nobody can log in: ${wordsOfTrial(tried)}`, 'correct what pppd reports')
      : outcomes;
  },
};

/** The monitor reads the file as pppd does, for every login method. */
export const builtinSecrets: Check = {
  name: 'secrets',
  fatal: false,
  engine: 'builtin',
  run(configuration, machine) {
    const { name, secrets: path } = pppSettings(configuration.ppp);
    const file = {
      engine: 'builtin',
      kind: 'chap',
      path,
      isSpare: false,
      server: name,
      namedBy: 'ppp.name',
      hasLogin: false,
    } as const;
    return lookInto(file, configuration, machine);
  },
};

interface FileInForce {
  readonly engine: SecretsFile['engine'];
  readonly kind: SecretsFile['kind'];
  readonly path: string;
  /** All users may be in the other file, so it is no error if this one has no users of this server. */
  readonly isSpare: boolean;
  /** The server's name, and what sets it. */
  readonly server: string;
  readonly namedBy: string;
  /** PAP uses the passwords of the system (pppd's option `login`). */
  readonly hasLogin: boolean;
}

function filesInForce(options: readonly PppdOption[], machine: Machine): readonly FileInForce[] {
  const login = requiredLogin(options);
  const methods = login.required ? login.methods : (['chap'] as const);
  const takesPap = methods.some((method) => method === 'pap');
  const takesChap = methods.some((method) => method !== 'pap');
  return FILES.filter(({ kind }) => (kind === 'pap' ? takesPap : takesChap)).map(({ kind, option, path }) => ({
    engine: 'pppd',
    kind,
    path: valueOf(options, option) ?? path,
    isSpare: kind === 'pap' && takesChap,
    server: serverName(options, machine),
    namedBy: 'pppd\'s option "name", or ppp.name',
    hasLogin: has(options, 'login'),
  }));
}

function lookInto(
  { engine, kind, path, isSpare, server, namedBy, hasLogin }: FileInForce,
  configuration: Configuration,
  machine: Machine,
): readonly Outcome[] {
  const text = machine.read(path);
  if (text === null && machine.mode(path) !== null && identityOf(machine).uid !== 0) {
    return [good(`${path}: only root can read it`)];
  }
  // Without a line end at its end the new line would be appended to the last one.
  const remedy = `${text === null || text === '' || text.endsWith('\n') ? '' : `echo >> ${path}; `}echo 'USER ${server} "PASSWORD" *' >> ${path}`;
  if (text === null) return isSpare ? [] : [bad(`${path} is missing or cannot be read: nobody can log in`, remedy)];
  const obstacle = unreadable(text);
  if (obstacle !== null)
    return [bad(`${path} ${obstacle}`, `save ${path} as plain text in UTF-8, with LF as line ends`)];

  const { addresses } = configuration;
  const report = examine({
    path,
    text,
    engine,
    kind,
    server,
    pool: addresses.delegate ? null : numbers(addresses.remote),
    local: numbers(addresses.local),
    hasLogin,
    readSecret: (name) => machine.read(name),
  });
  if (isSpare && report.entries === 0) return [];
  const isOpen = ((machine.mode(path) ?? 0) & 0o077) !== 0;
  return [
    ...summary(path, { server, namedBy }, report, remedy),
    ...(isOpen ? [bad(`${path} can be read by others`, `chmod 600 ${path}`)] : []),
    ...report.findings.slice(0, MAX_FINDINGS).map((finding) => ofLine(path, finding)),
    ...(report.findings.length > MAX_FINDINGS
      ? [bad(`${path}: ${report.findings.length - MAX_FINDINGS} more lines like these`, 'correct these first')]
      : []),
  ];
}

const numbers = (ranges: Configuration['addresses']['remote']): readonly number[] =>
  addressList(ranges).map((address) => addressNumber(address) ?? 0);

/** Why the text cannot be read at all; null if it can. */
function unreadable(text: string): string | null {
  if (text.includes('\0')) return 'has null bytes (UTF-16?): the server finds no name in it, and nobody can log in';
  return text.includes('\r') && !text.includes('\n') ? 'has CR as line ends: the server reads it as one line' : null;
}

function summary(
  path: string,
  { server, namedBy }: Pick<FileInForce, 'server' | 'namedBy'>,
  report: SecretsReport,
  remedy: string,
): readonly Outcome[] {
  const { users, entries, otherEntries, fixedInPool, findings } = report;
  if (users > 0)
    return [good(`${path}, ${users} ${users === 1 ? 'user' : 'users'}`), ...lentToOthers(path, fixedInPool)];
  // The findings say why.
  if (findings.length > 0) return [];
  if (entries > 0)
    return [bad(`${path} lets no user have an IP address: nobody can log in`, 'write * into its fourth column')];
  if (otherEntries === 0) return [bad(`${path} names no user: nobody can log in`, remedy)];
  return [
    bad(
      `${path} has no user of the server "${server}" (${namedBy}), only of others: nobody can log in`,
      `put "${server}" or * into the second column of ${path}`,
    ),
  ];
}

/** The server never lends an address in use, but pppd gives a user a fixed address even if another client holds it. */
function lentToOthers(path: string, fixed: SecretsReport['fixedInPool']): readonly Outcome[] {
  if (fixed.length === 0) return [];
  const some = fixed.slice(0, MAX_FINDINGS).map(({ user, address }) => `"${user}" ${address}`);
  const all = some.join(', ') + (fixed.length > some.length ? ', …' : '');
  return [
    bad(
      `${path}: fixed addresses lie inside addresses.remote (${all}): such an address works unless another client holds it when its user connects`,
      'remove them from addresses.remote',
    ),
  ];
}

const ofLine = (path: string, { line, problem, remedy }: Finding): Outcome =>
  bad(`${path}:${line}: ${problem}`, remedy);
