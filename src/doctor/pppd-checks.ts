/**
 * Checks of pppd and its options. pppd itself checks its options (`dryrun`); the checks here find valid options that keep
 * everybody out or let everybody in.
 */
import { pppdArgumentsOf } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { bad, type Check, good, type Outcome } from './check.js';
import {
  allowedMppeKeys,
  keysOfRequireMppe,
  type LoginMethod,
  MPPE_KEYS,
  requiredLogin,
  requiredMppe,
} from '../accounts/pppd-login.js';
import { has } from '../accounts/pppd-option-table.js';
import { effectiveOptions } from './effective-options.js';
import type { Machine } from './machine.js';
import { EXIT, pppdVersion, trial } from './pppd-program.js';
import { optionsArguments, PEERS, SYSTEM_OPTIONS } from '../accounts/pppd-options-file.js';
import { type Capability, missing } from '../host/identity.js';
import { identityOf } from './privilege-checks.js';

/** pppd needs them to open the kernel's PPP device, and the terminal, which belongs to its user. */
const NEEDED_BY_PPPD: readonly Capability[] = ['NET_ADMIN', 'DAC_OVERRIDE'];

/** Why pppd cannot become root although the server is not root; null if it can. */
async function notSetUid(configuration: Configuration, machine: Machine): Promise<Outcome | null> {
  const { path } = configuration.pppd;
  const { uid, bounding, noNewPrivileges } = identityOf(machine);
  if (uid === 0) return null;
  const lacking = missing(bounding, NEEDED_BY_PPPD).map((name) => `CAP_${name}`);
  if (lacking.length > 0) {
    return bad(
      `${path} cannot get ${lacking.join(', ')}: the bounding set has no such capability`,
      'add what is missing to CapabilityBoundingSet= of its unit, or start the container with --cap-add',
    );
  }
  // The set-uid bit of the file does not tell: `path` may be a script that calls pppd.
  const { code } = await trial(configuration, machine);
  if (code !== EXIT.notRoot) return null;
  return noNewPrivileges
    ? bad(
        `${path} cannot become root: the server was started with new privileges forbidden`,
        'set NoNewPrivileges=no in its unit, or start the container without --security-opt no-new-privileges',
      )
    : bad(
        `${path} is not set-uid root, and the server is not root`,
        `chown root:dip ${path} && chmod 4754 ${path}, or run the server as root, without "user"`,
      );
}

export const pppd: Check = {
  name: 'pppd',
  fatal: true,
  engine: 'pppd',
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
        path === '/usr/sbin/pppd' ? 'apt-get install ppp' : 'install it, or name another program in pppd.path',
      );
    }
    const version = await pppdVersion(configuration, machine);
    if (version === null) return good(`${path} (not pppd: it is expected to speak PPP itself)`);
    return (await notSetUid(configuration, machine)) ?? good(`${path}, version ${version}`);
  },
};

export const optionsFile: Check = {
  name: 'options file',
  fatal: true,
  engine: 'pppd',
  follows: 'pppd',
  async run(configuration, machine) {
    const { ppp } = configuration;
    const { path, options, args } = configuration.pppd;
    if (options !== undefined && machine.read(options) === null) {
      return bad(
        `${options} (pppd.options) is missing or cannot be read`,
        'write it, or remove pppd.options from the configuration: the section "ppp" needs no file',
      );
    }
    const named = options ?? `none configured (pppd reads ${SYSTEM_OPTIONS})`;
    if ((await pppdVersion(configuration, machine)) === null) return good(named);
    const tried = await trial(configuration, machine);
    if (tried.code === EXIT.optionError) {
      const words = tried.output.split('\n')[0]?.replace(/^\S*pppd: /, '') ?? '';
      if (ppp.name !== undefined && identityOf(machine).uid !== 0) {
        return bad(
          `pppd does not accept ppp.name from a server that is not root: ${words}`,
          `remove ppp.name, echo 'name ${ppp.name}' >> ${options?.startsWith(PEERS) === true ? options : `${PEERS}pptpd-ts`}, and write "pppd": { "options": "${PEERS}pptpd-ts" } into the configuration`,
        );
      }
      if (options !== undefined && !options.startsWith(PEERS) && identityOf(machine).uid !== 0) {
        return bad(
          `pppd does not accept ${options} from a server that is not root: ${words}`,
          `echo 'file ${options}' > ${PEERS}pptpd-ts, and write "options": "${PEERS}pptpd-ts" into the configuration`,
        );
      }
      return bad(
        `pppd does not accept its options: ${words}`,
        `correct them, and check them by: ${[path, 'dryrun', 'notty', ...optionsArguments(options), ...pppdArgumentsOf(ppp), ...args].join(' ')}`,
      );
    }
    if (has(effectiveOptions(configuration, machine), 'silent')) {
      return bad(
        "pppd's options say silent: pppd waits for the client, the client waits for pppd, and nobody can log in",
        `remove "silent" from ${options ?? SYSTEM_OPTIONS} (and ${SYSTEM_OPTIONS})`,
      );
    }
    return good(named);
  },
};

/** Login methods that produce keys for MPPE. */
const MAKES_KEYS: ReadonlySet<LoginMethod> = new Set(['mschap-v2', 'mschap']);

/** The section `ppp` comes after the options files, and pppd accepts what either requires. */
const REQUIRE_LOGIN = 'set "authentication": ["ms-chap-v2"] in the section "ppp"';
const REQUIRE_BOTH = 'set "authentication": ["ms-chap-v2"] and "encryption": "require" in the section "ppp"';

/** How clients log in, and whether their data is encrypted. */
export const authentication: Check = {
  name: 'authentication',
  fatal: false,
  engine: 'pppd',
  follows: 'options file',
  isLogged: true,
  async run(configuration, machine) {
    const version = await pppdVersion(configuration, machine);
    if (version === null) return good('not checked: this program is not pppd');
    const options = effectiveOptions(configuration, machine);
    const mppe = requiredMppe(options);
    const login = requiredLogin(options);
    if (!login.required && mppe !== null) {
      return bad(
        `pppd's options say ${mppe}, whose keys come from MS-CHAP, and require no login: only a client that makes the server log in by MS-CHAP gets in`,
        REQUIRE_LOGIN,
      );
    }
    if (!login.required && login.because !== null) {
      return bad("pppd's options say noauth: clients get in without a password", 'remove "noauth" from them');
    }
    if (!login.required) {
      return bad("pppd's options require no authentication: clients may get in without a password", REQUIRE_BOTH);
    }
    const said = login.options.join(', ');
    if (mppe !== null && login.methods.every((method) => !MAKES_KEYS.has(method))) {
      return bad(
        `pppd's options say ${mppe}, whose keys come from MS-CHAP, and ${said}: only a client that makes the server log in by MS-CHAP gets in`,
        REQUIRE_LOGIN,
      );
    }
    if (mppe !== null && login.methods.some((method) => !MAKES_KEYS.has(method))) {
      return bad(
        `pppd's options say ${mppe}, whose keys come from MS-CHAP, and accept other logins too (${said}): a client that uses one of those is refused after the login`,
        REQUIRE_LOGIN,
      );
    }
    if (mppe === null && login.methods.some((method) => method !== 'mschap-v2')) {
      const weak = login.methods.includes('pap')
        ? 'send their password and everything else in plain text'
        : 'log in by a weaker method and send everything in plain text';
      return bad(`pppd's options (${said}) require neither MS-CHAPv2 nor MPPE: clients may ${weak}`, REQUIRE_BOTH);
    }
    const allows = (any: readonly number[]): boolean => allowedMppeKeys(options, any).has(128);
    if (allows(MPPE_KEYS) && !allows(keysOfRequireMppe(version))) {
      return bad(
        `pppd's options say require-mppe, which pppd ${version} takes as require-mppe-40: keys have 40 bits, and clients that demand 128 are refused`,
        'replace it by require-mppe-128 (and require-mppe-40 for clients that have no other)',
      );
    }
    return good(`${said}, ${mppe ?? 'encryption is not required'}`);
  },
};
