/**
 * One control protocol of a link, LCP or an NCP: its automaton (RFC 1661 §4), the packets that cause events and that actions
 * send (§5), restart timer and counters (§4.6). What it negotiates is a table of rules.
 */
import type { FieldReader } from '../field-reader.js';
import { CODES } from '../negotiation.js';
import type { Declarations, ReceivedOption } from '../options.js';
import type { ControlPacket } from '../packet.js';
import { writePacket } from '../packet.js';
import { type Action, type Event, isNegotiating, isTimed, type State, transition } from './automaton.js';
import { type Answer, OptionExchange, type Rules, same } from './option-exchange.js';

/** RFC 1661 §4.6, with its default values, which pppd has too. */
const RESTART_MS = 3000;
const MAX_CONFIGURE = 10;
const MAX_TERMINATE = 2;
/**
 * After this many Configure-Requests the negotiation fails, whatever the answers: the peer Naks for ever, or acknowledges
 * and never sends a request. Two willing peers need fewer than ten.
 */
const MAX_REQUESTS = 30;
/** Repeated or late requests tolerated; beyond this the peer is assumed to have restarted. */
const MAX_TOLERATED = 5;
/** Codes without which nothing works: a Code-Reject of one ends the link (RFC 1661 §5.6). */
const isVital = (code: number): boolean => code >= CODES.configureRequest && code <= CODES.codeReject;

const EMPTY = new Uint8Array(0);
const HALF_OF_IDENTIFIERS = 128;

/** The time of the packet or tick that is being handled, ms; shared by all parts of an engine. */
export interface Clock {
  now: number;
}

/** RFC 1661 §4.4's tlu, tld, tlf, and packets that the protocol's owner decides about. */
export type ControlProtocolEvent =
  | { readonly type: 'up' | 'down' }
  /** `why`: the peer does not answer, answers for ever without agreeing, has rejected the protocol, or it closed normally. */
  | { readonly type: 'finished'; readonly why: 'silence' | 'noAgreement' | 'rejected' | 'closed' }
  /** Before the protocol reacts. */
  | { readonly type: 'terminateRequest'; readonly body: FieldReader }
  /** After our answer was sent. */
  | { readonly type: 'answered'; readonly answer: Answer; readonly options: readonly ReceivedOption[] }
  /** The peer has refused what we ask for; what we ask for now is in `exchange`. */
  | { readonly type: 'refused'; readonly how: 'nak' | 'reject'; readonly options: readonly ReceivedOption[] }
  | { readonly type: 'codeRejected'; readonly code: number };

export interface ControlProtocolOptions<D extends Declarations> {
  readonly declarations: D;
  readonly rules: Rules<D>;
  readonly clock: Clock;
  /** Sends a packet, header included. */
  readonly send: (packet: Uint8Array) => void;
  /** Largest packet that the peer takes, octets. */
  readonly peerMru: () => number;
  readonly onEvent: (event: ControlProtocolEvent) => void;
  /** Codes of this protocol beyond RFC 1661's seven. */
  readonly codes?: Readonly<Record<number, (packet: ControlPacket) => void>>;
}

interface Numbered {
  readonly identifier: number;
  readonly body: Uint8Array;
}

export class ControlProtocol<D extends Declarations> {
  readonly exchange: OptionExchange<D>;
  readonly #options: ControlProtocolOptions<D>;
  #state: State = 'initial';
  #restartsLeft = 0;
  #deadline: number | null = null;
  /** The last one used, for all packets of ours that need one. */
  #identifier = 0;
  /** Configure-Requests sent in this negotiation. */
  #requests = 0;
  /** Our Configure-Request that waits for an answer. */
  #request: Numbered | null = null;
  /** The peer's request that we have acknowledged last. */
  #acknowledged: Numbered | null = null;
  #tolerated = 0;
  /** Why `tlf` comes. */
  #why: 'silence' | 'noAgreement' | 'rejected' | 'closed' = 'closed';
  #terminateText = EMPTY;
  /** What the actions sca, scn, sta, scj and ser send. */
  #reply: Uint8Array = EMPTY;

  constructor(options: ControlProtocolOptions<D>) {
    this.#options = options;
    this.exchange = new OptionExchange(options.declarations, options.rules);
  }

  get state(): State {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state === 'opened';
  }

  /** When `tick` wants to be called; null: no timer runs. */
  get deadline(): number | null {
    return this.#deadline;
  }

  nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }

  /** Starts the negotiation: the lower layer is up, and this one may open. */
  open(): void {
    this.dispatch('open');
    this.dispatch('up');
  }

  /** Ends an open or opening protocol by Terminate-Requests that say `text`. */
  close(text: string): void {
    this.#terminateText = new Uint8Array(Buffer.from(text));
    this.dispatch('close');
  }

  /** The lower layer is down: back to `initial`, without a packet. */
  lowerDown(): void {
    this.dispatch('down');
    this.dispatch('close');
  }

  /** The peer has rejected the protocol as a whole (RFC 1661 §5.7). */
  recvProtocolReject(): void {
    this.#why = 'rejected';
    this.dispatch('rxj-');
  }

  tick(): void {
    if (this.#deadline === null || this.#deadline > this.#options.clock.now) return;
    if (this.#restartsLeft > 0) {
      this.dispatch('to+');
      return;
    }
    this.#why = isNegotiating(this.#state) ? 'silence' : 'closed';
    this.dispatch('to-');
  }

  /** Sends a packet that is none of the automaton's. */
  send(code: number, identifier: number, body: Uint8Array): void {
    this.#options.send(writePacket(code, identifier, body));
  }

  recv(packet: ControlPacket): void {
    if (this.#state === 'initial' || this.#state === 'starting') return;
    switch (packet.code) {
      case CODES.configureRequest:
        this.#recvRequest(packet);
        return;
      case CODES.configureAck:
        this.#recvAck(packet);
        return;
      case CODES.configureNak:
      case CODES.configureReject:
        this.#recvRefusal(packet);
        return;
      case CODES.terminateRequest:
        this.#options.onEvent({ type: 'terminateRequest', body: packet.body() });
        this.#reply = writePacket(CODES.terminateAck, packet.identifier, EMPTY);
        this.dispatch('rtr');
        return;
      case CODES.terminateAck:
        this.#why = 'closed';
        this.dispatch('rta');
        return;
      case CODES.codeReject:
        this.#recvCodeReject(packet.body());
        return;
      default:
        this.#recvOther(packet);
    }
  }

  #recvRequest({ identifier, body }: ControlPacket): void {
    this.#reply = writePacket(CODES.terminateAck, identifier, EMPTY);
    if (this.#state === 'closed' || this.#state === 'closing' || this.#state === 'stopping') {
      this.dispatch('rcr-');
      return;
    }
    const options = this.exchange.read(body());
    if (options === null) return;
    const fields = body();
    const request = { identifier, body: fields.bytes(fields.left) };
    if (this.#isLate(request)) return;
    if (this.#state === 'opened' || this.#state === 'stopped') this.#begin();
    const answer = this.exchange.answer(options, request.body);
    this.#reply = writePacket(answer.code, identifier, answer.body);
    this.#acknowledged = answer.code === CODES.configureAck ? request : null;
    this.dispatch(answer.code === CODES.configureAck ? 'rcr+' : 'rcr-');
    this.#options.onEvent({ type: 'answered', answer, options });
  }

  /**
   * A request that we have acknowledged is repeated when our Ack was lost or crossed it, and older ones arrive late. Treating a
   * repeat as new would restart the negotiation and lose MPPE, whose keys cannot be reused. RFC 1661 §4.4 does not
   * distinguish the two.
   */
  #isLate({ identifier, body }: Numbered): boolean {
    const last = this.#acknowledged;
    if (last === null || (this.#state !== 'opened' && this.#state !== 'ackSent')) return false;
    const isRepeated = same(body, last.body);
    const age = (last.identifier - identifier) & 0xff;
    const isOlder = age > 0 && age < HALF_OF_IDENTIFIERS;
    if ((!isRepeated && !isOlder) || this.#tolerated >= MAX_TOLERATED) return false;
    this.#tolerated++;
    if (isRepeated) this.send(CODES.configureAck, identifier, body);
    return true;
  }

  #recvAck({ identifier, body }: ControlPacket): void {
    const fields = body();
    if (!this.#isAnswer(identifier) || !same(fields.bytes(fields.left), this.#request?.body ?? EMPTY)) return;
    this.#request = null;
    this.exchange.recvAck();
    this.dispatch('rca');
  }

  #recvRefusal({ code, identifier, body }: ControlPacket): void {
    const options = this.#isAnswer(identifier) ? this.exchange.read(body()) : null;
    if (options === null) return;
    if (code === CODES.configureNak) this.exchange.recvNak(options);
    else if (!this.exchange.recvReject(options)) return;
    this.#request = null;
    this.#options.onEvent({ type: 'refused', how: code === CODES.configureNak ? 'nak' : 'reject', options });
    this.dispatch('rcn');
  }

  /** Only the first answer to a request counts: a second one would take down what the first has opened. */
  #isAnswer(identifier: number): boolean {
    return this.#request !== null && this.#request.identifier === identifier;
  }

  #recvCodeReject(body: FieldReader): void {
    const code = body.u8();
    if (body.short) return;
    if (isVital(code)) {
      this.recvProtocolReject();
      return;
    }
    this.#options.onEvent({ type: 'codeRejected', code });
    this.dispatch('rxj+');
  }

  #recvOther(packet: ControlPacket): void {
    const handler = this.#options.codes?.[packet.code];
    if (handler !== undefined) {
      handler(packet);
      return;
    }
    const rejected = writePacket(packet.code, packet.identifier, packet.body().bytes(this.#options.peerMru() - 8));
    this.#reply = writePacket(CODES.codeReject, this.nextIdentifier(), rejected);
    this.dispatch('ruc');
  }

  /** Answers an Echo-Request, in state Opened alone. */
  replyToEcho(reply: Uint8Array): void {
    this.#reply = reply;
    this.dispatch('rxr');
  }

  /** One step of the automaton. An event that cannot happen in this state is ignored. */
  dispatch(event: Event): void {
    const step = transition(this.#state, event);
    if (step === null) return;
    const { actions, to } = step;
    const isFresh = event !== 'rcr+' && event !== 'rcr-' && !isNegotiating(this.#state) && actions.includes('scr');
    if (isFresh) this.#begin();
    // Before the actions: what they cause may be an event for this automaton again, and that one decides what follows.
    this.#state = to;
    if (!isTimed(to)) this.#deadline = null;
    for (const action of actions) {
      this.#act(action, actions);
      if (this.#state !== to) return;
    }
  }

  #begin(): void {
    this.#requests = 0;
    this.#request = null;
    this.#acknowledged = null;
    this.#tolerated = 0;
    this.exchange.begin();
  }

  #act(action: Action, actions: readonly Action[]): void {
    switch (action) {
      case 'tlu':
        this.#tolerated = 0;
        this.#options.onEvent({ type: 'up' });
        return;
      case 'tld':
        this.#options.onEvent({ type: 'down' });
        return;
      case 'tls':
        return;
      case 'tlf':
        this.#options.onEvent({ type: 'finished', why: this.#why });
        return;
      case 'irc':
        this.#restartsLeft = actions.includes('str') ? MAX_TERMINATE : MAX_CONFIGURE;
        return;
      case 'zrc':
        this.#restartsLeft = 0;
        this.#deadline = this.#options.clock.now + RESTART_MS;
        return;
      case 'scr':
        this.#sendRequest();
        return;
      case 'str':
        this.#startTimer();
        this.send(CODES.terminateRequest, this.nextIdentifier(), this.#terminateText);
        return;
      case 'sca':
      case 'scn':
      case 'sta':
      case 'scj':
      case 'ser':
        this.#options.send(this.#reply);
        return;
    }
  }

  /** The same identifier as long as the same request waits for its answer (RFC 1661 §5.1). */
  #sendRequest(): void {
    if (this.#requests >= MAX_REQUESTS) {
      this.#why = 'noAgreement';
      this.dispatch('to-');
      return;
    }
    this.#requests++;
    this.#startTimer();
    const body = this.exchange.request();
    const waiting = this.#request;
    const identifier = waiting !== null && same(waiting.body, body) ? waiting.identifier : this.nextIdentifier();
    this.#request = { identifier, body };
    this.send(CODES.configureRequest, identifier, body);
  }

  #startTimer(): void {
    this.#restartsLeft--;
    this.#deadline = this.#options.clock.now + RESTART_MS;
  }
}
