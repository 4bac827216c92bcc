/** Checks of the server's user and its privileges. */
import type { Configuration } from '../config/schema.js';
import { bad, type Check, good } from './check.js';
import { type Capability, missing, parseIdentity } from '../host/identity.js';
import type { Machine } from './machine.js';
import { pppdVersion } from './pppd-program.js';

/** Lower ports need CAP_NET_BIND_SERVICE; the kernel's default. */
const FIRST_UNPRIVILEGED_PORT = 1024;

export const firstUnprivilegedPort = (machine: Machine): number =>
  Number(machine.read('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? FIRST_UNPRIVILEGED_PORT);

export const identityOf = (machine: Machine): ReturnType<typeof parseIdentity> =>
  parseIdentity(machine.read('/proc/self/status') ?? '');

const startsPppd = async (configuration: Configuration, machine: Machine): Promise<boolean> =>
  configuration.ppp.engine !== 'builtin' && (await pppdVersion(configuration, machine)) !== null;

export const user: Check = {
  name: 'user',
  fatal: true,
  async run({ user: name }, machine) {
    if (name === undefined) return good('none configured: the server keeps the user that starts it');
    const { code } = await machine.run('id', ['-u', name]);
    return code === 0
      ? good(name)
      : bad(
          `there is no user "${name}" (user)`,
          `adduser --system --group --no-create-home --home /nonexistent ${name} && adduser ${name} dip`,
        );
  },
};

/**
 * As root the server also needs the capabilities of pppd, which it starts without changing the user. The check of the TUN
 * device says what the builtin engine needs.
 */
export const privileges: Check = {
  name: 'privileges',
  fatal: true,
  follows: 'user',
  async run(configuration, machine) {
    const { listen } = configuration;
    const { uid, capabilities } = identityOf(machine);
    const needed: Capability[] = [
      ...(listen.port < firstUnprivilegedPort(machine) ? (['NET_BIND_SERVICE'] as const) : []),
      ...(uid === 0 && (await startsPppd(configuration, machine)) ? (['NET_ADMIN'] as const) : []),
      'NET_RAW',
    ];
    const lacking = missing(capabilities, needed).map((name) => `CAP_${name}`);
    if (lacking.length === 0) return good(uid === 0 ? 'root' : `uid ${uid} with CAP_NET_RAW`);
    return uid === 0
      ? bad(
          `root without ${lacking.join(', ')}`,
          'add what is missing to CapabilityBoundingSet= of its unit, or start the container with --cap-add',
        )
      : bad(
          `uid ${uid} without ${lacking.join(', ')}`,
          'run it as root, for example with sudo; it changes to "user" itself',
        );
  },
};

const WTMP = '/var/log/wtmp';
/** Of the package wtmpdb. */
const WTMPDB = '/var/lib/wtmpdb';

/** `last` of Debian 12 reads wtmp, that of Debian 13 wtmpdb, to which only root may write. */
export const loginRecords: Check = {
  name: 'login records',
  fatal: false,
  run({ pppd: { logwtmp }, user: name, ppp }, machine) {
    if (!logwtmp) return [];
    const [hasWtmp, hasWtmpdb] = [WTMP, WTMPDB].map((path) => machine.mode(path) !== null);
    if (hasWtmp !== true && hasWtmpdb !== true)
      return bad(
        `pppd.logwtmp writes nothing: there is neither ${WTMP} nor wtmpdb`,
        `apt-get install wtmpdb (Debian 13 and later), or install -m 664 -g utmp /dev/null ${WTMP}`,
      );
    if (hasWtmpdb === true && name !== undefined && ppp.engine === 'pppd')
      return bad(
        `\`last\` will show no session: only root may write to wtmpdb, and the server runs as ${name}`,
        'let the server speak PPP itself: "ppp": { "engine": "builtin" }; or remove "user"; or use accounting',
      );
    return good(hasWtmpdb === true ? 'wtmpdb' : WTMP);
  },
};
