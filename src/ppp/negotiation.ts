/**
 * Follows the option negotiation of one control protocol (RFC 1661 §4-5): what each side requested, what its peer agreed to,
 * what was refused. LCP, IPCP, IPV6CP and CCP differ only in their options.
 */
import type { FieldReader } from './field-reader.js';
import { type OptionsOf, optionNames, readOptions } from './options.js';
import type { ControlPacket } from './packet.js';
import type { NegotiationState, Side, SideState, Termination } from './state.js';
import { readTermination } from './terminate.js';

/** RFC 1661 §5: the codes that every control protocol has. */
export const CODES = {
  configureRequest: 1,
  configureAck: 2,
  configureNak: 3,
  configureReject: 4,
  terminateRequest: 5,
  terminateAck: 6,
  codeReject: 7,
  protocolReject: 8, // only LCP
  echoRequest: 9,
  echoReply: 10,
  discardRequest: 11,
  identification: 12, // RFC 1570 §2.1
  timeRemaining: 13, // RFC 1570 §2.2
  resetRequest: 14, // CCP alone, RFC 1962 §3
  resetAck: 15,
} as const;

/** Only this many octets of a request are compared with the previous one. */
const MAX_COMPARED = 256;

/** What a packet changed: both sides agreed, an open protocol began again or closed, options were refused. */
export type Step =
  | { readonly type: 'opened' | 'restarted' | 'closed' | 'none' | 'malformed' }
  | { readonly type: 'refused'; readonly how: 'nak' | 'reject'; readonly options: readonly RefusedOption[] };

export interface RefusedOption {
  readonly name: string;
  /** The requested value; null if the peer had not requested the option. */
  readonly asked: unknown;
  /** The value that a Nak proposes instead; null with a Reject. */
  readonly proposed: unknown;
}

const NONE: Step = { type: 'none' };
const MALFORMED: Step = { type: 'malformed' };

const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

class Party<Options> {
  requested: Options | null = null;
  agreed: Options | null = null;
  requests = 0;
  repeats = 0;
  answers = 0;
  #identifier = -1;
  #last: Uint8Array | null = null;
  #lastLength = 0;

  recvRequest(identifier: number, options: Options, body: FieldReader): void {
    const length = body.left;
    const bytes = body.bytes(MAX_COMPARED);
    this.repeats = this.#isLast(bytes, length) ? this.repeats + 1 : 0;
    this.requests++;
    this.requested = options;
    this.agreed = null;
    this.#identifier = identifier;
    this.#last = bytes;
    this.#lastLength = length;
  }

  /** Whether an answer with `identifier` belongs to the last request. */
  isAnsweredBy(identifier: number): boolean {
    return this.#identifier === identifier;
  }

  /** Whether `body` repeats the last request's options, as an Ack must (RFC 1661 §5.2). */
  isRepeatedBy(body: FieldReader): boolean {
    const length = body.left;
    return this.#isLast(body.bytes(MAX_COMPARED), length);
  }

  #isLast(bytes: Uint8Array, length: number): boolean {
    return this.#last !== null && length === this.#lastLength && Buffer.compare(bytes, this.#last) === 0;
  }

  state(): SideState<Options> {
    const { requested, agreed, requests, repeats, answers } = this;
    return { requested, agreed, requests, repeats, answers };
  }
}

export class Negotiation<D extends Parameters<typeof readOptions>[0]> {
  readonly #declarations: D;
  #parties: Record<Side, Party<OptionsOf<D>>> = { client: new Party(), server: new Party() };
  #open = false;
  #termination: Termination | null = null;
  /** Closed: the parties still have what was agreed before, until one sends a request. */
  #stale = false;
  /** The client's last request to an open protocol, until it is known whether it restarts the negotiation. */
  #doubtful: Party<OptionsOf<D>> | null = null;

  constructor(declarations: D) {
    this.#declarations = declarations;
  }

  /** Each side agreed to the other's options, and neither has begun again or closed. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether a Configure-Request was seen. */
  get begun(): boolean {
    return this.#parties.client.requests + this.#parties.server.requests > 0;
  }

  /** The first Terminate-Request since the protocol was last opened. */
  get termination(): Termination | null {
    return this.#termination;
  }

  side(side: Side): SideState<OptionsOf<D>> {
    return this.#parties[side].state();
  }

  get state(): NegotiationState<OptionsOf<D>> {
    const termination = this.#termination;
    return { open: this.#open, termination, client: this.side('client'), server: this.side('server') };
  }

  /** Forgets everything: LCP began again, or a side does not support the protocol. */
  reset(): void {
    this.#forgetParties();
    this.#termination = null;
  }

  /** Takes a Configure or Terminate packet from `sender`; other codes change nothing. */
  observe(sender: Side, packet: ControlPacket): Step {
    switch (packet.code) {
      case CODES.configureRequest:
        return this.#recvRequest(sender, packet);
      case CODES.configureAck:
        return this.#recvAck(sender, packet);
      case CODES.configureNak:
        return this.#recvRefusal(sender, packet, 'nak');
      case CODES.configureReject:
        return this.#recvRefusal(sender, packet, 'reject');
      case CODES.terminateRequest:
        return this.#recvTerminate(sender, packet);
      default:
        return NONE;
    }
  }

  #recvRequest(sender: Side, packet: ControlPacket): Step {
    const options = readOptions(this.#declarations, packet.body());
    if (options === null) return MALFORMED;
    const party = this.#open || this.#stale ? new Party<OptionsOf<D>>() : this.#parties[sender];
    party.recvRequest(packet.identifier, options, packet.body());
    // A request to an open protocol takes it down (RFC 1661 §4.4, RCR in state Opened): the server then sends one, too. It
    // sends none where the client's is only a late copy of an earlier one.
    if (this.#open && sender === 'client') {
      this.#doubtful = party;
      return NONE;
    }
    const [restarted, doubtful] = [this.#open, this.#doubtful];
    if (restarted || this.#stale) this.#forgetParties();
    if (restarted && doubtful !== null) this.#parties.client = doubtful;
    this.#parties[sender] = party;
    return restarted ? { type: 'restarted' } : NONE;
  }

  #recvAck(sender: Side, packet: ControlPacket): Step {
    const requester = this.#parties[otherSide(sender)];
    if (this.#stale || !requester.isAnsweredBy(packet.identifier) || !requester.isRepeatedBy(packet.body()))
      return NONE;
    this.#parties[sender].answers++;
    requester.agreed = requester.requested;
    if (this.#open || this.#parties[sender].agreed === null) return NONE;
    this.#open = true;
    this.#termination = null;
    return { type: 'opened' };
  }

  #recvRefusal(sender: Side, packet: ControlPacket, how: 'nak' | 'reject'): Step {
    const options = readOptions(this.#declarations, packet.body());
    if (options === null) return MALFORMED;
    const requester = this.#parties[otherSide(sender)];
    if (this.#stale || !requester.isAnsweredBy(packet.identifier)) return NONE;
    this.#parties[sender].answers++;
    const asked = new Map<string, unknown>(Object.entries(requester.requested ?? {}));
    const proposed = new Map<string, unknown>(how === 'nak' ? Object.entries(options) : []);
    return {
      type: 'refused',
      how,
      options: optionNames(this.#declarations, options).map((name) => ({
        name,
        asked: asked.get(name) ?? null,
        proposed: proposed.get(name) ?? null,
      })),
    };
  }

  /** What was agreed remains in the state, as the last agreement. */
  #recvTerminate(sender: Side, packet: ControlPacket): Step {
    if (this.#termination !== null) return NONE;
    this.#termination = readTermination(sender, packet.body());
    this.#open = false;
    this.#stale = true;
    return { type: 'closed' };
  }

  #forgetParties(): void {
    this.#parties = { client: new Party(), server: new Party() };
    this.#open = false;
    this.#stale = false;
    this.#doubtful = null;
  }
}
