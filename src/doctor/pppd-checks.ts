/**
 * Checks of pppd: the program, and what its options ask for. Options are judged by pppd itself (`dryrun`), which knows each
 * of them; only what it takes, and what still keeps everybody out or lets everybody in, is looked at here.
 */
import type { Configuration } from '../config/schema.js';
import { bad, type Check, good, type Outcome } from './check.js';
import {
  effectiveOptions,
  has,
  type LoginMethod,
  requiredLogin,
  requiredMppe,
  SYSTEM_OPTIONS,
} from './effective-options.js';
import type { Machine } from './machine.js';
import { EXIT, pppdVersion, trial } from './pppd-program.js';
import { optionsArguments, PEERS } from '../host/pppd-options.js';
import { type Capability, missing } from '../host/identity.js';
import { identityOf } from './privilege-checks.js';

/** Without them pppd reaches neither the kernel's PPP nor the terminal, which is its user's. */
const NEEDED_BY_PPPD: readonly Capability[] = ['NET_ADMIN', 'DAC_OVERRIDE'];

/** The options file that a server of this project starts with. */
const STARTER_OPTIONS = 'scripts/etc/options.pptpd';

/** Why a pppd that is not started by root cannot be root all the same; null when it can. */
async function notSetUid(configuration: Configuration, machine: Machine): Promise<Outcome | null> {
  const { path } = configuration.pppd;
  const { uid, bounding, noNewPrivileges } = identityOf(machine);
  if (uid === 0) return null;
  const lacking = missing(bounding, NEEDED_BY_PPPD).map((name) => `CAP_${name}`);
  if (lacking.length > 0) {
    return bad(
      `${path} cannot get ${lacking.join(', ')}: the bounding set has no such capability`,
      'CapabilityBoundingSet= in its unit, or --cap-add of the container',
    );
  }
  // The file's own bits do not tell: `path` may be a script that calls pppd.
  const { code } = await trial(configuration, machine);
  if (code !== EXIT.notRoot) return null;
  return noNewPrivileges
    ? bad(
        `${path} cannot become root: whoever started the server has forbidden new privileges`,
        'NoNewPrivileges=no in its unit; a container without --security-opt no-new-privileges',
      )
    : bad(
        `${path} is not set-uid root, and the server is not root`,
        `chown root:dip ${path} && chmod 4754 ${path}, or run the server as root, without "user"`,
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
    return (await notSetUid(configuration, machine)) ?? good(`${path}, version ${version}`);
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
        `cp ${STARTER_OPTIONS} ${options}, or name another file`,
      );
    }
    const named = options ?? `none named (pppd's own ${SYSTEM_OPTIONS} holds)`;
    if ((await pppdVersion(configuration, machine)) === null) return good(named);
    const tried = await trial(configuration, machine);
    if (tried.code === EXIT.optionError) {
      const words = tried.output.split('\n')[0]?.replace(/^\S*pppd: /, '') ?? '';
      if (options !== undefined && !options.startsWith(PEERS) && identityOf(machine).uid !== 0) {
        return bad(
          `pppd does not take ${options} from a server that is not root: ${words}`,
          `echo 'file ${options}' > ${PEERS}pptpd-ts, and "options": "${PEERS}pptpd-ts"`,
        );
      }
      return bad(
        `pppd does not take its options: ${words}`,
        `correct them, and try: ${[path, 'dryrun', 'notty', ...optionsArguments(options), ...args].join(' ')}`,
      );
    }
    if (has(effectiveOptions(configuration, machine), 'silent')) {
      return bad(
        "pppd's options say silent: pppd waits for the client, which waits for us, and nobody gets in",
        `take "silent" out of ${options ?? SYSTEM_OPTIONS} (and ${SYSTEM_OPTIONS})`,
      );
    }
    return good(named);
  },
};

/** Logins from which MPPE can take its keys. */
const MAKES_KEYS: ReadonlySet<LoginMethod> = new Set(['mschap-v2', 'mschap']);

/** How clients log in, and whether what they send is encrypted: the starter file requires MS-CHAPv2 and MPPE. */
export const authentication: Check = {
  name: 'authentication',
  fatal: false,
  follows: 'options file',
  isLogged: true,
  async run(configuration, machine) {
    const { options: file } = configuration.pppd;
    if ((await pppdVersion(configuration, machine)) === null) return good('left to this program, which is no pppd');
    const options = effectiveOptions(configuration, machine);
    const mppe = requiredMppe(options);
    const login = requiredLogin(options);
    const add = (...lines: readonly string[]): string =>
      file === undefined
        ? `cp ${STARTER_OPTIONS} /etc/ppp/options.pptpd, and "pppd": { "options": "/etc/ppp/options.pptpd" } in the configuration`
        : `add ${lines.map((line) => `a line "${line}"`).join(' and ')} to ${file} (see ${STARTER_OPTIONS})`;
    if (!login.required && mppe !== null) {
      return bad(
        `pppd's options say ${mppe}, whose keys come from MS-CHAP, and require no login: only a client that makes the server log in by MS-CHAP gets in`,
        add('require-mschap-v2'),
      );
    }
    if (!login.required && login.because !== null) {
      return bad("pppd's options say noauth: clients get in without a password", 'take "noauth" out of them');
    }
    if (!login.required) {
      return bad(
        "pppd's options require no authentication: clients may get in without a password",
        add('require-mschap-v2', 'require-mppe-128'),
      );
    }
    const said = login.options.join(', ');
    if (mppe !== null && login.methods.every((method) => !MAKES_KEYS.has(method))) {
      return bad(
        `pppd's options say ${mppe}, whose keys come from MS-CHAP, and ${said}: only a client that makes the server log in by MS-CHAP gets in`,
        add('require-mschap-v2'),
      );
    }
    if (mppe !== null && login.methods.some((method) => !MAKES_KEYS.has(method))) {
      return bad(
        `pppd's options say ${mppe}, whose keys come from MS-CHAP, and accept other logins too (${said}): a client that uses one of those is refused after it`,
        add('require-mschap-v2'),
      );
    }
    if (mppe === null && login.methods.some((method) => method !== 'mschap-v2')) {
      const weak = login.methods.includes('pap')
        ? 'send their password and everything else in plain text'
        : 'log in by a weaker method and send everything in plain text';
      return bad(
        `pppd's options (${said}) require neither MS-CHAPv2 nor MPPE: clients may ${weak}`,
        add('require-mschap-v2', 'require-mppe-128'),
      );
    }
    return good(`${said}, ${mppe ?? 'encryption is not required'}`);
  },
};
