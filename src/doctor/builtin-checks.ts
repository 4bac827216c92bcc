/** Checks of what the builtin PPP engine needs: a TUN device, the monitor that opens it, and how clients log in. */
import { pppSettings } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { makesKeys } from '../config/schema/ppp.js';
import { missing } from '../host/identity.js';
import { secretOf } from '../monitor/radius-secret.js';
import { runPaths } from '../session/paths.js';
import { bad, type Check, good } from './check.js';
import { obstacleOf } from './engine.js';
import { canLoad } from './kernel-modules.js';
import { identityOf } from './privilege-checks.js';

const DEVICE = '/dev/net/tun';
const IN_A_CONTAINER = `start a container with --device ${DEVICE} --cap-add NET_ADMIN`;

const POSSIBLE =
  'packets could stay in the kernel, which takes a fraction of the CPU time: "ppp": { "engine": "builtin", "dataPath": "kernel" }; docs/data-paths.md lists what the kernel cannot do';

const isByKernel = ({ engine, dataPath: path }: Configuration['ppp']): boolean =>
  engine === 'builtin' && path === 'kernel';

/** Also says when the kernel's path is possible but not used. */
export const dataPath: Check = {
  name: 'data path',
  fatal: ({ ppp }) => isByKernel(ppp),
  async run(configuration, machine) {
    const obstacle = await obstacleOf(configuration, machine);
    if (!isByKernel(configuration.ppp)) return obstacle === null ? good(POSSIBLE) : [];
    if (obstacle === null)
      return good('the kernel has pptp and ppp_mppe; a call that it cannot carry goes through a TUN device');
    const { because, remedy } = obstacle;
    return bad(`ppp.dataPath is "kernel", but ${because}`, `${remedy}; or set ppp.dataPath to "tun"`);
  },
};

export const tunDevice: Check = {
  name: 'TUN device',
  // With the kernel's path, only calls that the kernel cannot carry need it.
  fatal: ({ ppp }) => !isByKernel(ppp),
  engine: 'builtin',
  follows: 'privileges',
  async run(_configuration, machine) {
    const { uid, capabilities, bounding } = identityOf(machine);
    const answer = machine.openDevice(DEVICE);
    // The monitor opens it, and is root whatever the server's user is.
    const isRoots = answer === 'EACCES' && uid !== 0;
    const refusal = isRoots ? null : answer;
    if (refusal === 'EPERM' || refusal === 'EACCES') {
      return bad(`permission to open ${DEVICE} is denied`, `run it as root; ${IN_A_CONTAINER}`);
    }
    const isLoaded = / tun$/m.test(machine.read('/proc/misc') ?? '');
    if (refusal !== null && !isLoaded && (await canLoad('tun', machine)) === false) {
      return bad(
        `this kernel has no TUN devices: no ${DEVICE}, and no module tun`,
        'boot a kernel with CONFIG_TUN (Debian: linux-image-amd64)',
      );
    }
    if (refusal !== null) {
      return bad(
        refusal === 'ENOENT' ? `${DEVICE} is missing` : `${DEVICE} cannot be opened (${refusal})`,
        `modprobe tun; if it stays missing: mkdir -p /dev/net && mknod -m 600 ${DEVICE} c 10 200; ${IN_A_CONTAINER}`,
      );
    }
    if (missing(uid === 0 ? capabilities : bounding, ['NET_ADMIN']).length > 0) {
      return bad(
        'the monitor cannot create a network interface without CAP_NET_ADMIN',
        `add it to CapabilityBoundingSet= of its unit; ${IN_A_CONTAINER}`,
      );
    }
    return good(isRoots ? `${DEVICE} is there` : `${DEVICE} opens`);
  },
};

export const monitor: Check = {
  name: 'monitor',
  fatal: true,
  engine: 'builtin',
  follows: ['privileges', 'native modules'],
  async run({ runDirectory }, machine) {
    if (await machine.hasMonitor(runPaths(runDirectory).monitorSocket)) return good('it is running');
    if (machine.isRoot) return good('root starts it with the server');
    return bad(
      'the builtin engine needs a monitor process that is root, and none is running',
      'start the server as root, for example with sudo; it changes to "user" itself',
    );
  },
};

export const radius: Check = {
  name: 'radius',
  fatal: false,
  engine: 'builtin',
  isLogged: true,
  run({ radius: settings }, machine) {
    const { uid } = identityOf(machine);
    return [...(settings?.servers ?? []), ...(settings?.dynamic?.clients ?? [])].map(({ address, secretFile }) => {
      if (uid !== 0 && machine.mode(secretFile) !== null && machine.read(secretFile) === null)
        return good(`${address}; only root can read ${secretFile}`);
      const secret = secretOf(secretFile, { text: machine.read(secretFile), mode: machine.mode(secretFile) });
      return secret.ok ? good(`${address}, secret in ${secretFile}`) : bad(secret.problem, secret.remedy);
    });
  },
};

const REMEDY = 'set "authentication": ["ms-chap-v2"] and "encryption": "require" in the section "ppp"';

export const builtinAuthentication: Check = {
  name: 'authentication',
  fatal: false,
  engine: 'builtin',
  isLogged: true,
  run({ ppp }) {
    const { authentication: methods, encryption } = pppSettings(ppp);
    const said = methods.join(', ');
    const withoutKeys = methods.filter((method) => !makesKeys(method));
    if (encryption === 'require' && withoutKeys.length > 0) {
      return bad(
        `encryption is required, whose keys come from MS-CHAP: a client that logs in by ${withoutKeys.join(' or ')} is refused after the login`,
        REMEDY,
      );
    }
    if (encryption !== 'require' && methods.some((method) => method !== 'ms-chap-v2')) {
      const weak = methods.includes('pap')
        ? 'send their password and everything else in plain text'
        : 'log in by a weaker method and send everything in plain text';
      return bad(
        `neither MS-CHAPv2 nor encryption is required (ppp.authentication: ${said}): clients may ${weak}`,
        REMEDY,
      );
    }
    return good(`${said}, encryption: ${encryption}`);
  },
};
