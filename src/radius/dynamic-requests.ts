/**
 * Requests of RADIUS servers to this server (RFC 5176): checks the sender, and carries out no request twice. A
 * Disconnect-Request ends the sessions that it selects; a CoA-Request changes the one that it selects. Pure.
 */
import { type Attribute, type AttributeName, valueOf, valuesOf } from './attributes.js';
import { AUTHENTICATOR, CODES, type DecodedPacket, decodePacket, encodeReply, judgeReply } from './packet.js';
import type { RequestOutcome, SessionChange, SessionSelector } from './protocol.js';
import { rateOf } from './rate-limit.js';

/** RFC 5176 §6.3: maximum difference between a request's time and this server's clock, seconds. */
export const TIME_WINDOW = 300;
/** Requests that are remembered; the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

/** RFC 5176 §3.5. */
const ERROR_CAUSE = {
  unsupportedAttribute: 401,
  missingAttribute: 402,
  nasMismatch: 403,
  unsupportedService: 405,
  invalidValue: 407,
  noSession: 503,
  noResources: 506,
  severalSessions: 508,
} as const;

const CAUSES: Readonly<Record<Exclude<RequestOutcome, 'done'>, number>> = {
  noSession: ERROR_CAUSE.noSession,
  several: ERROR_CAUSE.severalSessions,
  failed: ERROR_CAUSE.noResources,
};

/** Every request may have them: they select sessions, or are about the request itself. */
const USUAL: readonly AttributeName[] = [
  'User-Name',
  'NAS-IP-Address',
  'NAS-Port',
  'Framed-IP-Address',
  'Reply-Message',
  'Calling-Station-Id',
  'NAS-Identifier',
  'Proxy-State',
  'Acct-Session-Id',
  'Event-Timestamp',
  'Message-Authenticator',
  'NAS-Port-Id',
];
/** What a CoA-Request may change. */
const CHANGEABLE: readonly AttributeName[] = [
  'Session-Timeout',
  'Idle-Timeout',
  'WISPr-Bandwidth-Max-Up',
  'WISPr-Bandwidth-Max-Down',
  'Mikrotik-Rate-Limit',
];

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
  /** End these sessions; `answer` returns the reply. */
  | { readonly type: 'disconnect'; readonly selector: SessionSelector; readonly answer: Answering }
  | {
      readonly type: 'change';
      readonly selector: SessionSelector;
      readonly change: SessionChange;
      readonly answer: Answering;
    };

type Answering = (outcome: RequestOutcome) => Uint8Array;

export interface Sender {
  readonly address: string;
  readonly port: number;
}

interface Remembered {
  readonly sender: Sender;
  /** null: it is being worked on. */
  reply: Uint8Array | null;
}

interface Kind {
  readonly ack: number;
  readonly nak: number;
  readonly permitted: ReadonlySet<AttributeName>;
}

const KINDS: Readonly<Record<number, Kind>> = {
  [CODES.disconnectRequest]: {
    ack: CODES.disconnectAck,
    nak: CODES.disconnectNak,
    permitted: new Set([...USUAL, 'Acct-Terminate-Cause']),
  },
  [CODES.coaRequest]: { ack: CODES.coaAck, nak: CODES.coaNak, permitted: new Set([...USUAL, ...CHANGEABLE]) },
};

export interface ThisServer {
  readonly nasIdentifier: string;
  /** Whether a dotted quad is an address of this machine. */
  readonly hasAddress: (address: string) => boolean;
}

export class DynamicRequests {
  readonly #clients: readonly DynamicClient[];
  readonly #server: ThisServer;
  readonly #startedAt: number;
  /** By their authenticators, which are hashes of the whole requests. */
  readonly #remembered = new Map<string, Remembered>();

  /** `startedAt`: seconds since 1970. Older requests may have been done by an earlier process. */
  constructor(clients: readonly DynamicClient[], server: ThisServer, startedAt: number) {
    this.#clients = clients;
    this.#server = server;
    this.#startedAt = startedAt;
  }

  /** `now`: seconds since 1970. Never throws. */
  recv(octets: Uint8Array, sender: Sender, now: number): DynamicOutcome {
    const client = this.#clients.find(({ address }) => address === sender.address);
    if (client === undefined) return { type: 'dropped', reason: 'unknownSender' };
    const packet = decodePacket(octets);
    if (packet === null) return { type: 'dropped', reason: 'malformed' };
    const kind = KINDS[packet.code];
    if (kind === undefined) return { type: 'dropped', reason: 'wrongCode' };
    // A request is signed as a reply to nothing (RFC 5176 §2.3, §3.5).
    const isForged = judgeReply(octets, { secret: client.secret, request: NO_AUTHENTICATOR, mustBeSigned: false });
    if (isForged !== null) return { type: 'dropped', reason: 'forged' };
    const time = valueOf(packet.attributes, 'Event-Timestamp');
    if (time === null || Math.abs(now - time) > TIME_WINDOW || time < this.#startedAt)
      return { type: 'dropped', reason: 'stale' };
    const key = Buffer.from(packet.authenticator).toString('hex');
    return this.#repeated(key, sender) ?? this.#work(packet, kind, client, this.#remember(key, sender));
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

  #work(
    packet: DecodedPacket,
    { ack, nak, permitted }: Kind,
    client: DynamicClient,
    remembered: Remembered,
  ): DynamicOutcome {
    const { code, identifier, authenticator, attributes } = packet;
    const reply = (replyCode: number, found: readonly Attribute[]): Uint8Array => {
      // RFC 5176 §3.1: copied, in their order.
      const proxies = valuesOf(attributes, 'Proxy-State').map((state): Attribute => ['Proxy-State', state]);
      const answer = { code: replyCode, identifier, attributes: [...found, ...proxies] };
      remembered.reply = encodeReply(answer, { secret: client.secret, request: authenticator, isSigned: true });
      return remembered.reply;
    };
    const refuse = (cause: number): DynamicOutcome => ({ type: 'reply', octets: reply(nak, [['Error-Cause', cause]]) });
    const answer = (outcome: RequestOutcome): Uint8Array =>
      outcome === 'done' ? reply(ack, []) : reply(nak, [['Error-Cause', CAUSES[outcome]]]);
    if (!this.#isForThisServer(attributes)) return refuse(ERROR_CAUSE.nasMismatch);
    // Only Authorize Only would have one (RFC 5176 §3.2).
    if (valueOf(attributes, 'Service-Type') !== null) return refuse(ERROR_CAUSE.unsupportedService);
    // Without an attribute that it cannot read, a request might select more sessions than were meant.
    if (packet.hasUndeclared || attributes.some(([name]) => !permitted.has(name)))
      return refuse(ERROR_CAUSE.unsupportedAttribute);
    const selector = selectorOf(attributes);
    if (selector === null) return refuse(ERROR_CAUSE.missingAttribute);
    if (code === CODES.disconnectRequest) return { type: 'disconnect', selector, answer };
    if (!attributes.some(([name]) => CHANGEABLE.includes(name))) return refuse(ERROR_CAUSE.missingAttribute);
    const { rate, unreadable } = rateOf(attributes);
    if (unreadable !== null) return refuse(ERROR_CAUSE.invalidValue);
    const sessionTime = valueOf(attributes, 'Session-Timeout');
    return {
      type: 'change',
      selector,
      change: { sessionTime, idleTime: valueOf(attributes, 'Idle-Timeout'), rate },
      answer,
    };
  }

  #isForThisServer(attributes: readonly Attribute[]): boolean {
    const { nasIdentifier, hasAddress } = this.#server;
    const address = valueOf(attributes, 'NAS-IP-Address');
    return (
      (valueOf(attributes, 'NAS-Identifier') ?? nasIdentifier) === nasIdentifier &&
      (address === null || hasAddress(address))
    );
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
    portId: valueOf(attributes, 'NAS-Port-Id'),
    client: valueOf(attributes, 'Calling-Station-Id'),
  };
  return Object.values(selector).some((each) => each !== null) ? selector : null;
}
