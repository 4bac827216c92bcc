/**
 * Checks of pppd: the program, what its options ask for, and whom its secrets let in. Options are judged by pppd
 * itself (`dryrun`), which knows each of them; only what it takes, and what still keeps everybody out, is looked at here.
 */
import type { Configuration } from '../config/schema.js';
import { bad, type Check, good, type Outcome } from './check.js';
import type { Machine } from './machine.js';
import { optionsArguments, PEERS } from '../host/pppd-options.js';
import { wordLines } from './pppd-words.js';
import { missing } from '../host/identity.js';
import { identityOf } from './privilege-checks.js';

/** pppd reads it first, whatever else it is given. */
const SYSTEM_OPTIONS = '/etc/ppp/options';

/** pppd's exit code for options that it does not take (pppd(8), EXIT STATUS). */
const EXIT_OPTION_ERROR = 2;

/** The version of `pppd.path`, or null when that is no pppd: another program on the pty may not need the kernel's PPP. */
export async function pppdVersion({ pppd: { path } }: Configuration, machine: Machine): Promise<string | null> {
  const { output } = await machine.run(path, ['--version']);
  return /pppd version (\S+)/.exec(output)?.[1] ?? null;
}

/** The words of an options file, and of those that it names by `file` or `call`. */
function wordsOf(path: string, machine: Machine, within: readonly string[] = []): string[] {
  if (within.includes(path)) return [];
  return wordLines(machine.read(path) ?? '').flatMap(([first = '', next = '', ...rest]) => {
    const named = first === 'file' ? next : first === 'call' ? PEERS + next : null;
    return named === null
      ? [first, ...(next === '' ? [] : [next]), ...rest]
      : [...wordsOf(named, machine, [...within, path]), ...rest];
  });
}

/** All words that pppd is given as options: the system's file, ours, and `pppd.args`. */
export function effectiveOptions({ pppd: { options, args } }: Configuration, machine: Machine): string[] {
  const files = [SYSTEM_OPTIONS, ...(options === undefined ? [] : [options])];
  return [...files.flatMap((path) => wordsOf(path, machine)), ...args];
}

export const requiresMppe = (words: readonly string[]): boolean =>
  words.some((word) => /^(?:require-mppe(?:-40|-128)?|\+mppe(?:-40|-128)?)$/.test(word));

/** Why a pppd that is not started by root cannot be root all the same; null when it can. */
function notSetUid({ pppd: { path } }: Configuration, machine: Machine): Outcome | null {
  const { uid, bounding, noNewPrivileges } = identityOf(machine);
  if (uid === 0) return null;
  if (((machine.mode(path) ?? 0) & 0o4000) === 0) {
    return bad(
      `${path} is not set-uid root, and the server is not root`,
      `chown root:dip ${path} && chmod 4754 ${path}, or run the server as root, without "user"`,
    );
  }
  if (noNewPrivileges) {
    return bad(
      `${path} cannot become root: whoever started the server has forbidden new privileges`,
      'NoNewPrivileges=no in its unit; a container without --security-opt no-new-privileges',
    );
  }
  const lacking = missing(bounding, ['NET_ADMIN', 'DAC_OVERRIDE', 'SETUID', 'SETGID']).map((name) => `CAP_${name}`);
  if (lacking.length === 0) return null;
  return bad(
    `${path} cannot get ${lacking.join(', ')}: the bounding set has no such capability`,
    'CapabilityBoundingSet= in its unit, or --cap-add of the container',
  );
}

export const pppd: Check = {
  name: 'pppd',
  fatal: true,
  follows: 'privileges',
  async run(configuration, machine) {
    const { path } = configuration.pppd;
    if (!machine.isExecutable(path)) {
      const isThere = machine.mode(path) !== null;
      if (isThere && configuration.user !== undefined) {
        return bad(`${configuration.user} may not run ${path}`, `adduser ${configuration.user} dip`);
      }
      return bad(
        `${path} is missing or not executable`,
        path === '/usr/sbin/pppd' ? 'apt-get install ppp' : 'put it there, or name another program in pppd.path',
      );
    }
    const version = await pppdVersion(configuration, machine);
    if (version === null) return good(`${path} (not a pppd: it is taken to speak PPP by itself)`);
    return notSetUid(configuration, machine) ?? good(`${path}, version ${version}`);
  },
};

export const optionsFile: Check = {
  name: 'options file',
  fatal: true,
  follows: 'pppd',
  async run(configuration, machine) {
    const { path, options, args } = configuration.pppd;
    if (options !== undefined && machine.read(options) === null) {
      return bad(
        `${options} (pppd.options) is missing or cannot be read`,
        `cp scripts/etc/options.pptpd ${options}, or name another file`,
      );
    }
    const named = options ?? `none named (pppd's own ${SYSTEM_OPTIONS} holds)`;
    if ((await pppdVersion(configuration, machine)) === null) return good(named);
    const file = optionsArguments(options);
    const trial = await machine.run(path, ['dryrun', 'notty', 'nodetach', ...file, ...args]);
    if (trial.code === EXIT_OPTION_ERROR) {
      const words = trial.output.split('\n')[0]?.replace(/^\S*pppd: /, '') ?? '';
      if (options !== undefined && !options.startsWith(PEERS) && identityOf(machine).uid !== 0) {
        return bad(
          `pppd does not take ${options} from a server that is not root: ${words}`,
          `echo 'file ${options}' > ${PEERS}pptpd-ts, and "options": "${PEERS}pptpd-ts"`,
        );
      }
      return bad(
        `pppd does not take its options: ${words}`,
        `correct them, and try: ${[path, 'dryrun', 'notty', ...file, ...args].join(' ')}`,
      );
    }
    const words = effectiveOptions(configuration, machine);
    if (requiresMppe(words) && !words.some((word) => /^(?:require|\+)-?mschap(?:-v2)?$/.test(word))) {
      return bad(
        `${named} requires MPPE without MS-CHAP, which makes its keys: nobody gets in`,
        `add a line "require-mschap-v2" to ${options ?? SYSTEM_OPTIONS}`,
      );
    }
    if (words.includes('silent')) {
      return bad(
        "pppd's options say silent: pppd waits for the client, which waits for us, and nobody gets in",
        `take "silent" out of ${options ?? SYSTEM_OPTIONS} (and ${SYSTEM_OPTIONS})`,
      );
    }
    return good(named);
  },
};

/** The options that make a client log in. */
const REQUIRES_LOGIN = /^(?:auth|require-(?:pap|chap|mschap|mschap-v2|eap)|\+(?:pap|chap|mschap|mschap-v2|eap))$/;

/** Plugins of pppd that ask another place for users. */
const USER_PLUGIN = /(?:^|\/)(radius|winbind)\.so$/;

export const authentication: Check = {
  name: 'authentication',
  fatal: false,
  follows: 'options file',
  run(configuration, machine) {
    const words = effectiveOptions(configuration, machine);
    const required = words.filter((word) => REQUIRES_LOGIN.test(word));
    if (words.lastIndexOf('noauth') > words.findLastIndex((word) => REQUIRES_LOGIN.test(word))) {
      return bad("pppd's options say noauth: clients get in without a password", 'take "noauth" out of them');
    }
    if (required.length === 0) {
      return bad(
        "pppd's options require no authentication: clients may get in without a password",
        `add a line "require-mschap-v2" to ${configuration.pppd.options ?? SYSTEM_OPTIONS}`,
      );
    }
    return good([...new Set(required)].join(', '));
  },
};

export const secrets: Check = {
  name: 'secrets',
  fatal: false,
  follows: 'options file',
  run(configuration, machine) {
    const words = effectiveOptions(configuration, machine);
    const plugin = words.flatMap((word) => USER_PLUGIN.exec(word)?.[1] ?? [])[0];
    if (plugin !== undefined) return good(`none needed: users come from pppd's plugin ${plugin}.so`);
    const path = onlyPap(words) ? '/etc/ppp/pap-secrets' : '/etc/ppp/chap-secrets';
    const server = serverName(words, machine);
    const remedy = `echo 'USER ${server} "PASSWORD" *' >> ${path}`;
    const text = machine.read(path);
    if (text === null && machine.mode(path) !== null && identityOf(machine).uid !== 0) {
      return good(`${path}: only root can look into it`);
    }
    if (text === null) return bad(`${path} is missing or cannot be read: nobody can log in`, remedy);
    if (((machine.mode(path) ?? 0) & 0o077) !== 0) return bad(`${path} can be read by others`, `chmod 600 ${path}`);
    const entries = wordLines(text).filter((line) => line.length >= 3);
    if (entries.length === 0) return bad(`${path} names no user: nobody can log in`, remedy);
    const usable = entries.filter(([, of]) => of === '*' || of === server);
    if (usable.length > 0) return good(`${path}, ${usable.length} ${usable.length === 1 ? 'user' : 'users'}`);
    const others = [...new Set(entries.map(([, of]) => `"${of}"`))].slice(0, 3).join(', ');
    return bad(
      `${path} has no user of the server "${server}" (pppd's option "name"), only of ${others}: nobody can log in`,
      `put "${server}" or * into the second column of ${path}`,
    );
  },
};

const onlyPap = (words: readonly string[]): boolean =>
  words.some((word) => word === 'require-pap' || word === '+pap') &&
  !words.some((word) => /^(?:require-|\+)(?:ms)?chap/.test(word));

/** What pppd calls itself, and looks for in the second column of its secrets: option `name`, else the host's name. */
function serverName(words: readonly string[], machine: Machine): string {
  const named = words.findLast((_word, index) => words[index - 1] === 'name');
  return named ?? machine.read('/proc/sys/kernel/hostname')?.trim() ?? '*';
}
