/** Checks of the network: the listening address, conflicts of the address pool, forwarding, firewall rules. */
import { addressList, addressNumber, addressText } from '../config/addresses.js';
import { pppSettings } from '../config/ppp-settings.js';
import type { Configuration } from '../config/schema.js';
import { findBlockers, hasTable } from '../network/other-firewalls.js';
import { tableName } from '../network/ruleset.js';
import { needsTable } from '../network/settings.js';
import { runPaths } from '../session/paths.js';
import { bad, type Check, doubt, good } from './check.js';
import { LISTEN_FAILURES } from '../host/listen-failures.js';
import type { Machine } from './machine.js';
import { effectiveOptions } from './effective-options.js';

export const listening: Check = {
  name: 'listening',
  fatal: true,
  follows: ['privileges', 'native modules'],
  async run({ listen, runDirectory }, machine) {
    const { address, port, vrf } = listen;
    const where = `${address}:${port}${vrf === undefined ? '' : ` in ${vrf}`}`;
    const failure = await machine.tryListen(listen);
    if (failure === null) return good(`${where} is free`);
    if (failure.code !== 'EADDRINUSE') {
      const { problem, remedy } = LISTEN_FAILURES[failure.code ?? ''] ?? { problem: failure.message, remedy: null };
      return bad(`cannot listen on ${where}: ${problem}`, remedy ?? 'correct listen.address or listen.vrf');
    }
    const own = runningProcess(runPaths(runDirectory).managerPid, /pptpd-ts manager|manager\/main\.js/, machine);
    if (own !== null) return good(`${where}, where pptpd-ts itself listens (process ${own})`);
    const pptpd = runningProcess('/run/pptpd.pid', /(?:^|\/)pptpd(?:\0|$)/, machine);
    if (pptpd !== null) {
      return bad(
        `cannot listen on ${where}: pptpd (process ${pptpd}) listens there`,
        'systemctl disable --now pptpd, or /etc/init.d/pptpd stop',
      );
    }
    const { problem, remedy } = LISTEN_FAILURES.EADDRINUSE;
    return bad(`cannot listen on ${where}: ${problem}`, remedy);
  },
};

/** The process id in a pid file, if that process exists and is the expected program. */
function runningProcess(pidFile: string, program: RegExp, machine: Machine): string | null {
  const pid = machine.read(pidFile)?.trim() ?? '';
  if (!/^[1-9]\d*$/.test(pid)) return null;
  return program.test(machine.read(`/proc/${pid}/cmdline`) ?? '') ? pid : null;
}

export const addressPool: Check = {
  name: 'address pool',
  fatal: false,
  run(configuration, machine) {
    if (configuration.addresses.delegate) return good('none: users have addresses of their own (addresses.delegate)');
    const pool = poolNumbers(configuration);
    const members = new Set(pool);
    const hasProxyArp = answersArp(configuration, machine);
    for (const { name, cidr } of machine.networks()) {
      const [own = '', bits = '32'] = cidr.split('/');
      const number = addressNumber(own) ?? 0;
      if (members.has(number)) {
        return bad(
          `${own} is in addresses.remote and is this machine's own (${name})`,
          'remove it from addresses.remote',
        );
      }
      const size = 2 ** (32 - Number(bits));
      const first = number - (number % size);
      const inside = size === 1 ? undefined : pool.find((address) => address >= first && address < first + size);
      if (inside === undefined || hasProxyArp) continue;
      if (machine.read(`/proc/sys/net/ipv4/conf/${name}/proxy_arp`)?.trim() === '1') continue;
      return bad(
        `${addressText(inside)} lies in the network ${addressText(first)}/${bits} of ${name}: hosts there cannot reach it`,
        'set "proxyArp": true in the section "ppp", or choose another network for addresses.remote',
      );
    }
    return good(`${pool.length} addresses, none in conflict with this machine's networks`);
  },
};

/** Whether ARP requests for the clients' addresses are answered. Of pppd's options the last one counts. */
function answersArp(configuration: Configuration, machine: Machine): boolean {
  if (configuration.ppp.engine === 'builtin') return pppSettings(configuration.ppp).proxyArp;
  const options = effectiveOptions(configuration, machine);
  return options.findLast(({ name }) => /^(?:no|-)?proxyarp$/.test(name))?.name === 'proxyarp';
}

const poolNumbers = ({ addresses }: Configuration): number[] =>
  addressList(addresses.remote).map((address) => addressNumber(address) ?? 0);

export const forwarding: Check = {
  name: 'forwarding',
  fatal: false,
  run({ network }, machine) {
    if (machine.read('/proc/sys/net/ipv4/ip_forward')?.trim() === '1') return good('net.ipv4.ip_forward is 1');
    if (network?.forward === true) return good('serve sets net.ipv4.ip_forward to 1 (network.forward)');
    return bad(
      'net.ipv4.ip_forward is 0: clients reach this machine and nothing behind it',
      'sysctl -w net.ipv4.ip_forward=1',
    );
  },
};

const hasInterface = (name: string, machine: Machine): boolean => machine.mode(`/sys/class/net/${name}`) !== null;

/** Before `serve` runs its checks, root has applied the rules, or has failed with the same sentence. */
export const networkRules: Check = {
  name: 'network',
  fatal: true,
  async run({ network, runDirectory }, machine) {
    if (network === undefined) return [];
    if (!machine.isRoot) return good('root applies the section when the server starts');
    const table = tableName(runDirectory);
    const found = await machine.findNetworkProblem(network, table);
    if (found !== null) return bad(found.problem, found.remedy);
    if (!needsTable(network)) return good('forwarding only, which needs no rules');
    const { masquerade } = network;
    const unknown = masquerade === 'auto' ? [] : masquerade.filter((name) => !hasInterface(name, machine));
    if (unknown.length > 0) {
      return doubt(
        `network.masquerade names ${unknown.join(', ')}, which this machine does not have`,
        'correct it; `ip link` lists the interfaces, and "auto" means those of the default routes',
      );
    }
    const isRunning = await machine.hasMonitor(runPaths(runDirectory).monitorSocket);
    if (!isRunning) return good(`nftables accepts the rules; table "inet ${table}"`);
    if (hasTable(await machine.firewallRules(), table)) return good(`in force; table "inet ${table}"`);
    return doubt(
      `the server runs, but its nftables table "inet ${table}" is missing: it was started without the section "network", or another program keeps deleting the table`,
      'restart the server, which ends no session; if the table disappears again, the log says when',
    );
  },
};

export const otherFirewalls: Check = {
  name: 'other firewalls',
  fatal: false,
  async run({ addresses }, machine) {
    if (!machine.isRoot) return good('not checked: only root can read the rules');
    const client = addresses.delegate ? null : (addressList(addresses.remote)[0] ?? null);
    const blockers = findBlockers(await machine.firewallRules(), client);
    if (blockers.length === 0) return good("none drops the clients' packets");
    return blockers.map(({ who, remedy }) => bad(`${who} drops what clients send through this machine`, remedy));
  },
};
