/**
 * Requests of RADIUS servers to this server (RFC 5176): checks the sender, and carries out no request twice. A
 * Disconnect-Request ends sessions; a CoA-Request is refused. Pure.
 */
import { type Attribute, valueOf } from './attributes.js';
import { AUTHENTICATOR, CODES, decodePacket, encodeReply, judgeReply, type RadiusPacket } from './packet.js';
import type { SessionSelector } from './protocol.js';

/** RFC 5176 §6.3: maximum difference between a request's time and this server's clock, seconds. */
export const TIME_WINDOW = 300;
/** Requests that are remembered; the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

/** RFC 5176 §3.5. */
const ERROR_CAUSE = { missingAttribute: 402, nasMismatch: 403, unsupportedService: 405, noSession: 503 } as const;

const NO_AUTHENTICATOR = new Uint8Array(AUTHENTICATOR);

export interface DynamicClient {
  /** Dotted quad. */
  readonly address: string;
  readonly secret: Uint8Array;
}

/** Why a request gets no answer. `stale`: its Event-Timestamp is missing or out of range. `repeated`: a replay. */
export type RequestFault = 'unknownSender' | 'malformed' | 'wrongCode' | 'forged' | 'stale' | 'repeated';

export type DynamicOutcome =
  | { readonly type: 'dropped'; readonly reason: RequestFault }
  | { readonly type: 'reply'; readonly octets: Uint8Array }
  /** End these sessions; `answer` takes their number and returns the reply. */
  | {
      readonly type: 'disconnect';
      readonly selector: SessionSelector;
      readonly answer: (count: number) => Uint8Array;
    };

export interface Sender {
  readonly address: string;
  readonly port: number;
}

interface Remembered {
  readonly sender: Sender;
  /** null: it is being worked on. */
  reply: Uint8Array | null;
}

const REPLIES: Readonly<Record<number, { readonly ack: number; readonly nak: number }>> = {
  [CODES.disconnectRequest]: { ack: CODES.disconnectAck, nak: CODES.disconnectNak },
  [CODES.coaRequest]: { ack: CODES.coaAck, nak: CODES.coaNak },
};

export class DynamicRequests {
  readonly #clients: readonly DynamicClient[];
  readonly #nasIdentifier: string;
  readonly #startedAt: number;
  /** By their authenticators, which are hashes of the whole requests. */
  readonly #remembered = new Map<string, Remembered>();

  /** `startedAt`: seconds since 1970. Older requests may have been done by an earlier process. */
  constructor(clients: readonly DynamicClient[], nasIdentifier: string, startedAt: number) {
    this.#clients = clients;
    this.#nasIdentifier = nasIdentifier;
    this.#startedAt = startedAt;
  }

  /** `now`: seconds since 1970. Never throws. */
  recv(octets: Uint8Array, sender: Sender, now: number): DynamicOutcome {
    const client = this.#clients.find(({ address }) => address === sender.address);
    if (client === undefined) return { type: 'dropped', reason: 'unknownSender' };
    const packet = decodePacket(octets);
    if (packet === null) return { type: 'dropped', reason: 'malformed' };
    const codes = REPLIES[packet.code];
    if (codes === undefined) return { type: 'dropped', reason: 'wrongCode' };
    // A request is signed as a reply to nothing (RFC 5176 §2.3, §3.5).
    const isForged = judgeReply(octets, { secret: client.secret, request: NO_AUTHENTICATOR, mustBeSigned: false });
    if (isForged !== null) return { type: 'dropped', reason: 'forged' };
    const time = valueOf(packet.attributes, 'Event-Timestamp');
    if (time === null || Math.abs(now - time) > TIME_WINDOW || time < this.#startedAt)
      return { type: 'dropped', reason: 'stale' };
    const key = Buffer.from(packet.authenticator).toString('hex');
    return this.#repeated(key, sender) ?? this.#work(packet, client, this.#remember(key, sender));
  }

  /** The sender gets the answer again, since the first may be lost. From anybody else the request is a replay. */
  #repeated(key: string, { address, port }: Sender): DynamicOutcome | null {
    const known = this.#remembered.get(key);
    if (known === undefined) return null;
    return known.reply !== null && known.sender.address === address && known.sender.port === port
      ? { type: 'reply', octets: known.reply }
      : { type: 'dropped', reason: 'repeated' };
  }

  #remember(key: string, sender: Sender): Remembered {
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size >= MAX_REMEMBERED) this.#remembered.delete(oldest);
    const remembered = { sender, reply: null };
    this.#remembered.set(key, remembered);
    return remembered;
  }

  #work(packet: RadiusPacket, { secret }: DynamicClient, remembered: Remembered): DynamicOutcome {
    const { code, identifier, authenticator, attributes } = packet;
    const { ack = 0, nak = 0 } = REPLIES[code] ?? {};
    const reply = (replyCode: number, found: readonly Attribute[]): Uint8Array => {
      const answer = { code: replyCode, identifier, attributes: found };
      remembered.reply = encodeReply(answer, { secret, request: authenticator, isSigned: true });
      return remembered.reply;
    };
    const refuse = (cause: number): DynamicOutcome => ({ type: 'reply', octets: reply(nak, [['Error-Cause', cause]]) });
    const server = valueOf(attributes, 'NAS-Identifier');
    if (server !== null && server !== this.#nasIdentifier) return refuse(ERROR_CAUSE.nasMismatch);
    if (code !== CODES.disconnectRequest) return refuse(ERROR_CAUSE.unsupportedService);
    const selector = selectorOf(attributes);
    if (selector === null) return refuse(ERROR_CAUSE.missingAttribute);
    const answer = (count: number): Uint8Array =>
      count === 0 ? reply(nak, [['Error-Cause', ERROR_CAUSE.noSession]]) : reply(ack, []);
    return { type: 'disconnect', selector, answer };
  }
}

/** The attributes that select sessions (RFC 5176 §3); null if there is none. */
function selectorOf(attributes: readonly Attribute[]): SessionSelector | null {
  const name = valueOf(attributes, 'User-Name');
  const selector = {
    id: valueOf(attributes, 'Acct-Session-Id'),
    name: name === null ? null : Buffer.from(name).toString('hex'),
    address: valueOf(attributes, 'Framed-IP-Address'),
    port: valueOf(attributes, 'NAS-Port'),
    client: valueOf(attributes, 'Calling-Station-Id'),
  };
  return Object.values(selector).some((each) => each !== null) ? selector : null;
}
