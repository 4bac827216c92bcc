/** Checks whether this machine can apply the section `network`. Changes nothing. Needs root. */
import { defaultRoutes } from './default-routes.js';
import { forwardingFailure } from './forwarding.js';
import { nft } from './nft.js';
import { ruleset } from './ruleset.js';
import { needsTable, type NetworkSettings } from './settings.js';

export interface NetworkProblem {
  readonly problem: string;
  readonly remedy: string;
}

const OTHER_WAY = 'remove the section "network", and set up NAT and rules with iptables-legacy or on another machine';

/** null if there is no problem. `table`: the name that the table would have. */
export async function findNetworkProblem(settings: NetworkSettings, table: string): Promise<NetworkProblem | null> {
  const forwarding = settings.forward ? forwardingFailure() : null;
  if (forwarding !== null) {
    return {
      problem: `net.ipv4.ip_forward is 0, and the server cannot change it (${forwarding}; network.forward)`,
      remedy:
        'set it at boot: echo net.ipv4.ip_forward=1 > /etc/sysctl.d/50-pptpd-ts.conf && sysctl -p /etc/sysctl.d/50-pptpd-ts.conf',
    };
  }
  if (!needsTable(settings)) return null;
  const listed = await nft(['list', 'tables']);
  if (listed.kind === 'missing') {
    return {
      problem: 'the section "network" needs the program nft, which is not installed',
      remedy: 'apt-get install nftables',
    };
  }
  if (listed.kind === 'failed') {
    return {
      problem: `the section "network" needs nftables, which this kernel does not have (nft: ${listed.words})`,
      remedy: `boot a kernel with CONFIG_NF_TABLES (Debian: linux-image-amd64), or ${OTHER_WAY}`,
    };
  }
  const tried = await nft(['--check', '--file', '-'], ruleset({ table, settings, defaultRoutes: defaultRoutes() }));
  if (tried.kind !== 'failed') return null;
  return {
    problem: `nftables does not accept the rules of the section "network" (nft: ${tried.words})`,
    remedy: `boot a kernel with all of nftables' modules (Debian: linux-image-amd64), or ${OTHER_WAY}`,
  };
}
