/**
 * A server's PPP, as far as it is packets: LCP, the client's login, MPPE's negotiation in CCP, IPCP and IPV6CP (RFC 1661
 * §3.2's phases). Pure: time, randomness, passwords and keys are its owner's, who also carries the data.
 *
 * Bytes come from anyone: none makes it throw, what is kept is bounded, and a packet causes one answer and such packets of
 * ours as then are due, a handful at most.
 */
import { FieldReader } from '../field-reader.js';
import { FieldWriter } from '../field-writer.js';
import { CODES } from '../negotiation.js';
import {
  CCP_OPTIONS,
  IPCP_OPTIONS,
  IPV6CP_OPTIONS,
  LCP_OPTIONS,
  type MppeOffer,
  type ReceivedOption,
} from '../options.js';
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
import { isNegotiating } from './automaton.js';
import { ccpRules } from './ccp-rules.js';
import { type Clock, ControlProtocol, type ControlProtocolEvent } from './control-protocol.js';
import { Echo } from './echo.js';
import { type EngineEnd, TERMINATE_TEXTS } from './end.js';
import { ipcpRules } from './ipcp-rules.js';
import { ipv6cpRules } from './ipv6cp-rules.js';
import { DEFAULT_MRU, lcpRules } from './lcp-rules.js';
import { Rate } from './rate.js';
import type { AuthenticationRequest, EngineSettings, KeyLength, Verdict } from './settings.js';

export type { EngineEnd } from './end.js';
export type * from './settings.js';

/** RFC 1662 §7.1. */
const DEFAULT_ACCM = 0xffff_ffff;
/** pppd's lcp-max-loopback: so many Naks of our magic numbers, and it is ourselves that we hear. */
const MAX_LOOPS = 10;
/** RFC 1661 §2: protocol numbers below are data. */
const FIRST_CONTROL_PROTOCOL = 0x8000;
/** Protocol-Rejects and Reset-Requests, each. */
const MAX_REJECTS_A_SECOND = 10;
const MAX_RESETS_A_SECOND = 20;
/** Longest Configure-Request that is kept until its protocol may open, octets: more than all options together take. */
const MAX_HELD = 256;

/** MPPE in one direction. */
export interface Mppe {
  readonly bits: KeyLength;
  readonly stateless: boolean;
}

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
  | { readonly type: 'authenticate'; readonly request: AuthenticationRequest }
  /**
   * CCP is open: from now on data is encrypted, in both directions. Without encryption the event does not come.
   */
  | { readonly type: 'encryption'; readonly toClient: Mppe; readonly fromClient: Mppe }
  | { readonly type: 'encryptionDown' }
  /** The client has lost step: the next packet to it has to be FLUSHED (RFC 3078 §7.2). */
  | { readonly type: 'resetRequested' }
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
  /** Once; nothing comes after it. */
  | { readonly type: 'ended'; readonly cause: EngineEnd };

export interface EngineOptions {
  readonly settings: EngineSettings;
  /** Returns this many unpredictable octets, for challenges. */
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
  readonly #ccp: ControlProtocol<typeof CCP_OPTIONS>;
  readonly #ipcp: ControlProtocol<typeof IPCP_OPTIONS>;
  readonly #ipv6cp: ControlProtocol<typeof IPV6CP_OPTIONS>;
  readonly #authenticator: Authenticator;
  readonly #echo: Echo;
  readonly #rejects = new Rate(MAX_REJECTS_A_SECOND, this.#clock);
  readonly #resets = new Rate(MAX_RESETS_A_SECOND, this.#clock);

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
  #verdict: Accepted | null = null;
  /** What MPPE may use after this login. */
  #keys: readonly KeyLength[] = [];
  /** `encryption` was said. */
  #encrypted = false;
  /** `network` and `network6` were said. */
  #network = false;
  #network6 = false;
  /** Addresses that the client wants for itself and for us, as far as we disagree. */
  readonly #wishes: { client: string | null; server: string | null } = { client: null, server: null };
  /** Why we have closed IPCP. */
  #addressRefused: EngineEnd | null = null;
  /** Configure-Requests of network protocols that came before these may open, the last one each. */
  readonly #held = new Map<Protocol, Uint8Array>();

  constructor({ settings, random, onEvent }: EngineOptions) {
    this.#settings = settings;
    this.#random = random;
    this.#onEvent = onEvent;
    const clock = this.#clock;
    const common = { clock, peerMru: () => this.#peerMru };
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
    this.#ccp = new ControlProtocol({
      ...common,
      declarations: CCP_OPTIONS,
      rules: ccpRules({ keys: () => this.#keys, statelessOnly: settings.statelessOnly }),
      send: (packet) => this.#send('CCP', packet),
      onEvent: (event) => this.#ccpEvent(event),
      codes: {
        [CODES.resetRequest]: (packet) => this.#recvResetRequest(packet.identifier),
        [CODES.resetAck]: () => {},
      },
    });
    this.#ipcp = new ControlProtocol({
      ...common,
      declarations: IPCP_OPTIONS,
      rules: ipcpRules({
        local: () => this.#local ?? '0.0.0.0',
        remote: () => this.#remote,
        remoteChoices: () => this.#verdict?.remoteChoices ?? [],
        dns: settings.dns,
        wins: settings.wins,
      }),
      send: (packet) => this.#send('IPCP', packet),
      onEvent: (event) => this.#ipcpEvent(event),
    });
    this.#ipv6cp = new ControlProtocol({
      ...common,
      declarations: IPV6CP_OPTIONS,
      rules: ipv6cpRules({
        identifier: () => this.#randomIdentifier(),
        own: () => this.#ipv6cp.exchange.asked('interfaceIdentifier'),
      }),
      send: (packet) => this.#send('IPV6CP', packet),
      onEvent: (event) => this.#ipv6cpEvent(event),
    });
    this.#authenticator = new Authenticator({
      name: settings.name,
      random,
      clock,
      onEvent: (event) => {
        switch (event.type) {
          case 'send':
            this.#send(event.protocol, event.packet);
            return;
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

  /** When `tick` wants to be called next; null: no timer runs. */
  get deadline(): number | null {
    const parts = [this.#lcp, this.#ccp, this.#ipcp, this.#ipv6cp, this.#authenticator, this.#echo];
    return parts.reduce<number | null>(
      (first, { deadline }) => (first === null || (deadline !== null && deadline < first) ? deadline : first),
      null,
    );
  }

  tick(now: number): void {
    this.#run(now, () => {
      for (const part of [this.#lcp, this.#ccp, this.#ipcp, this.#ipv6cp, this.#authenticator, this.#echo]) part.tick();
    });
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
    this.#run(now, () => {
      if (!this.#ccp.isOpen || !this.#resets.take()) return;
      this.#ccp.send(CODES.resetRequest, this.#ccp.nextIdentifier(), new Uint8Array(0));
    });
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
          this.#held.set(packet.protocol, frame.slice());
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
    if (protocol === 'CCP') return this.#keys.length === 0 ? 'reject' : 'take';
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
        this.#ccp.recv(packet);
        return;
      case 'IPCP':
        this.#ipcp.recv(packet);
        return;
      case 'IPV6CP':
        this.#ipv6cp.recv(packet);
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
    else this.#lcp.close(cause.kind === 'administrative' ? cause.reason : TERMINATE_TEXTS[cause.kind]);
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
    for (const protocol of [this.#ipcp, this.#ipv6cp, this.#ccp]) protocol.lowerDown();
    this.#held.clear();
    this.#verdict = null;
    this.#keys = [];
    this.#addressRefused = null;
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
        this.#ccp.recvProtocolReject();
        return;
      case 'IPCP':
        this.#ipcp.recvProtocolReject();
        return;
      case 'IPV6CP':
        this.#ipv6cp.recvProtocolReject();
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

  get #local(): string | null {
    return this.#verdict?.local ?? this.#settings.local;
  }

  get #remote(): string | null {
    return this.#verdict?.remote ?? this.#settings.remote;
  }

  #enterNetwork(verdict: Accepted): void {
    this.#verdict = verdict;
    const { method } = this.#authenticator;
    const { encryption, encryptionKeys } = this.#settings;
    const hasKeys = encryption !== 'none' && verdict.hasKeys;
    // MS-CHAPv1's 40 and 56 bits come from the LAN Manager hash (RFC 3079 §2), which nobody here has; so it is with pppd.
    this.#keys = hasKeys ? encryptionKeys.filter((key) => method !== 'ms-chap' || key === 128) : [];
    if (this.#local === null) this.#end({ kind: 'noAddress', whose: 'server' });
    else if (this.#remote === null && verdict.remoteChoices.length === 0)
      this.#end({ kind: 'noAddress', whose: 'client' });
    else if (this.#keys.length === 0 && encryption === 'require') this.#end({ kind: 'encryptionUnavailable', method });
    else if (this.#keys.length === 0) this.#openNetwork();
    else {
      this.#phase = 'encrypt';
      this.#ccp.open();
    }
  }

  /** CCP is settled. */
  #openNetwork(): void {
    if (this.#phase !== 'authenticate' && this.#phase !== 'encrypt') return;
    this.#phase = 'network';
    this.#ipcp.open();
    if (this.#settings.ipv6) this.#ipv6cp.open();
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const frame of held) this.#recv(frame);
  }

  get #isRequired(): boolean {
    return this.#settings.encryption === 'require';
  }

  #ccpEvent(event: ControlProtocolEvent): void {
    switch (event.type) {
      case 'up':
        this.#openEncryption();
        return;
      case 'down':
        this.#closeEncryption();
        return;
      case 'finished':
        if (!this.#lcp.isOpen) return;
        if (this.#isRequired) this.#end(encryptionEnd(event.why));
        else this.#openNetwork();
        return;
      case 'terminateRequest':
        if (this.#ccp.isOpen) return;
        if (this.#isRequired) this.#end({ kind: 'encryptionRefused', how: 'terminate', asked: null });
        else this.#openNetwork();
        return;
      case 'answered':
        // The client asks for compression, or for encryption that is not allowed, and for nothing better.
        if (event.answer.code === CODES.configureReject && !isNegotiable(event.answer.verdicts.get('mppe'))) {
          this.#refuseEncryption('request', event.options);
        }
        return;
      case 'refused':
        if (this.#ccp.exchange.asked('mppe') === undefined) this.#refuseEncryption(event.how, event.options);
        return;
      case 'codeRejected':
        return;
    }
  }

  #refuseEncryption(how: 'reject' | 'nak' | 'request', options: readonly ReceivedOption[]): void {
    if (!this.#isRequired) return;
    const value = how === 'reject' ? undefined : options.find(({ name }) => name === 'mppe')?.value;
    this.#end({ kind: 'encryptionRefused', how, asked: (value ?? null) as MppeOffer | null });
  }

  /**
   * What a side has asked for holds for what is sent to it (RFC 1962 §4). A client that agrees to encrypt and does not ask for
   * it would be sent plain text: that is a refusal.
   */
  #openEncryption(): void {
    const fromClient = mppeOf(this.#ccp.exchange.own.mppe);
    const toClient = mppeOf(this.#ccp.exchange.peer.mppe);
    if (fromClient !== null && toClient !== null) {
      this.#encrypted = true;
      this.#emit({ type: 'encryption', toClient, fromClient });
    } else if (fromClient !== null || toClient !== null) {
      this.#end({ kind: 'encryptionRefused', how: 'request', asked: null });
      return;
    }
    this.#openNetwork();
  }

  /**
   * MPPE does not survive a second negotiation: the same keys would begin again with the same key stream. So the link ends,
   * unless it is LCP that has taken CCP down.
   */
  #closeEncryption(): void {
    if (!this.#encrypted) return;
    this.#encrypted = false;
    this.#emit({ type: 'encryptionDown' });
    if (this.#lcp.isOpen) this.#end({ kind: 'encryptionLost' });
  }

  /** RFC 3078 §7.2 wants a flushed packet; the Reset-Ack is for pppd, which waits a second for it before it asks again. */
  #recvResetRequest(identifier: number): void {
    if (!this.#ccp.isOpen) return;
    this.#emit({ type: 'resetRequested' });
    this.#ccp.send(CODES.resetAck, identifier, new Uint8Array(0));
  }

  #ipcpEvent(event: ControlProtocolEvent): void {
    switch (event.type) {
      case 'up':
        this.#openIpv4();
        return;
      case 'down':
        if (this.#network) this.#emit({ type: 'networkDown' });
        this.#network = false;
        return;
      case 'finished':
        this.#finishNetwork(this.#ipcpEnd(event.why));
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
      this.#ipcp.close(TERMINATE_TEXTS.addressRefused);
    } else {
      this.#network = true;
      const dns = taken(peer.primaryDns, peer.secondaryDns);
      const wins = taken(peer.primaryWins, peer.secondaryWins);
      this.#emit({ type: 'network', local: own.address, remote: peer.address, dns, wins });
    }
  }

  #ipcpEnd(why: Finished['why']): EngineEnd {
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

  #ipv6cpEvent(event: ControlProtocolEvent): void {
    switch (event.type) {
      case 'up': {
        const local = this.#ipv6cp.exchange.own.interfaceIdentifier;
        const remote = this.#ipv6cp.exchange.peer.interfaceIdentifier;
        this.#network6 = local !== undefined && remote !== undefined;
        if (local !== undefined && remote !== undefined) this.#emit({ type: 'network6', local, remote });
        else this.#ipv6cp.close('Interface identifier refused');
        return;
      }
      case 'down':
        if (this.#network6) this.#emit({ type: 'network6Down' });
        this.#network6 = false;
        return;
      case 'finished':
        this.#finishNetwork({ kind: 'networkClosed' });
        return;
      case 'terminateRequest':
      case 'answered':
      case 'refused':
      case 'codeRejected':
        return;
    }
  }

  /** A link without any network protocol serves nobody. */
  #finishNetwork(cause: EngineEnd): void {
    const isLeft = [this.#ipcp, this.#ipv6cp].some(({ state }) => state === 'opened' || isNegotiating(state));
    if (!isLeft && this.#lcp.isOpen) this.#end(cause);
  }

  #randomNumber(): number {
    return new FieldReader(this.#random(4)).u32() || 1;
  }

  /** RFC 5072 §4.1: the bit of global uniqueness is zero. */
  #randomIdentifier(): string {
    const octets = this.#random(8);
    const fields = new FieldReader(octets);
    const groups = [fields.u16() & 0xfdff, fields.u16(), fields.u16(), fields.u16() || 1];
    return groups.map((group) => group.toString(16)).join(':');
  }
}

type Finished = Extract<ControlProtocolEvent, { type: 'finished' }>;
type Refused = Extract<ControlProtocolEvent, { type: 'refused' }>;

function encryptionEnd(why: Finished['why']): EngineEnd {
  switch (why) {
    case 'silence':
      return { kind: 'ncpTimeout', protocol: 'CCP' };
    case 'noAgreement':
      return { kind: 'noAgreement', protocol: 'CCP' };
    case 'rejected':
      return { kind: 'encryptionRefused', how: 'protocolReject', asked: null };
    case 'closed':
      return { kind: 'encryptionRefused', how: 'terminate', asked: null };
  }
}

const isNegotiable = (verdict: 'ack' | 'nak' | 'reject' | undefined): boolean => verdict === 'ack' || verdict === 'nak';

/** A client may acknowledge several key lengths at once: then the strongest, as the kernel's MPPE has it. */
function mppeOf(offer: MppeOffer | undefined): Mppe | null {
  const bits = offer?.keys.reduce<KeyLength>((one, other) => (other > one ? other : one), 40);
  return offer === undefined || bits === undefined ? null : { bits, stateless: offer.stateless };
}

const taken = (...addresses: (string | undefined)[]): string[] => [
  ...new Set(addresses.filter((address) => address !== undefined)),
];

/** An address option's value in a packet; null: not there. */
function valueOf(options: readonly ReceivedOption[], wanted: string): string | null {
  const value = options.find(({ name }) => name === wanted)?.value;
  return typeof value === 'string' ? value : null;
}
