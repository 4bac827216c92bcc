/**
 * A server's PPP, as far as it is packets: LCP, the client's login, MPPE's negotiation in CCP, IPCP and IPV6CP (RFC 1661
 * §3.2's phases). Pure: time, randomness, challenges, passwords and keys are its owner's, who also carries the data.
 *
 * Bytes come from anyone: none makes it throw, what is kept is bounded, and a packet causes one answer and such packets of
 * ours as then are due, a handful at most.
 */
import { FieldReader } from '../field-reader.js';
import { FieldWriter } from '../field-writer.js';
import { CODES } from '../negotiation.js';
import { LCP_OPTIONS } from '../options.js';
import {
  type ControlPacket,
  type Protocol,
  parsePacket,
  protocolNumber,
  protocolOf,
  splitFrame,
  writeFrame,
  writePacket,
} from '../packet.js';
import { readTermination } from '../terminate.js';
import { type Accepted, Authenticator, METHODS } from './authenticator.js';
import { type Clock, ControlProtocol, type ControlProtocolEvent } from './control-protocol.js';
import { Echo } from './echo.js';
import { Encryption, type EncryptionEvent } from './encryption.js';
import { ENGINE_ENDS, type EngineEnd } from './end.js';
import { DEFAULT_MRU, lcpRules } from './lcp-rules.js';
import { Network, type NetworkAddresses, type NetworkEvent } from './network.js';
import { Rate } from './rate.js';
import type { AuthenticationRequest, Challenge, ChapMethod, EngineSettings, Verdict } from './settings.js';

export type { EngineEnd } from './end.js';
export type * from './settings.js';

/** RFC 1662 §7.1. */
const DEFAULT_ACCM = 0xffff_ffff;
/** pppd's lcp-max-loopback: so many Naks of our magic numbers, and it is ourselves that we hear. */
const MAX_LOOPS = 10;
/** RFC 1661 §2: protocol numbers below are data. */
const FIRST_CONTROL_PROTOCOL = 0x8000;
const MAX_REJECTS_A_SECOND = 10;
/** Longest Configure-Request that is kept until its protocol may open, octets: more than all options together take. */
const MAX_HELD = 256;

export type EngineEvent =
  /** A control frame for the client: with address and control fields, without FCS. */
  | { readonly type: 'send'; readonly frame: Uint8Array }
  /** LCP has opened, perhaps again. `peer...`: what holds for what we send; `mru`: what the client may send. */
  | {
      readonly type: 'linkUp';
      readonly mru: number;
      readonly peerMru: number;
      readonly peerAccm: number;
      readonly peerTakesPfc: boolean;
      readonly peerTakesAcfc: boolean;
    }
  /** LCP has left Opened: data stops; network and encryption were said to be down before. */
  | { readonly type: 'linkDown' }
  /** To be answered by `recvChallenge`. */
  | { readonly type: 'challengeNeeded'; readonly id: number; readonly method: ChapMethod }
  /** To be answered by `recvVerdict`. */
  | { readonly type: 'authenticate'; readonly request: AuthenticationRequest }
  | Exclude<EncryptionEvent | NetworkEvent, { type: 'settled' | 'failed' }>
  /** Once; nothing comes after it. */
  | { readonly type: 'ended'; readonly cause: EngineEnd };

export interface EngineOptions {
  readonly settings: EngineSettings;
  /** Returns this many unpredictable octets. */
  readonly random: (length: number) => Uint8Array;
  /** May call the engine again. */
  readonly onEvent: (event: EngineEvent) => void;
}

/**
 * RFC 1661 §3.2. `encrypt` comes between login and network, and is skipped where no encryption is tried: network protocols
 * have to wait until CCP is settled.
 */
type Phase = 'dead' | 'establish' | 'authenticate' | 'encrypt' | 'network' | 'ended';

export class Engine {
  readonly #settings: EngineSettings;
  readonly #random: (length: number) => Uint8Array;
  readonly #onEvent: (event: EngineEvent) => void;
  readonly #clock: Clock = { now: 0 };
  readonly #events: EngineEvent[] = [];
  #delivering = false;

  readonly #lcp: ControlProtocol<typeof LCP_OPTIONS>;
  readonly #encryption: Encryption;
  readonly #network: Network;
  readonly #authenticator: Authenticator;
  readonly #echo: Echo;
  readonly #rejects = new Rate(MAX_REJECTS_A_SECOND, this.#clock);

  #phase: Phase = 'dead';
  /** Why LCP is closing; null: it is not, or not on our wish. */
  #cause: EngineEnd | null = null;
  /** The client's last Terminate-Request, unless it has asked to restart since. */
  #termination: Extract<EngineEnd, { kind: 'peerTerminated' }> | null = null;
  #received = 0;
  #loops = 0;
  /** What the client wants in place of the authentication that it refused last. */
  #proposedAuthentication: string | null = null;
  #peerMru = DEFAULT_MRU;
  /** What the login permits; null before it. */
  #addresses: NetworkAddresses | null = null;
  /** Configure-Requests of network protocols that came before these may open, the last one each. */
  readonly #held = new Map<Protocol, Uint8Array>();

  constructor({ settings, random, onEvent }: EngineOptions) {
    this.#settings = settings;
    this.#random = random;
    this.#onEvent = onEvent;
    const clock = this.#clock;
    const common = { clock, peerMru: () => this.#peerMru, isLinkOpen: () => this.#lcp.isOpen };
    this.#lcp = new ControlProtocol({
      ...common,
      declarations: LCP_OPTIONS,
      rules: lcpRules({
        mru: settings.mru,
        authentication: settings.authentication.map((method) => METHODS[method].lcp),
        magicNumber: () => this.#randomNumber(),
        ownMagicNumber: () => this.#lcp.exchange.asked('magicNumber'),
      }),
      send: (packet) => this.#send('LCP', packet),
      onEvent: (event) => this.#lcpEvent(event),
      codes: {
        [CODES.protocolReject]: (packet) => this.#recvProtocolReject(packet.body()),
        [CODES.echoRequest]: (packet) => this.#recvEchoRequest(packet),
        [CODES.echoReply]: (packet) => this.#recvEchoReply(packet.body()),
        [CODES.discardRequest]: () => {},
        [CODES.identification]: () => {},
        [CODES.timeRemaining]: () => {},
      },
    });
    this.#encryption = new Encryption({
      ...common,
      settings,
      send: (packet) => this.#send('CCP', packet),
      onEvent: (event) => this.#recvPhaseEvent(event),
    });
    this.#network = new Network({
      ...common,
      settings,
      random,
      send: (protocol, packet) => this.#send(protocol, packet),
      onEvent: (event) => this.#recvPhaseEvent(event),
    });
    this.#authenticator = new Authenticator({
      name: settings.name,
      identifier: random(1)[0] ?? 0,
      clock,
      onEvent: (event) => {
        switch (event.type) {
          case 'send':
            this.#send(event.protocol, event.packet);
            return;
          case 'challengeNeeded':
          case 'authenticate':
            this.#emit(event);
            return;
          case 'accepted':
            this.#enterNetwork(event.verdict);
            return;
          case 'failed':
            this.#end(event.cause);
            return;
        }
      },
    });
    this.#echo = new Echo({
      ...settings.lcpEcho,
      clock,
      send: () => {
        const magic = new FieldWriter().u32(this.#ownMagicNumber);
        this.#lcp.send(CODES.echoRequest, this.#lcp.nextIdentifier(), magic.octets);
      },
      onGone: () => this.#end({ kind: 'echoTimeout', failures: settings.lcpEcho.failures }),
    });
  }

  /** Begins with our first Configure-Request. `now` here and below: milliseconds of any one clock that does not go back. */
  start(now: number): void {
    this.#run(now, () => {
      if (this.#phase !== 'dead') return;
      this.#phase = 'establish';
      this.#lcp.open();
    });
  }

  /** A control frame of the client, with or without address and control fields. It is not kept. Never throws. */
  recv(frame: Uint8Array, now: number): void {
    this.#run(now, () => this.#recv(frame));
  }

  /**
   * Data of a protocol that nobody knows: tells the client so (RFC 1661 §5.7), some ten times a second at most. `information` is
   * what follows the protocol field, decrypted.
   */
  recvUnknownData(protocol: number, information: Uint8Array, now: number): void {
    this.#run(now, () => {
      if (this.#phase === 'network') this.#rejectProtocol(protocol, information);
    });
  }

  /** Everything that has timers. */
  get #parts(): readonly { readonly deadline: number | null; tick(): void }[] {
    return [this.#lcp, this.#encryption, ...this.#network.parts, this.#authenticator, this.#echo];
  }

  /** When `tick` wants to be called next; null: no timer runs. */
  get deadline(): number | null {
    return this.#parts.reduce<number | null>(
      (first, { deadline }) => (first === null || (deadline !== null && deadline < first) ? deadline : first),
      null,
    );
  }

  tick(now: number): void {
    this.#run(now, () => {
      for (const part of this.#parts) part.tick();
    });
  }

  /** The answer to a `challengeNeeded` event. One that comes late or twice changes nothing. */
  recvChallenge(challenge: Challenge, now: number): void {
    this.#run(now, () => this.#authenticator.recvChallenge(challenge));
  }

  /** The answer to an `authenticate` event. One that comes late or twice changes nothing. */
  recvVerdict(verdict: Verdict, now: number): void {
    this.#run(now, () => this.#authenticator.recvVerdict(verdict));
  }

  /**
   * What we receive can no longer be decrypted (stateful MPPE): asks the client to reset (CCP Reset-Request). May be called for
   * every packet.
   */
  requestReset(now: number): void {
    this.#run(now, () => this.#encryption.requestReset());
  }

  /** Takes the link down in order; `ended` follows, at the latest after the Terminate-Requests were not answered. */
  terminate(reason: string, now: number): void {
    this.#run(now, () => this.#end({ kind: 'administrative', reason }));
  }

  /** Events are delivered when the engine's own state is settled, so that a handler may call it again. */
  #run(now: number, act: () => void): void {
    this.#clock.now = now;
    act();
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) this.#onEvent(event);
    } finally {
      this.#delivering = false;
    }
  }

  #emit(event: EngineEvent): void {
    this.#events.push(event);
  }

  #send(protocol: Protocol, packet: Uint8Array): void {
    this.#emit({ type: 'send', frame: writeFrame(protocolNumber(protocol) ?? 0, packet) });
  }

  #recv(frame: Uint8Array): void {
    if (this.#phase === 'dead' || this.#phase === 'ended') return;
    this.#received++;
    const split = splitFrame(frame);
    if (typeof split === 'string' || split.number < FIRST_CONTROL_PROTOCOL) return;
    const { number, information } = split;
    const protocol = protocolOf(number);
    if (protocol !== 'LCP' && !this.#lcp.isOpen) return;
    const whole = information.rest();
    const packet = protocol === undefined ? 'malformed' : parsePacket(protocol, information);
    switch (this.#treatment(protocol)) {
      case 'take':
        if (packet !== 'malformed') this.#take(packet);
        return;
      case 'hold':
        // Longer requests come again; to keep them all is not needed.
        if (packet !== 'malformed' && packet.code === CODES.configureRequest && frame.length <= MAX_HELD) {
          this.#held.set(packet.protocol, Uint8Array.from(frame));
        }
        return;
      case 'reject':
        this.#rejectProtocol(number, whole.bytes(whole.left));
        return;
      case 'drop':
        return;
    }
  }

  /** RFC 1661 §3.4-3.6: before the login nothing but LCP and the login is heard, nor even rejected. */
  #treatment(protocol: Protocol | undefined): 'take' | 'hold' | 'reject' | 'drop' {
    if (protocol === 'LCP' || protocol === 'CHAP' || protocol === 'PAP') return 'take';
    if (this.#phase !== 'encrypt' && this.#phase !== 'network') return 'drop';
    if (protocol === 'CCP') return this.#encryption.isWanted ? 'take' : 'reject';
    // A closed IPCP would answer by Terminate-Ack, on which RouterOS hangs up.
    const network = this.#phase === 'network' ? 'take' : 'hold';
    if (protocol === 'IPCP') return network;
    return protocol === 'IPV6CP' && this.#settings.ipv6 ? network : 'reject';
  }

  #take(packet: ControlPacket): void {
    if (packet.protocol === 'CCP' || packet.protocol === 'IPCP') this.#authenticator.confirm();
    switch (packet.protocol) {
      case 'LCP':
        this.#lcp.recv(packet);
        return;
      case 'CHAP':
      case 'PAP':
        this.#authenticator.recv(packet);
        return;
      case 'CCP':
        this.#encryption.recv(packet);
        return;
      case 'IPCP':
      case 'IPV6CP':
        this.#network.recv(packet.protocol, packet);
        return;
      case 'EAP':
        return;
    }
  }

  #rejectProtocol(protocol: number, information: Uint8Array): void {
    if (!this.#lcp.isOpen || !this.#rejects.take()) return;
    const rejected = new FieldWriter().u16(protocol).bytes(information.subarray(0, this.#peerMru - 6));
    this.#lcp.send(CODES.protocolReject, this.#lcp.nextIdentifier(), rejected.octets);
  }

  #end(cause: EngineEnd): void {
    if (this.#cause !== null || this.#phase === 'ended') return;
    this.#cause = this.#peerEnd ?? cause;
    if (this.#phase === 'dead') this.#finish('closed');
    else this.#lcp.close(cause.kind === 'administrative' ? cause.reason : ENGINE_ENDS[cause.kind].toClient);
  }

  #finish(why: Finished['why']): void {
    this.#phase = 'ended';
    this.#emit({ type: 'ended', cause: this.#cause ?? this.#peerEnd ?? this.#unexpectedEnd(why) });
  }

  /** Why the client has ended the link; null: it has not. One that may try another password and gives up has failed to log in. */
  get #peerEnd(): EngineEnd | null {
    return this.#termination === null ? null : (this.#authenticator.failure ?? this.#termination);
  }

  #unexpectedEnd(why: Finished['why']): EngineEnd {
    switch (why) {
      case 'noAgreement':
        return { kind: 'noAgreement', protocol: 'LCP' };
      case 'rejected':
        return { kind: 'protocolRejected', protocol: 'LCP' };
      case 'silence':
      case 'closed':
        return { kind: 'lcpTimeout', received: this.#received };
    }
  }

  #lcpEvent(event: ControlProtocolEvent): void {
    switch (event.type) {
      case 'up':
        this.#openLink();
        return;
      case 'down':
        this.#closeLink();
        return;
      case 'finished':
        this.#finish(event.why);
        return;
      case 'terminateRequest': {
        const { text, windowsError } = readTermination('client', event.body);
        this.#termination ??= { kind: 'peerTerminated', text, windowsError };
        return;
      }
      case 'refused':
        this.#recvLcpRefusal(event);
        return;
      case 'codeRejected':
        if (event.code === CODES.echoRequest) this.#echo.stop();
        return;
      case 'answered':
        this.#termination = null;
        return;
    }
  }

  #recvLcpRefusal({ how, options }: Refused): void {
    const authentication = options.find(({ name }) => name === 'authentication');
    if (authentication !== undefined) {
      const { value } = authentication;
      this.#proposedAuthentication = how === 'nak' && typeof value === 'string' ? value : null;
    }
    const isLoop = how === 'nak' && options.some(({ name }) => name === 'magicNumber');
    this.#loops = isLoop ? this.#loops + 1 : 0;
    if (this.#loops >= MAX_LOOPS) this.#end({ kind: 'loopback' });
  }

  #openLink(): void {
    const { own, peer } = this.#lcp.exchange;
    this.#loops = 0;
    this.#phase = 'authenticate';
    this.#peerMru = Math.min(peer.mru ?? DEFAULT_MRU, DEFAULT_MRU);
    this.#emit({
      type: 'linkUp',
      mru: own.mru ?? DEFAULT_MRU,
      peerMru: peer.mru ?? DEFAULT_MRU,
      peerAccm: peer.accm ?? DEFAULT_ACCM,
      peerTakesPfc: peer.protocolFieldCompression ?? false,
      peerTakesAcfc: peer.addressControlCompression ?? false,
    });
    this.#echo.start();
    const method = this.#settings.authentication.find((allowed) => METHODS[allowed].lcp === own.authentication);
    if (method === undefined) this.#end({ kind: 'authenticationRefused', proposed: this.#proposedAuthentication });
    else this.#authenticator.start(method);
  }

  /** RFC 1661 §3.4: all that was built on the link goes with it. */
  #closeLink(): void {
    this.#phase = 'establish';
    this.#echo.stop();
    this.#authenticator.stop();
    this.#network.lowerDown();
    this.#encryption.lowerDown();
    this.#held.clear();
    this.#addresses = null;
    this.#peerMru = DEFAULT_MRU;
    this.#emit({ type: 'linkDown' });
  }

  #recvProtocolReject(body: FieldReader): void {
    const protocol = protocolOf(body.u16());
    if (body.short || !this.#lcp.isOpen) return;
    switch (protocol) {
      case 'LCP':
        this.#lcp.recvProtocolReject();
        return;
      case 'CHAP':
      case 'PAP':
        this.#authenticator.recvProtocolReject(protocol);
        return;
      case 'CCP':
        this.#encryption.recvProtocolReject();
        return;
      case 'IPCP':
      case 'IPV6CP':
        this.#network.recvProtocolReject(protocol);
        return;
      // We never sent any of it; or it is data, of which the client drops what it does not know.
      case 'EAP':
      case undefined:
        return;
    }
  }

  /** RFC 1661 §5.8: the request's octets, with our magic number in place of the client's. */
  #recvEchoRequest({ identifier, body }: ControlPacket): void {
    const fields = body();
    fields.u32();
    if (fields.short) return;
    const reply = new FieldWriter().u32(this.#ownMagicNumber).bytes(fields.bytes(this.#peerMru - 8));
    this.#lcp.replyToEcho(writePacket(CODES.echoReply, identifier, reply.octets));
  }

  #recvEchoReply(body: FieldReader): void {
    const magic = body.u32();
    const isOwn = this.#ownMagicNumber !== 0 && magic === this.#ownMagicNumber;
    if (!body.short && !isOwn) this.#echo.recvReply();
  }

  /** RFC 1661 §6.4: zero when none was agreed. */
  get #ownMagicNumber(): number {
    return this.#lcp.exchange.own.magicNumber ?? 0;
  }

  #enterNetwork(verdict: Accepted): void {
    const { method } = this.#authenticator;
    const { encryption, encryptionKeys } = this.#settings;
    const local = verdict.local ?? this.#settings.local;
    const remote = verdict.remote ?? this.#settings.remote;
    const { remoteChoices } = verdict;
    const hasKeys = encryption !== 'none' && verdict.hasKeys;
    // MS-CHAPv1's 40 and 56 bits come from the LAN Manager hash (RFC 3079 §2), which pppd does not use either.
    const keys = hasKeys ? encryptionKeys.filter((key) => method !== 'ms-chap' || key === 128) : [];
    if (local === null) this.#end({ kind: 'noAddress', whose: 'server' });
    else if (remote === null && remoteChoices.length === 0) this.#end({ kind: 'noAddress', whose: 'client' });
    else if (keys.length === 0 && encryption === 'require') this.#end({ kind: 'encryptionUnavailable', method });
    else {
      this.#phase = 'encrypt';
      this.#addresses = { local, remote, remoteChoices };
      if (keys.length === 0) this.#openNetwork();
      else this.#encryption.open(keys);
    }
  }

  #recvPhaseEvent(event: EncryptionEvent | NetworkEvent): void {
    if (event.type === 'settled') this.#openNetwork();
    else if (event.type === 'failed') this.#end(event.cause);
    else this.#emit(event);
  }

  /** Encryption is settled. */
  #openNetwork(): void {
    if (this.#phase !== 'encrypt' || this.#addresses === null) return;
    this.#phase = 'network';
    this.#network.open(this.#addresses);
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const frame of held) this.#recv(frame);
  }

  #randomNumber(): number {
    return new FieldReader(this.#random(4)).u32() || 1;
  }
}

type Finished = Extract<ControlProtocolEvent, { type: 'finished' }>;
type Refused = Extract<ControlProtocolEvent, { type: 'refused' }>;
