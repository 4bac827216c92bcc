/**
 * Reads the PPP negotiation that passes through the relay: who logs in, with what result, which addresses, MRU, ACCM and
 * encryption are agreed, who refused what. It sends and changes nothing, and does not use pppd's logs.
 *
 * Input is untrusted: it never throws, cuts names, bounds lists, and a client alone causes few events. The number of events is
 * not bounded if the server's PPP takes part, as when a client restarts LCP again and again.
 */
import { Authentication } from './authentication.js';
import { diagnose } from './diagnosis.js';
import { MppeKeys } from './mppe-keys.js';
import { CODES, Negotiation, type RefusedOption } from './negotiation.js';
import { CCP_OPTIONS, IPCP_OPTIONS, IPV6CP_OPTIONS, LCP_OPTIONS, type MppeOffer } from './options.js';
import { type ControlPacket, isFollowed, parseFrame, protocolName } from './packet.js';
import type {
  Addresses,
  BothWays,
  Encryption,
  PppEvent,
  PppFailure,
  PppPhase,
  PppState,
  Refusal,
  Side,
} from './state.js';

export {
  describeFailure,
  type PppEngine,
  type ProblemAndRemedy,
  problemAndRemedy,
  secretsFile,
  type SettingPlaces,
} from './failure.js';
export type * from './state.js';

/** RFC 1662 §7.1 and RFC 1661 §6.1: the values until LCP agrees on others. */
const DEFAULT_ACCM = 0xffff_ffff;
const DEFAULT_MRU = 1500;

/** RFC 1661 §4.6, Max-Configure: a side gives up after this many unanswered requests. */
const MAX_CONFIGURE = 10;

const MAX_REFUSALS = 32;
const MAX_IDENTIFICATIONS = 4;
/** The most events between two LCP openings from a client that tries one name after another. */
const MAX_USER_EVENTS = 8;

const NO_EVENTS: readonly PppEvent[] = [];

type Refused = RefusedOption | typeof PROTOCOL_REJECTED;
const PROTOCOL_REJECTED = { name: null, asked: null, proposed: null };

type Times = { -readonly [Name in keyof PppState['times']]: number | null };

export class PppReader {
  readonly #lcp = new Negotiation(LCP_OPTIONS);
  readonly #ipcp = new Negotiation(IPCP_OPTIONS);
  readonly #ipv6cp = new Negotiation(IPV6CP_OPTIONS);
  readonly #ccp = new Negotiation(CCP_OPTIONS);
  #authentication = new Authentication();
  #frames = { toClient: 0, fromClient: 0 };
  #malformed = 0;
  readonly #times: Times = { firstFrame: null, linkOpened: null, authenticated: null, up: null, terminated: null };
  #up = false;
  #encryption: Encryption | null = null;
  #mppeKeys = new MppeKeys();
  #refusals: Refusal[] = [];
  #identification: string[] = [];
  /** Final after a Terminate-Request or the last unanswered LCP request. */
  #failure: PppFailure | null = null;
  #userEvents = 0;
  #events: PppEvent[] = [];

  /**
   * Takes one PPP frame without FCS, with or without address and control fields, and returns what it changed. Does not keep
   * `frame`. `now` is in milliseconds on any clock. Never throws.
   */
  observe(direction: 'fromClient' | 'toClient', frame: Uint8Array, now: number): readonly PppEvent[] {
    this.#frames[direction]++;
    this.#times.firstFrame ??= now;
    const packet = parseFrame(frame);
    if (packet === 'other') return NO_EVENTS;
    if (packet === 'malformed') {
      this.#malformed++;
      return NO_EVENTS;
    }
    this.#observePacket(direction === 'fromClient' ? 'client' : 'server', packet, now);
    if (this.#events.length === 0) return NO_EVENTS;
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** A snapshot; later frames do not change it. */
  get state(): PppState {
    const state = this.#withoutFailure();
    return { phase: this.#phase(), ...state, failure: this.#failure ?? diagnose(state) };
  }

  #withoutFailure(): Omit<PppState, 'phase' | 'failure'> {
    return {
      user: this.#authentication.user,
      authentication: this.#authentication.state,
      addresses: this.#addresses(),
      encryption: this.#encryption,
      accm: this.#accm(),
      mru: this.#mru(),
      frames: { ...this.#frames },
      malformed: this.#malformed,
      times: { ...this.#times },
      lcp: this.#lcp.state,
      ipcp: this.#ipcp.state,
      ipv6cp: this.#ipv6cp.state,
      ccp: this.#ccp.state,
      refusals: [...this.#refusals],
      identification: [...this.#identification],
    };
  }

  #phase(): PppPhase {
    if (this.#lcp.termination !== null) return 'terminate';
    if (this.#up) return 'up';
    if (!this.#lcp.begun) return 'dead';
    if (!this.#lcp.open) return 'establish';
    const { result } = this.#authentication.state;
    return result === 'pending' || result === 'failed' ? 'authenticate' : 'network';
  }

  #observePacket(sender: Side, packet: ControlPacket, now: number): void {
    switch (packet.protocol) {
      case 'LCP':
        this.#observeLcp(sender, packet, now);
        return;
      case 'PAP':
      case 'CHAP':
      case 'EAP':
        this.#observeAuthentication(sender, packet, now);
        return;
      case 'IPCP':
        this.#observeNetwork(this.#ipcp, sender, packet, now);
        return;
      case 'IPV6CP':
        this.#observeNetwork(this.#ipv6cp, sender, packet, now);
        return;
      case 'CCP':
        this.#observeCcp(sender, packet);
        return;
    }
  }

  #observeLcp(sender: Side, packet: ControlPacket, now: number): void {
    const ended = this.#lcp.termination !== null;
    if (packet.code === CODES.protocolReject) this.#recvProtocolReject(sender, packet, now);
    else if (packet.code === CODES.identification) this.#recvIdentification(sender, packet);
    const step = this.#lcp.observe(sender, packet);
    switch (step.type) {
      case 'opened':
        if (ended) this.#forgetLink();
        this.#openLink(now);
        break;
      case 'restarted':
        this.#forgetLink();
        break;
      case 'refused':
        this.#refuse(sender, 'LCP', step.options, step.how);
        break;
      case 'malformed':
        this.#malformed++;
        break;
      case 'closed':
        this.#terminate(now);
        break;
      case 'none':
        break;
    }
    if (packet.code === CODES.configureRequest) this.#watchRepeats();
  }

  #openLink(now: number): void {
    this.#times.linkOpened = now;
    this.#times.terminated = null;
    this.#failure = null;
    this.#userEvents = 0;
    const authentication = this.#lcp.side('server').agreed?.authentication ?? null;
    if (authentication !== null) this.#authentication.agreed(authentication);
    this.#events.push({ type: 'linkOpened', accm: this.#accm(), mru: this.#mru(), authentication });
  }

  /** LCP that begins again takes down everything above it (RFC 1661 §3.4). */
  #forgetLink(): void {
    this.#authentication = new Authentication(this.#authentication);
    for (const protocol of [this.#ipcp, this.#ipv6cp, this.#ccp]) protocol.reset();
    this.#encryption = null;
    this.#mppeKeys = new MppeKeys();
    this.#up = false;
    this.#refusals = [];
    this.#times.authenticated = null;
    this.#times.up = null;
  }

  #watchRepeats(): void {
    if (this.#lcp.open || this.#failure !== null) return;
    // Only pppd's requests count: the client may have started long before pppd, and its requests then arrive all at once.
    if (this.#lcp.side('server').repeats >= MAX_CONFIGURE - 1) this.#fail();
  }

  #terminate(now: number): void {
    const { termination } = this.#lcp;
    if (termination === null) return;
    this.#times.terminated = now;
    this.#up = false;
    this.#events.push({ type: 'terminated', ...termination });
    if (this.#failure === null) this.#fail();
  }

  #fail(): void {
    const failure = diagnose(this.#withoutFailure());
    if (failure === null) return;
    this.#failure = failure;
    this.#events.push({ type: 'failed', failure });
  }

  /** RFC 1661 §5.7: `sender` does not support a protocol of its peer. */
  #recvProtocolReject(sender: Side, packet: ControlPacket, now: number): void {
    const body = packet.body();
    const number = body.u16();
    if (body.short) {
      this.#malformed++;
      return;
    }
    if (this.#isEncryptedTo(sender) && !isFollowed(number)) {
      if (this.#mppeKeys.rejected(sender, number)) this.#events.push({ type: 'mppeKeysDiffer', by: sender });
      return;
    }
    const protocol = protocolName(number);
    this.#refuse(sender, protocol, [PROTOCOL_REJECTED], 'reject');
    switch (protocol) {
      case 'IPCP':
        this.#ipcp.reset();
        break;
      case 'IPV6CP':
        this.#ipv6cp.reset();
        break;
      case 'CCP':
        this.#ccp.reset();
        this.#refuseEncryption(sender);
        break;
      default:
        return;
    }
    this.#followNetwork(now);
  }

  #isEncryptedTo(receiver: Side): boolean {
    const encryption = this.#encryption;
    if (encryption?.method !== 'mppe') return false;
    return encryption.oneWay === null || encryption.oneWay === (receiver === 'client' ? 'toClient' : 'fromClient');
  }

  #recvIdentification(sender: Side, packet: ControlPacket): void {
    if (sender !== 'client' || this.#identification.length >= MAX_IDENTIFICATIONS) return;
    const body = packet.body();
    body.u32(); // the magic number
    const text = body.textOrHex();
    if (text !== '' && !this.#identification.includes(text)) this.#identification.push(text);
  }

  #observeAuthentication(sender: Side, packet: ControlPacket, now: number): void {
    const step = this.#authentication.observe(sender, packet);
    const { user, state } = this.#authentication;
    const { protocol, message, failure } = state;
    switch (step) {
      case 'user':
        if (user !== null && ++this.#userEvents <= MAX_USER_EVENTS) {
          this.#events.push({ type: 'userKnown', user, protocol });
        }
        break;
      case 'succeeded':
        this.#times.authenticated = now;
        this.#events.push({ type: 'authenticated', user, protocol, message });
        break;
      case 'failed':
        if (failure !== null) this.#events.push({ type: 'authenticationFailed', user, protocol, ...failure });
        break;
      case 'methodRefused':
        this.#refuse(sender, 'EAP', [{ name: 'method', asked: state.method, proposed: null }], 'nak');
        break;
      case 'malformed':
        this.#malformed++;
        break;
      case 'none':
        break;
    }
  }

  #observeNetwork(
    negotiation: Negotiation<typeof IPCP_OPTIONS> | Negotiation<typeof IPV6CP_OPTIONS>,
    sender: Side,
    packet: ControlPacket,
    now: number,
  ): void {
    const step = negotiation.observe(sender, packet);
    switch (step.type) {
      case 'opened':
        if (packet.protocol === 'IPCP') this.#up = false;
        this.#followNetwork(now);
        break;
      case 'restarted':
      case 'closed':
        this.#followNetwork(now);
        break;
      case 'refused':
        this.#refuse(sender, packet.protocol, step.options, step.how);
        break;
      case 'malformed':
        this.#malformed++;
        break;
      case 'none':
        break;
    }
  }

  #observeCcp(sender: Side, packet: ControlPacket): void {
    const step = this.#ccp.observe(sender, packet);
    switch (step.type) {
      case 'opened':
        this.#setEncryption(this.#agreedEncryption());
        break;
      case 'restarted':
      case 'closed':
        this.#encryption = null;
        break;
      case 'refused':
        this.#refuse(sender, 'CCP', step.options, step.how);
        if (step.how === 'reject' && step.options.some(({ name }) => name === 'mppe')) this.#refuseEncryption(sender);
        break;
      case 'malformed':
        this.#malformed++;
        break;
      case 'none':
        break;
    }
  }

  /** The first refusal counts until CCP agrees, so that refusals by both sides cause one event. */
  #refuseEncryption(by: Side): void {
    if (this.#encryption?.method === 'none') return;
    this.#setEncryption({ method: 'none', refusedBy: by });
  }

  #setEncryption(encryption: Encryption): void {
    this.#encryption = encryption;
    this.#events.push({ type: 'encryption', encryption });
  }

  /** What a side requested applies to what is sent to it (RFC 1962 §4). */
  #agreedEncryption(): Encryption {
    const toClient = keyLength(this.#ccp.side('client').agreed?.mppe);
    const fromClient = keyLength(this.#ccp.side('server').agreed?.mppe);
    const [first, second = first] = [toClient, fromClient].filter((direction) => direction !== null);
    if (first === undefined || second === undefined) {
      const refusedBy = this.#encryption?.method === 'none' ? this.#encryption.refusedBy : null;
      return { method: 'none', refusedBy };
    }
    let oneWay: 'toClient' | 'fromClient' | null = null;
    if (toClient === null) oneWay = 'fromClient';
    else if (fromClient === null) oneWay = 'toClient';
    const bits = first.bits < second.bits ? first.bits : second.bits;
    return { method: 'mppe', bits, stateless: first.stateless && second.stateless, oneWay };
  }

  /** Goes up or down with the network protocols. */
  #followNetwork(now: number): void {
    // After a Terminate-Request the link does not come up before LCP opens again.
    if (this.#lcp.termination !== null) return;
    const up = this.#ipcp.open || (this.#ipv6cp.open && !this.#ipcp.begun);
    if (up && !this.#up) {
      this.#times.up = now;
      this.#events.push({ type: 'up', addresses: this.#addresses(), encryption: this.#encryption });
    }
    this.#up = up;
  }

  #refuse(by: Side, protocol: string, options: readonly Refused[], how: Refusal['how']): void {
    for (const { name: option, asked, proposed } of options) {
      const known = this.#refusals.some(
        (refusal) =>
          refusal.by === by && refusal.protocol === protocol && refusal.option === option && refusal.how === how,
      );
      if (known || this.#refusals.length >= MAX_REFUSALS) continue;
      this.#refusals.push({ by, protocol, option, how, asked, proposed });
    }
  }

  /** A side's option applies to what is sent to it. */
  #accm(): BothWays<number> {
    const accm = (side: Side) => this.#lcp.side(side).agreed?.accm ?? DEFAULT_ACCM;
    return { toClient: accm('client'), fromClient: accm('server') };
  }

  #mru(): BothWays<number> {
    const mru = (side: Side) => this.#lcp.side(side).agreed?.mru ?? DEFAULT_MRU;
    return { toClient: mru('client'), fromClient: mru('server') };
  }

  #addresses(): Addresses | null {
    if (!this.#ipcp.open) return null;
    const client = this.#ipcp.side('client').agreed;
    return {
      local: this.#ipcp.side('server').agreed?.address ?? null,
      remote: client?.address ?? null,
      dns: present(client?.primaryDns, client?.secondaryDns),
      wins: present(client?.primaryWins, client?.secondaryWins),
    };
  }
}

const present = (...addresses: (string | undefined)[]) => addresses.filter((address) => address !== undefined);

/** The key length of an agreed MPPE option, the longest if it names several; null: no encryption. */
function keyLength(offer: MppeOffer | undefined): { bits: 40 | 56 | 128; stateless: boolean } | null {
  const bits = offer?.keys.at(-1);
  return bits === undefined || offer === undefined ? null : { bits, stateless: offer.stateless };
}
