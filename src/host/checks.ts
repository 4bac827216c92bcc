/**
 * What a server needs of its machine, one check a need: `doctor` shows all of them, `serve` refuses to start where a
 * fatal one fails, with the same sentence. Each failure says what is wrong and the command that mends it.
 */
import { addressList, addressNumber } from '../config/addresses.js';
import type { Configuration } from '../config/schema.js';
import { type Machine, thisMachine } from './machine.js';

export type Outcome =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly problem: string; readonly remedy: string };

interface Check {
  readonly name: string;
  /** The server cannot work where it fails; otherwise it can, and something else may not. */
  readonly fatal: boolean;
  /** Fails wherever that check fails, and is left out then: one cause, one sentence. */
  readonly follows?: string;
  run(configuration: Configuration, machine: Machine): Outcome | Promise<Outcome>;
}

export interface CheckResult {
  readonly name: string;
  readonly fatal: boolean;
  readonly outcome: Outcome;
}

const good = (detail: string): Outcome => ({ ok: true, detail });
const bad = (problem: string, remedy: string): Outcome => ({ ok: false, problem, remedy });

/** Bits of capabilities(7). */
const CAPABILITIES = { NET_BIND_SERVICE: 10, NET_ADMIN: 12, NET_RAW: 13 } as const;

/** Whether `pppd.path` is a pppd, which needs the kernel's PPP; another program on the pty may not. */
async function pppdVersion({ pppd }: Configuration, machine: Machine): Promise<string | null> {
  const { output } = await machine.run(pppd.path, ['--version']);
  return /pppd version (\S+)/.exec(output)?.[1] ?? null;
}

const CHECKS: readonly Check[] = [
  {
    name: 'privileges',
    fatal: true,
    run(_configuration, machine) {
      const status = machine.read('/proc/self/status') ?? '';
      const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
      const missing = Object.entries(CAPABILITIES).flatMap(([name, bit]) =>
        (effective >> BigInt(bit)) & 1n ? [] : `CAP_${name}`,
      );
      if (missing.length === 0) return good('root, or the capabilities that are needed');
      return bad(`not root, and without ${missing.join(', ')}`, 'run it as root: sudo pptpd-ts serve -c FILE');
    },
  },
  {
    name: 'pppd',
    fatal: true,
    async run(configuration, machine) {
      const { path } = configuration.pppd;
      if (!machine.isExecutable(path)) return bad(`${path} is missing or not executable`, 'apt-get install ppp');
      const version = await pppdVersion(configuration, machine);
      return good(
        version === null ? `${path} (not a pppd: it is taken to speak PPP by itself)` : `${path}, version ${version}`,
      );
    },
  },
  {
    name: 'kernel PPP',
    fatal: true,
    async run(configuration, machine) {
      if ((await pppdVersion(configuration, machine)) === null) return good('not needed by this program');
      if (machine.mode('/dev/ppp') !== null && (machine.read('/proc/misc') ?? '').includes('ppp'))
        return good('/dev/ppp');
      const probe = await machine.run('/usr/sbin/modprobe', ['--dry-run', '--quiet', 'ppp_async']);
      if (probe.code === 0) return good('ppp_async can be loaded');
      return bad(
        'this kernel has no PPP (no /dev/ppp, and no module ppp_async)',
        'boot a kernel with CONFIG_PPP_ASYNC, or: modprobe ppp_async',
      );
    },
  },
  {
    name: 'MPPE',
    fatal: false,
    async run(configuration, machine) {
      if ((await pppdVersion(configuration, machine)) === null) return good('not needed by this program');
      const loaded = /^ppp_mppe /m.test(machine.read('/proc/modules') ?? '');
      const probe = await machine.run('/usr/sbin/modprobe', ['--dry-run', '--quiet', 'ppp_mppe']);
      if (loaded || probe.code === 0) return good(loaded ? 'ppp_mppe is loaded' : 'ppp_mppe can be loaded');
      return bad('this kernel has no module ppp_mppe: clients that want encryption are refused', 'modprobe ppp_mppe');
    },
  },
  {
    name: 'GRE socket',
    fatal: true,
    follows: 'privileges',
    async run(_configuration, machine) {
      const failure = await machine.openGreSocket();
      return failure === null
        ? good('a raw socket for protocol 47 opens')
        : bad(`no raw GRE socket: ${failure}`, 'run it as root, or give it CAP_NET_RAW');
    },
  },
  {
    name: 'options file',
    fatal: true,
    run({ pppd }, machine) {
      if (pppd.options === undefined) return good("none named (pppd's own /etc/ppp/options holds)");
      const text = machine.read(pppd.options);
      if (text === null)
        return bad(
          `${pppd.options} (pppd.options) is missing or cannot be read`,
          `create it, or: cp scripts/etc/options.pptpd ${pppd.options}`,
        );
      const words = new Set(text.replaceAll(/#.*$/gm, '').split(/\s+/));
      if (words.has('require-mppe-128') && !words.has('require-mschap-v2') && !words.has('require-mschap')) {
        return bad(
          `${pppd.options} requires MPPE without MS-CHAP, which makes its keys`,
          `add a line "require-mschap-v2" to ${pppd.options}`,
        );
      }
      return good(pppd.options);
    },
  },
  {
    name: 'secrets',
    fatal: false,
    run(_configuration, machine) {
      const path = '/etc/ppp/chap-secrets';
      const text = machine.read(path);
      if (text === null)
        return bad(
          `${path} is missing or cannot be read: nobody can log in by it`,
          `printf 'USER * PASSWORD *\\n' >> ${path}`,
        );
      if (((machine.mode(path) ?? 0) & 0o077) !== 0) return bad(`${path} can be read by others`, `chmod 600 ${path}`);
      const users = text.split('\n').filter((line) => /^\s*[^#\s]/.test(line)).length;
      if (users === 0)
        return bad(
          `${path} names no user (that is as it should be with RADIUS)`,
          `printf 'USER * PASSWORD *\\n' >> ${path}`,
        );
      return good(`${path}, ${users} ${users === 1 ? 'entry' : 'entries'}`);
    },
  },
  {
    name: 'forwarding',
    fatal: false,
    run(_configuration, machine) {
      if (machine.read('/proc/sys/net/ipv4/ip_forward')?.trim() === '1') return good('net.ipv4.ip_forward is 1');
      return bad(
        'net.ipv4.ip_forward is 0: clients reach this machine and nothing behind it',
        'sysctl -w net.ipv4.ip_forward=1',
      );
    },
  },
  {
    name: 'address pool',
    fatal: false,
    run({ addresses }, machine) {
      if (addresses.delegate) return good('none: addresses are chosen by pppd (addresses.delegate)');
      const pool = addressList(addresses.remote);
      for (const { name, cidr } of machine.networks()) {
        const own = cidr.split('/')[0] ?? '';
        if (pool.includes(own))
          return bad(
            `${own} is in addresses.remote and is this machine's own (${name})`,
            'take it out of addresses.remote',
          );
        const inside = pool.find((address) => contains(cidr, address));
        if (inside !== undefined && machine.read(`/proc/sys/net/ipv4/conf/${name}/proxy_arp`)?.trim() !== '1') {
          const words = new Set((machine.read('/etc/ppp/options.pptpd') ?? '').split(/\s+/));
          if (!words.has('proxyarp')) {
            return bad(
              `${inside} lies in the network ${cidr} of ${name}: hosts there will not find it`,
              'add "proxyarp" to pppd\'s options file, or choose another network',
            );
          }
        }
      }
      return good(`${pool.length} addresses, none in conflict with this machine's networks`);
    },
  },
  {
    name: 'run directory',
    fatal: true,
    follows: 'privileges',
    run({ runDirectory }, machine) {
      for (let path = runDirectory; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
        if (machine.mode(path) === null) continue;
        return machine.isWritable(path)
          ? good(runDirectory)
          : bad(`${path} cannot be written to (runDirectory)`, 'run it as root, or name another runDirectory');
      }
      return good(runDirectory);
    },
  },
];

function contains(cidr: string, address: string): boolean {
  const [network = '', bits = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const [first, number] = [addressNumber(network) ?? 0, addressNumber(address) ?? 0];
  return Math.floor(first / size) === Math.floor(number / size);
}

/** Runs the checks in their order; with `only: 'fatal'` those alone without which nothing works. */
export async function runChecks(
  configuration: Configuration,
  { only, machine = thisMachine }: { readonly only?: 'fatal'; readonly machine?: Machine } = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of CHECKS) {
    const { name, fatal } = check;
    if (only === 'fatal' && !fatal) continue;
    if (results.some((earlier) => earlier.name === check.follows && !earlier.outcome.ok)) continue;
    results.push({ name, fatal, outcome: await check.run(configuration, machine) });
  }
  return results;
}

/** The sentence of a check that failed; null of one that did not. */
export const formatFailure = ({ outcome }: CheckResult): string | null =>
  outcome.ok ? null : `${outcome.problem}; mend it: ${outcome.remedy}`;
