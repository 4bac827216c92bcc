/**
 * The addresses of a session's interface, with proxy ARP and the administrator's scripts, which follow them. Each step is
 * saved before it is done.
 */
import { octetsOf } from '../host/interface-amounts.js';
import type { NetworkConfiguration } from '../sys/network-configuration.js';
import type { AddressPair } from './protocol.js';
import type { ScriptEvent, ScriptFacts, Scripts } from './scripts.js';

/** A configured IPv4 or IPv6 address, with what its removal needs. */
export interface Configured {
  readonly pair: AddressPair;
  /** Who has logged in. */
  readonly name: string;
  /** For the scripts; left out: none. */
  readonly filter?: string;
  /** The interface with the ARP entry; null without one. */
  readonly proxyArp: string | null;
  /** A script for its start has run, so the one for its end is due. */
  readonly hasScripts: boolean;
}

export interface Device {
  readonly name: string;
  /** Names return, numbers do not. */
  readonly index: number;
  /** Seconds since the epoch. */
  readonly since: number;
}

export interface SessionAddressesOptions {
  /** Configured already, since before the monitor died. */
  readonly saved: { readonly ipv4: Configured | null; readonly ipv6: Configured | null };
  /** Writes `ipv4` and `ipv6` down. Throws SystemCallFailed. */
  readonly save: () => void;
  /** Takes a step of the removal, which goes on after one that failed. */
  readonly attempt: (step: () => void) => void;
  readonly network: NetworkConfiguration;
  readonly scripts: Scripts;
  /** The client's own address. */
  readonly peer: string;
}

export class SessionAddresses {
  readonly #options: SessionAddressesOptions;
  #ipv4: Configured | null;
  #ipv6: Configured | null;

  constructor(options: SessionAddressesOptions) {
    this.#options = options;
    this.#ipv4 = options.saved.ipv4;
    this.#ipv6 = options.saved.ipv6;
  }

  get ipv4(): Configured | null {
    return this.#ipv4;
  }

  get ipv6(): Configured | null {
    return this.#ipv6;
  }

  /** Addresses and ip-pre-up, before the interface is up. */
  async prepareIpv4(device: Device, wanted: Omit<Configured, 'hasScripts'>): Promise<void> {
    const { network, scripts, save } = this.#options;
    const { pair } = wanted;
    const ipv4 = { ...wanted, hasScripts: true };
    this.#ipv4 = { ...ipv4, hasScripts: false };
    save();
    network.setAddresses(device.name, pair.local, pair.remote);
    this.#ipv4 = ipv4;
    save();
    await scripts.runBeforeUp(this.#factsOf(device, ipv4, false, false));
  }

  /** Proxy ARP and ip-up, for what is prepared. */
  bringUpIpv4(device: Device): void {
    const ipv4 = this.#ipv4;
    if (ipv4 === null) return;
    if (ipv4.proxyArp !== null) this.#options.network.addProxyArp(ipv4.proxyArp, ipv4.pair.remote);
    this.#run('ip-up', this.#factsOf(device, ipv4, false, false));
  }

  bringUpIpv6(device: Device, wanted: Pick<Configured, 'pair' | 'name' | 'filter'>): void {
    const { network, save } = this.#options;
    this.#ipv6 = { ...wanted, proxyArp: null, hasScripts: true };
    save();
    network.addLinkLocal(device.index, wanted.pair.local);
    this.#run('ipv6-up', this.#factsOf(device, this.#ipv6, true, false));
  }

  /** Addresses, proxy ARP and ip-down. The kernel has removed what belonged to an interface that is gone. */
  removeIpv4(device: Device): void {
    const ipv4 = this.#ipv4;
    if (ipv4 === null) return;
    const { network, attempt, save } = this.#options;
    const facts = this.#factsOf(device, ipv4, false, true);
    const { proxyArp } = ipv4;
    if (proxyArp !== null) attempt(() => network.removeProxyArp(proxyArp, ipv4.pair.remote));
    if (network.index(device.name) === device.index) attempt(() => network.removeAddresses(device.name));
    if (ipv4.hasScripts) this.#run('ip-down', facts);
    this.#ipv4 = null;
    attempt(save);
  }

  removeIpv6(device: Device): void {
    const ipv6 = this.#ipv6;
    if (ipv6 === null) return;
    const { network, attempt, save } = this.#options;
    const facts = this.#factsOf(device, ipv6, true, true);
    if (network.index(device.name) === device.index)
      attempt(() => network.removeLinkLocal(device.index, ipv6.pair.local));
    if (ipv6.hasScripts) this.#run('ipv6-down', facts);
    this.#ipv6 = null;
    attempt(save);
  }

  #run(event: ScriptEvent, facts: ScriptFacts): void {
    void this.#options.scripts.run(event, facts);
  }

  #factsOf(device: Device, { pair, name, filter }: Configured, isIpv6: boolean, atEnd: boolean): ScriptFacts {
    const { network, peer } = this.#options;
    return {
      interfaceName: device.name,
      isIpv6,
      name,
      filter: filter ?? null,
      addresses: isIpv6 ? { local: linkLocal(pair.local), remote: linkLocal(pair.remote) } : pair,
      peer,
      connected: atEnd ? Math.max(0, Math.floor(Date.now() / 1000) - device.since) : null,
      octets: atEnd && network.index(device.name) === device.index ? octetsOf(device.name) : null,
    };
  }
}

/** As pppd writes it: every group with four digits. */
const linkLocal = (identifier: string): string =>
  `fe80::${identifier
    .split(':')
    .map((group) => group.padStart(4, '0'))
    .join(':')}`;
