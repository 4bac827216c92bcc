/**
 * The phase between login and network: MPPE's negotiation by CCP (RFC 3078), which the settings require, prefer or leave
 * out. Network protocols wait until it is settled.
 */
import { CODES } from '../negotiation.js';
import { CCP_OPTIONS, type MppeOffer, type ReceivedOption } from '../options.js';
import type { ControlPacket } from '../packet.js';
import { ccpRules } from './ccp-rules.js';
import { type Clock, ControlProtocol, type ControlProtocolEvent } from './control-protocol.js';
import type { EngineEnd } from './end.js';
import { Rate } from './rate.js';
import type { EngineSettings, KeyLength } from './settings.js';

const MAX_RESETS_A_SECOND = 20;

/** MPPE in one direction. */
export interface Mppe {
  readonly bits: KeyLength;
  readonly stateless: boolean;
}

export type EncryptionEvent =
  /** CCP is open: from now on data is encrypted, in both directions. Without encryption the event does not come. */
  | { readonly type: 'encryption'; readonly toClient: Mppe; readonly fromClient: Mppe }
  | { readonly type: 'encryptionDown' }
  /** The client has lost packets: the next one to it must be FLUSHED (RFC 3078 §7.2). */
  | { readonly type: 'resetRequested' }
  /** Network protocols may open. It may come again. */
  | { readonly type: 'settled' }
  | { readonly type: 'failed'; readonly cause: EngineEnd };

export interface EncryptionOptions {
  readonly settings: Pick<EngineSettings, 'encryption' | 'statelessOnly'>;
  readonly clock: Clock;
  readonly peerMru: () => number;
  readonly isLinkOpen: () => boolean;
  /** Sends a CCP packet, header included. */
  readonly send: (packet: Uint8Array) => void;
  readonly onEvent: (event: EncryptionEvent) => void;
}

export class Encryption {
  readonly #options: EncryptionOptions;
  readonly #ccp: ControlProtocol<typeof CCP_OPTIONS>;
  readonly #resets: Rate;
  #keys: readonly KeyLength[] = [];
  /** `encryption` was emitted. */
  #isUp = false;

  constructor(options: EncryptionOptions) {
    this.#options = options;
    const { settings, clock, peerMru, send } = options;
    this.#resets = new Rate(MAX_RESETS_A_SECOND, clock);
    this.#ccp = new ControlProtocol({
      clock,
      peerMru,
      send,
      declarations: CCP_OPTIONS,
      rules: ccpRules({ keys: () => this.#keys, statelessOnly: settings.statelessOnly }),
      onEvent: (event) => this.#recvEvent(event),
      codes: {
        [CODES.resetRequest]: (packet) => this.#recvResetRequest(packet.identifier),
        [CODES.resetAck]: () => {},
      },
    });
  }

  /** Whether CCP is spoken at all: this login gives keys of an allowed length. */
  get isWanted(): boolean {
    return this.#keys.length > 0;
  }

  /** `keys`: what MPPE may use after this login, at least one. */
  open(keys: readonly KeyLength[]): void {
    this.#keys = keys;
    this.#ccp.open();
  }

  get deadline(): number | null {
    return this.#ccp.deadline;
  }

  tick(): void {
    this.#ccp.tick();
  }

  recv(packet: ControlPacket): void {
    this.#ccp.recv(packet);
  }

  recvProtocolReject(): void {
    this.#ccp.recvProtocolReject();
  }

  /** LCP is down. */
  lowerDown(): void {
    this.#ccp.lowerDown();
    this.#keys = [];
  }

  /** Asks the client to flush: what it sends cannot be decrypted any more. */
  requestReset(): void {
    if (!this.#ccp.isOpen || !this.#resets.take()) return;
    this.#ccp.send(CODES.resetRequest, this.#ccp.nextIdentifier(), new Uint8Array(0));
  }

  get #isRequired(): boolean {
    return this.#options.settings.encryption === 'require';
  }

  #emit(event: EncryptionEvent): void {
    this.#options.onEvent(event);
  }

  #recvEvent(event: ControlProtocolEvent): void {
    switch (event.type) {
      case 'up':
        this.#begin();
        return;
      case 'down':
        this.#finish();
        return;
      case 'finished':
        if (this.#options.isLinkOpen()) this.#giveUp(encryptionEnd(event.why));
        return;
      case 'terminateRequest':
        if (!this.#ccp.isOpen) this.#giveUp({ kind: 'encryptionRefused', how: 'terminate', asked: null });
        return;
      case 'answered':
        // The client asks for compression, or for encryption that is not allowed, and for nothing better.
        if (event.answer.code === CODES.configureReject && !isNegotiable(event.answer.verdicts.get('mppe'))) {
          this.#refuse('request', event.options);
        }
        return;
      case 'refused':
        if (this.#ccp.exchange.asked('mppe') === undefined) this.#refuse(event.how, event.options);
        return;
      case 'codeRejected':
        return;
    }
  }

  /** There will be no encryption. */
  #giveUp(cause: EngineEnd): void {
    this.#emit(this.#isRequired ? { type: 'failed', cause } : { type: 'settled' });
  }

  #refuse(how: 'reject' | 'nak' | 'request', options: readonly ReceivedOption[]): void {
    if (!this.#isRequired) return;
    const value = how === 'reject' ? undefined : options.find(({ name }) => name === 'mppe')?.value;
    this.#emit({
      type: 'failed',
      cause: { kind: 'encryptionRefused', how, asked: (value ?? null) as MppeOffer | null },
    });
  }

  /**
   * What a side has asked for applies to what is sent to it (RFC 1962 §4). A client that agrees to encrypt and does not ask
   * for it would be sent plain text: that is a refusal.
   */
  #begin(): void {
    const fromClient = mppeOf(this.#ccp.exchange.own.mppe);
    const toClient = mppeOf(this.#ccp.exchange.peer.mppe);
    if (fromClient !== null && toClient !== null) {
      this.#isUp = true;
      this.#emit({ type: 'encryption', toClient, fromClient });
    } else if (fromClient !== null || toClient !== null) {
      this.#emit({ type: 'failed', cause: { kind: 'encryptionRefused', how: 'request', asked: null } });
      return;
    }
    this.#emit({ type: 'settled' });
  }

  /** MPPE cannot be negotiated a second time, because the same keys would repeat the same key stream. So the link ends. */
  #finish(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#emit({ type: 'encryptionDown' });
    if (this.#options.isLinkOpen()) this.#emit({ type: 'failed', cause: { kind: 'encryptionLost' } });
  }

  /** RFC 3078 §7.2 wants a flushed packet; the Reset-Ack is for pppd, which waits a second for it before it asks again. */
  #recvResetRequest(identifier: number): void {
    if (!this.#ccp.isOpen) return;
    this.#emit({ type: 'resetRequested' });
    this.#ccp.send(CODES.resetAck, identifier, new Uint8Array(0));
  }
}

type Why = Extract<ControlProtocolEvent, { type: 'finished' }>['why'];

function encryptionEnd(why: Why): EngineEnd {
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
