/** Checks of Node.js, the kernel, and the folders that the server writes to. */
import { dirname } from 'node:path';
import type { Configuration } from '../config/schema.js';
import { READ_ONLY } from '../host/folder.js';
import { NATIVE_MODULES, nativeProblem, nativeRemedy } from '../host/native-modules.js';
import { UNNAMED_USER } from '../host/unix-user.js';
import { bad, type Check, doubt, good, type Outcome } from './check.js';
import { canLoad } from './kernel-modules.js';
import type { Machine } from './machine.js';
import { requiredMppe } from '../accounts/pppd-login.js';
import { effectiveOptions } from './effective-options.js';
import { pppdVersion } from './pppd-program.js';
import { identityOf } from './privilege-checks.js';

/** The oldest Node.js that this program is tested with (package.json, engines). 20.0 works too, 18 does not. */
const OLDEST_NODE = { major: 20, minor: 11 } as const;
/** As scripts/setup recommends. */
const RECOMMENDED_NODE = 24;

export const node: Check = {
  name: 'Node.js',
  fatal: true,
  run(_configuration, { node: { version, arch } }) {
    const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
    if (major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor)) {
      return good(`${version} for ${arch}`);
    }
    const oldest = `${OLDEST_NODE.major}.${OLDEST_NODE.minor}`;
    return major < OLDEST_NODE.major
      ? bad(`${version} is too old; this program needs ${oldest} or newer`, `install Node.js ${RECOMMENDED_NODE}`)
      : doubt(
          `${version} is older than the versions that this program is tested with`,
          `install Node.js ${RECOMMENDED_NODE}`,
        );
  },
};

/** Without them no worker can serve a client. */
export const nativeModules: Check = {
  name: 'native modules',
  fatal: true,
  follows: 'Node.js',
  async run(_configuration, machine) {
    for (const name of NATIVE_MODULES) {
      const failure = await machine.loadModule(name);
      if (failure !== null) return bad(nativeProblem(name, failure), nativeRemedy());
    }
    return good(`${NATIVE_MODULES.join(', ')} load`);
  },
};

const loadable = (module: string, known: boolean | null): string =>
  known === null ? `it is unknown whether ${module} can be loaded` : `${module} can be loaded`;

const NO_PPP_REMEDY =
  'boot a kernel with CONFIG_PPP, CONFIG_PPP_ASYNC and CONFIG_PPP_MPPE (Debian: linux-image-amd64), or let the server speak PPP itself: "ppp": { "engine": "builtin" }';

/**
 * pppd needs the device /dev/ppp (ppp_generic) and the PPP line discipline for a pty (ppp_async). The kernel loads both on
 * demand, so it is enough that they can be loaded.
 */
export const kernelPpp: Check = {
  name: 'kernel PPP',
  fatal: true,
  engine: 'pppd',
  follows: 'pppd',
  async run(configuration, machine) {
    if ((await pppdVersion(configuration, machine)) === null) return good('not needed by this program');
    const answer = machine.openDevice('/dev/ppp');
    // Only root may open it, and pppd is root whoever starts it.
    const isPppds = answer === 'EACCES' && identityOf(machine).uid !== 0;
    const refusal = isPppds ? null : answer;
    const opens = isPppds ? '/dev/ppp is there' : '/dev/ppp opens';
    if (refusal === 'EPERM' || refusal === 'EACCES') {
      return bad(
        'permission to open /dev/ppp is denied',
        'run it as root; start a container with --device /dev/ppp --cap-add NET_ADMIN',
      );
    }
    const isLoaded = / ppp$/m.test(machine.read('/proc/misc') ?? '');
    if (refusal !== null && !isLoaded && (await canLoad('ppp_generic', machine)) !== true) {
      return bad('this kernel has no PPP: no /dev/ppp, and no module ppp_generic', NO_PPP_REMEDY);
    }
    if (refusal !== null) {
      const what = refusal === 'ENOENT' ? '/dev/ppp is missing' : `/dev/ppp cannot be opened (${refusal})`;
      return bad(what, 'modprobe -a ppp_generic ppp_async; if it stays missing: mknod -m 600 /dev/ppp c 108 0');
    }
    if (/^ppp\s/m.test(machine.read('/proc/tty/ldiscs') ?? '')) return good(`${opens}, ppp_async is loaded`);
    const known = await canLoad('ppp_async', machine);
    if (known === false) return bad('this kernel has no PPP for a pty: no module ppp_async', NO_PPP_REMEDY);
    return good(`${opens}, ${loadable('ppp_async', known)}`);
  },
};

/** Without it pppd exits at once if its options require encryption; otherwise some clients disconnect. */
export const mppe: Check = {
  name: 'MPPE',
  engine: 'pppd',
  fatal: (configuration, machine) => requiredMppe(effectiveOptions(configuration, machine)) !== null,
  follows: 'kernel PPP',
  async run(configuration, machine) {
    if ((await pppdVersion(configuration, machine)) === null) return good('not needed by this program');
    // It exists also if the module is built in.
    if (machine.mode('/sys/module/ppp_mppe') !== null) return good('ppp_mppe is loaded');
    const known = await canLoad('ppp_mppe', machine);
    if (known !== false) return good(loadable('ppp_mppe', known));
    const consequence =
      requiredMppe(effectiveOptions(configuration, machine)) !== null
        ? ", and pppd's options require encryption: nobody can log in"
        : ': clients that require encryption cannot log in';
    return bad(`this kernel has no module ppp_mppe${consequence}`, NO_PPP_REMEDY);
  },
};

export const greSocket: Check = {
  name: 'GRE socket',
  fatal: true,
  follows: ['privileges', 'native modules'],
  async run(_configuration, machine) {
    const failure = await machine.openGreSocket();
    return failure === null
      ? good('a raw socket for protocol 47 opens')
      : bad(`no raw GRE socket: ${failure}`, 'run it as root, or give it CAP_NET_RAW');
  },
};

/** The user that the server becomes: the configuration's, or with the builtin engine one without a name; none for root. */
const becomes = ({ user, ppp }: Configuration): string | undefined =>
  user ?? (ppp.engine === 'builtin' ? UNNAMED_USER.name : undefined);

/**
 * What prevents the server from writing to the folder `path`: it, or the parent in which it would be made; null if nothing
 * does. With a user `serve` makes a missing folder as root, who is only stopped by a read-only file system.
 */
function obstacleTo(path: string, user: string | undefined, machine: Machine): string | null {
  for (let folder = path; folder !== ''; folder = folder.slice(0, folder.lastIndexOf('/'))) {
    if (machine.mode(folder) === null) continue;
    const isMadeByRoot = user !== undefined && folder !== path;
    return (isMadeByRoot ? machine.isReadOnly(folder) : !machine.isWritable(folder)) ? folder : null;
  }
  return null;
}

/** Folders that other programs use too, so they must not be given to one user. */
const SHARED: ReadonlySet<string> = new Set(
  '/ /etc /home /opt /root /run /srv /tmp /usr /var /var/lib /var/lock /var/log /var/run /var/spool /var/tmp'.split(
    ' ',
  ),
);

/** The failure of a check: the folder `obstacle` cannot be written to by `user`, which `key` needs. */
function unwritableFolder(
  machine: Machine,
  { obstacle, key, user }: { readonly obstacle: string; readonly key: string; readonly user: string | undefined },
): Outcome {
  const problem = `${obstacle} cannot be written to (${key})`;
  return machine.isReadOnly(obstacle)
    ? bad(`${problem}: ${READ_ONLY.problem}`, READ_ONLY.remedy)
    : bad(problem, ownership(user, obstacle, key));
}

function ownership(user: string | undefined, obstacle: string, key: string): string {
  if (user === undefined) return `run it as root, or name another ${key}`;
  if (!SHARED.has(obstacle)) return `chown -R ${user}: ${obstacle}, or name another ${key}`;
  return `name a ${key} below ${obstacle}/pptpd-ts, which serve makes for ${user}`;
}

export const runDirectory: Check = {
  name: 'run directory',
  fatal: true,
  follows: 'privileges',
  run(configuration, machine) {
    const { runDirectory: directory } = configuration;
    const user = becomes(configuration);
    const obstacle = obstacleTo(directory, user, machine);
    if (obstacle !== null) return unwritableFolder(machine, { obstacle, key: 'runDirectory', user });
    return good(directory);
  },
};

export const files: Check = {
  name: 'files',
  fatal: true,
  follows: 'privileges',
  run(configuration, machine) {
    const { log, accounting } = configuration;
    const user = becomes(configuration);
    // An existing file is appended to, so its folder need not be writable.
    const hasAccounts = accounting !== undefined && machine.mode(accounting.file) !== null;
    const paths = Object.entries({
      'log.directory': log.directory,
      'accounting.file': accounting && (hasAccounts ? accounting.file : dirname(accounting.file)),
    }).flatMap(([key, path]) => (path === undefined ? [] : [{ key, path }]));
    for (const { key, path } of paths) {
      const obstacle = obstacleTo(path, user, machine);
      if (obstacle !== null) return unwritableFolder(machine, { obstacle, key, user });
    }
    const distinct = new Set(paths.map(({ path }) => path));
    return good(distinct.size === 0 ? 'none besides the run directory' : [...distinct].join(', '));
  },
};
