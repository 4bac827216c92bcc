/** The network phase: IPCP with the client's address and name servers, and IPV6CP if it is wanted. */
import { FieldReader } from '../field-reader.js';
import { IPCP_OPTIONS, IPV6CP_OPTIONS, type ReceivedOption } from '../options.js';
import type { ControlPacket } from '../packet.js';
import { isNegotiating } from './automaton.js';
import { type Clock, ControlProtocol, type ControlProtocolEvent } from './control-protocol.js';
import { ENGINE_ENDS, type EngineEnd } from './end.js';
import { ipcpRules } from './ipcp-rules.js';
import { ipv6cpRules } from './ipv6cp-rules.js';
import type { EngineSettings } from './settings.js';

export type NetworkProtocol = 'IPCP' | 'IPV6CP';

/** Dotted quads; `remote` null: one of `remoteChoices`, networks as `192.0.2.0/24`. */
export interface NetworkAddresses {
  readonly local: string;
  readonly remote: string | null;
  readonly remoteChoices: readonly string[];
}

export type NetworkEvent =
  | {
      readonly type: 'network';
      readonly local: string;
      readonly remote: string;
      /** As the client has taken them, primary first. */
      readonly dns: readonly string[];
      readonly wins: readonly string[];
    }
  | { readonly type: 'networkDown' }
  /** Interface identifiers as lower halves of addresses: `a00:27ff:fe12:3456`. */
  | { readonly type: 'network6'; readonly local: string; readonly remote: string }
  | { readonly type: 'network6Down' }
  | { readonly type: 'failed'; readonly cause: EngineEnd };

export interface NetworkOptions {
  readonly settings: Pick<EngineSettings, 'dns' | 'wins' | 'ipv6'>;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  readonly peerMru: () => number;
  readonly isLinkOpen: () => boolean;
  /** Sends a packet of that protocol, header included. */
  readonly send: (protocol: NetworkProtocol, packet: Uint8Array) => void;
  readonly onEvent: (event: NetworkEvent) => void;
}

const NO_ADDRESSES: NetworkAddresses = { local: '0.0.0.0', remote: null, remoteChoices: [] };

export class Network {
  readonly #options: NetworkOptions;
  readonly #ipcp: ControlProtocol<typeof IPCP_OPTIONS>;
  readonly #ipv6cp: ControlProtocol<typeof IPV6CP_OPTIONS>;
  #addresses = NO_ADDRESSES;
  /** `network` and `network6` were emitted. */
  #isUp = false;
  #isUp6 = false;
  /** Addresses that the client wants for itself and for us, as far as we disagree. */
  readonly #wishes: { client: string | null; server: string | null } = { client: null, server: null };
  /** Why we have closed IPCP. */
  #addressRefused: EngineEnd | null = null;

  constructor(options: NetworkOptions) {
    this.#options = options;
    const { settings, clock, peerMru, send } = options;
    this.#ipcp = new ControlProtocol({
      clock,
      peerMru,
      declarations: IPCP_OPTIONS,
      rules: ipcpRules({
        local: () => this.#addresses.local,
        remote: () => this.#addresses.remote,
        remoteChoices: () => this.#addresses.remoteChoices,
        dns: settings.dns,
        wins: settings.wins,
      }),
      send: (packet) => send('IPCP', packet),
      onEvent: (event) => this.#recvIpcpEvent(event),
    });
    this.#ipv6cp = new ControlProtocol({
      clock,
      peerMru,
      declarations: IPV6CP_OPTIONS,
      rules: ipv6cpRules({
        identifier: () => randomIdentifier(options.random),
        own: () => this.#ipv6cp.exchange.asked('interfaceIdentifier'),
      }),
      send: (packet) => send('IPV6CP', packet),
      onEvent: (event) => this.#recvIpv6cpEvent(event),
    });
  }

  open(addresses: NetworkAddresses): void {
    this.#addresses = addresses;
    this.#ipcp.open();
    if (this.#options.settings.ipv6) this.#ipv6cp.open();
  }

  /** The protocols' deadlines and timers. */
  get parts(): readonly { readonly deadline: number | null; tick(): void }[] {
    return [this.#ipcp, this.#ipv6cp];
  }

  recv(protocol: NetworkProtocol, packet: ControlPacket): void {
    this.#protocol(protocol).recv(packet);
  }

  recvProtocolReject(protocol: NetworkProtocol): void {
    this.#protocol(protocol).recvProtocolReject();
  }

  /** LCP is down. */
  lowerDown(): void {
    this.#ipcp.lowerDown();
    this.#ipv6cp.lowerDown();
    this.#addressRefused = null;
  }

  #protocol(protocol: NetworkProtocol): Pick<ControlProtocol<typeof IPCP_OPTIONS>, 'recv' | 'recvProtocolReject'> {
    return protocol === 'IPCP' ? this.#ipcp : this.#ipv6cp;
  }

  #emit(event: NetworkEvent): void {
    this.#options.onEvent(event);
  }

  #recvIpcpEvent(event: ControlProtocolEvent): void {
    switch (event.type) {
      case 'up':
        this.#openIpv4();
        return;
      case 'down':
        if (this.#isUp) this.#emit({ type: 'networkDown' });
        this.#isUp = false;
        return;
      case 'finished':
        this.#finish(this.#ipcpEnd(event.why));
        return;
      case 'answered':
        if (event.answer.verdicts.get('address') !== 'ack') {
          this.#wishes.client = valueOf(event.options, 'address') ?? this.#wishes.client;
        }
        return;
      case 'refused':
        if (event.how === 'nak') this.#wishes.server = valueOf(event.options, 'address') ?? this.#wishes.server;
        return;
      case 'terminateRequest':
      case 'codeRejected':
        return;
    }
  }

  #openIpv4(): void {
    const { own, peer } = this.#ipcp.exchange;
    if (own.address === undefined || peer.address === undefined) {
      const whose = own.address === undefined ? 'server' : 'client';
      this.#addressRefused = { kind: 'addressRefused', whose, proposed: this.#wishes[whose] };
      this.#ipcp.close(ENGINE_ENDS.addressRefused.toClient);
      return;
    }
    this.#isUp = true;
    const dns = taken(peer.primaryDns, peer.secondaryDns);
    const wins = taken(peer.primaryWins, peer.secondaryWins);
    this.#emit({ type: 'network', local: own.address, remote: peer.address, dns, wins });
  }

  #ipcpEnd(why: Why): EngineEnd {
    if (this.#addressRefused !== null) return this.#addressRefused;
    switch (why) {
      case 'silence':
        return { kind: 'ncpTimeout', protocol: 'IPCP' };
      case 'rejected':
        return { kind: 'protocolRejected', protocol: 'IPCP' };
      case 'noAgreement':
        return this.#wishes.client === null || this.#wishes.client === '0.0.0.0'
          ? { kind: 'noAgreement', protocol: 'IPCP' }
          : { kind: 'addressRefused', whose: 'client', proposed: this.#wishes.client };
      case 'closed':
        return { kind: 'networkClosed' };
    }
  }

  #recvIpv6cpEvent(event: ControlProtocolEvent): void {
    switch (event.type) {
      case 'up': {
        const local = this.#ipv6cp.exchange.own.interfaceIdentifier;
        const remote = this.#ipv6cp.exchange.peer.interfaceIdentifier;
        this.#isUp6 = local !== undefined && remote !== undefined;
        if (local !== undefined && remote !== undefined) this.#emit({ type: 'network6', local, remote });
        else this.#ipv6cp.close('Interface identifier refused');
        return;
      }
      case 'down':
        if (this.#isUp6) this.#emit({ type: 'network6Down' });
        this.#isUp6 = false;
        return;
      case 'finished':
        this.#finish({ kind: 'networkClosed' });
        return;
      case 'terminateRequest':
      case 'answered':
      case 'refused':
      case 'codeRejected':
        return;
    }
  }

  /** A link without any network protocol serves nobody. */
  #finish(cause: EngineEnd): void {
    const isLeft = [this.#ipcp, this.#ipv6cp].some(({ state }) => state === 'opened' || isNegotiating(state));
    if (!isLeft && this.#options.isLinkOpen()) this.#emit({ type: 'failed', cause });
  }
}

type Why = Extract<ControlProtocolEvent, { type: 'finished' }>['why'];

/** RFC 5072 §4.1: the bit of global uniqueness is zero. */
function randomIdentifier(random: (length: number) => Uint8Array): string {
  const fields = new FieldReader(random(8));
  const groups = [fields.u16() & 0xfdff, fields.u16(), fields.u16(), fields.u16() || 1];
  return groups.map((group) => group.toString(16)).join(':');
}

const taken = (...addresses: (string | undefined)[]): string[] => [
  ...new Set(addresses.filter((address) => address !== undefined)),
];

/** An address option's value in a packet; null: it is not there. */
function valueOf(options: readonly ReceivedOption[], wanted: string): string | null {
  const value = options.find(({ name }) => name === wanted)?.value;
  return typeof value === 'string' ? value : null;
}
