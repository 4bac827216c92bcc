/** Checks of what is below everything: Node.js, the kernel, the folders that the server writes to. */
import { dirname } from 'node:path';
import { bad, type Check, good } from './check.js';
import type { Machine } from './machine.js';
import { effectiveOptions, pppdVersion, requiresMppe } from './pppd-checks.js';
import { identityOf } from './privilege-checks.js';

/** The oldest Node.js that runs this program: package.json, engines. */
const OLDEST_NODE = { major: 20, minor: 11 } as const;

export const node: Check = {
  name: 'Node.js',
  fatal: true,
  run(_configuration, { node: { version, arch } }) {
    const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
    if (major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor)) {
      return good(`${version} for ${arch}`);
    }
    const oldest = `${OLDEST_NODE.major}.${OLDEST_NODE.minor}`;
    return bad(`${version} is too old; this program needs ${oldest} or newer`, `install Node.js ${oldest} or newer`);
  },
};

/**
 * Whether the kernel has the module built in, or there is a file to load it from; null where that cannot be told: a
 * container without the host's /lib/modules, where the kernel itself still finds them.
 */
async function canLoad(module: string, machine: Machine): Promise<boolean | null> {
  const release = machine.read('/proc/sys/kernel/osrelease')?.trim() ?? '';
  if (machine.mode(`/lib/modules/${release}`) === null) return null;
  const { code } = await machine.run('modprobe', ['--dry-run', '--quiet', module]);
  return code === null ? null : code === 0;
}

const loadable = (module: string, known: boolean | null): string =>
  known === null ? `nothing here tells whether ${module} can be loaded` : `${module} can be loaded`;

const NO_PPP_REMEDY = 'boot a kernel with CONFIG_PPP, CONFIG_PPP_ASYNC and CONFIG_PPP_MPPE (Debian: linux-image-amd64)';

/**
 * pppd needs the device /dev/ppp (ppp_generic) and the line discipline of a pty (ppp_async). Opening the device makes
 * the kernel load the one, and pppd's use of a pty the other: that they can be loaded is enough.
 */
export const kernelPpp: Check = {
  name: 'kernel PPP',
  fatal: true,
  follows: 'pppd',
  async run(configuration, machine) {
    if ((await pppdVersion(configuration, machine)) === null) return good('not needed by this program');
    const answer = machine.openDevice('/dev/ppp');
    // Its file is root's, and so is pppd whoever starts it.
    const isPppds = answer === 'EACCES' && identityOf(machine).uid !== 0;
    const refusal = isPppds ? null : answer;
    const opens = isPppds ? '/dev/ppp is there' : '/dev/ppp opens';
    if (refusal === 'EPERM' || refusal === 'EACCES') {
      return bad(
        '/dev/ppp may not be opened',
        'run it as root; a container must be given the device: --device /dev/ppp --cap-add NET_ADMIN',
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

/** Without it pppd ends at once where its options require encryption; where they do not, some clients give up. */
export const mppe: Check = {
  name: 'MPPE',
  fatal: (configuration, machine) => requiresMppe(effectiveOptions(configuration, machine)),
  follows: 'kernel PPP',
  async run(configuration, machine) {
    if ((await pppdVersion(configuration, machine)) === null) return good('not needed by this program');
    if (/^ppp_mppe /m.test(machine.read('/proc/modules') ?? '')) return good('ppp_mppe is loaded');
    const known = await canLoad('ppp_mppe', machine);
    if (known !== false) return good(loadable('ppp_mppe', known));
    const consequence = requiresMppe(effectiveOptions(configuration, machine))
      ? ", and pppd's options require encryption: nobody gets in"
      : ': clients that want encryption do not get in';
    return bad(`this kernel has no module ppp_mppe${consequence}`, NO_PPP_REMEDY);
  },
};

export const greSocket: Check = {
  name: 'GRE socket',
  fatal: true,
  follows: 'privileges',
  async run(_configuration, machine) {
    const failure = await machine.openGreSocket();
    return failure === null
      ? good('a raw socket for protocol 47 opens')
      : bad(`no raw GRE socket: ${failure}`, 'run it as root, or give it CAP_NET_RAW');
  },
};

/** The nearest folder on the way to `path` that is there and cannot be written to; null when it can. */
function unwritable(path: string, machine: Machine): string | null {
  for (let folder = path; folder !== ''; folder = folder.slice(0, folder.lastIndexOf('/'))) {
    if (machine.mode(folder) !== null) return machine.isWritable(folder) ? null : folder;
  }
  return null;
}

/** Folders of `configuration` that are there; those that are not, `serve` makes for the user that it becomes. */
const toWrite = (user: string | undefined, folders: readonly string[], machine: Machine): readonly string[] =>
  user === undefined ? folders : folders.filter((folder) => machine.mode(folder) !== null);

const ownership = (user: string | undefined, folder: string, key: string): string =>
  user === undefined ? `run it as root, or name another ${key}` : `chown -R ${user}: ${folder}, or name another ${key}`;

export const runDirectory: Check = {
  name: 'run directory',
  fatal: true,
  follows: 'privileges',
  run({ runDirectory: directory, user }, machine) {
    for (const folder of toWrite(user, [directory], machine)) {
      const obstacle = unwritable(folder, machine);
      if (obstacle !== null) {
        return bad(`${obstacle} cannot be written to (runDirectory)`, ownership(user, obstacle, 'runDirectory'));
      }
    }
    return good(directory);
  },
};

export const files: Check = {
  name: 'files',
  fatal: true,
  follows: 'privileges',
  run({ log, accounting, user }, machine) {
    const folders = Object.entries({
      'log.directory': log.directory,
      'accounting.file': accounting && dirname(accounting.file),
    }).flatMap(([key, folder]) => (folder === undefined ? [] : [{ key, folder }]));
    for (const { key, folder } of folders) {
      const obstacle = toWrite(user, [folder], machine).length === 0 ? null : unwritable(folder, machine);
      if (obstacle !== null) return bad(`${obstacle} cannot be written to (${key})`, ownership(user, obstacle, key));
    }
    const distinct = new Set(folders.map(({ folder }) => folder));
    return good(distinct.size === 0 ? 'none but the run directory' : [...distinct].join(', '));
  },
};
