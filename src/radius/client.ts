/**
 * A RADIUS client (RFC 2865, RFC 5080): identifiers, retransmission, failover between servers, and dead time. Time,
 * randomness and sockets come from outside.
 */
import type { Attribute } from './attributes.js';
import {
  AUTHENTICATOR,
  authenticatorOf,
  CODES,
  decodePacket,
  encodeAccounting,
  encodeSigned,
  judgeReply,
  type RadiusPacket,
  type ReplyFault,
} from './packet.js';

export interface RadiusServer {
  /** Dotted quad. */
  readonly address: string;
  readonly authPort: number;
  readonly acctPort: number;
  readonly secret: Uint8Array;
  /** Seconds from one try to the next. */
  readonly timeout: number;
  /** How often a request is sent to this server. */
  readonly tries: number;
}

export type Service = 'auth' | 'acct';

/** A server that did not answer is asked after all others for this long, ms. */
export const DEAD_MS = 60_000;
/** Identifiers of one socket. */
const IDENTIFIERS = 256;
/** Requests that wait for an identifier; later ones fail. */
export const MAX_WAITING = 1000;

const REPLIES: Readonly<Record<Service, readonly number[]>> = {
  auth: [CODES.accessAccept, CODES.accessReject, CODES.accessChallenge],
  acct: [CODES.accountingResponse],
};

/** Why a reply was dropped. `unexpected`: it answers no open request, so it is late, repeated or forged. */
export type DropReason = 'malformed' | 'unexpected' | 'wrongCode' | ReplyFault;

/** What a reply's hidden values are hidden with. */
export interface Reply {
  readonly packet: RadiusPacket;
  readonly secret: Uint8Array;
  /** The request's. */
  readonly authenticator: Uint8Array;
}

export type Answer =
  | { readonly answered: true; readonly reply: Reply }
  /** `dropped`: why replies to this question were dropped. */
  | { readonly answered: false; readonly dropped: ReadonlySet<DropReason> };

export interface Question {
  readonly service: Service;
  /** What is asked of a server: passwords are hidden with its secret. */
  readonly attributes: (server: RadiusServer, authenticator: Uint8Array) => readonly Attribute[];
}

export type ClientEvent =
  | { readonly type: 'send'; readonly server: RadiusServer; readonly service: Service; readonly octets: Uint8Array }
  | { readonly type: 'dropped'; readonly server: RadiusServer; readonly reason: DropReason }
  | { readonly type: 'dead'; readonly server: RadiusServer; readonly service: Service }
  | { readonly type: 'alive'; readonly server: RadiusServer; readonly service: Service };

export interface RadiusClientOptions {
  /** In the order of preference. */
  readonly servers: readonly RadiusServer[];
  readonly requireMessageAuthenticator: boolean;
  readonly random: (octets: number) => Uint8Array;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Calls back after so many milliseconds; returns what stops it. */
  readonly startTimer: (ms: number, callback: () => void) => () => void;
  readonly onEvent: (event: ClientEvent) => void;
}

/** One port of one server, where identifiers number the open requests. */
interface Port {
  readonly server: RadiusServer;
  readonly service: Service;
  readonly open: Map<number, Open>;
  nextIdentifier: number;
  /** null: it answers. */
  deadUntil: number | null;
}

/** A question that is being asked. */
interface Asking {
  readonly question: Question;
  /** Servers that are asked after the present one. */
  readonly left: Port[];
  readonly dropped: Set<DropReason>;
  readonly resolve: (answer: Answer) => void;
}

interface Open {
  readonly asking: Asking;
  readonly authenticator: Uint8Array;
  readonly octets: Uint8Array;
  tries: number;
  stopTimer: () => void;
}

export class RadiusClient {
  readonly #options: RadiusClientOptions;
  readonly #ports: readonly Port[];
  /** For a free identifier. */
  readonly #waiting: { readonly port: Port; readonly asking: Asking }[] = [];

  constructor(options: RadiusClientOptions) {
    this.#options = options;
    this.#ports = options.servers.flatMap((server) =>
      (['auth', 'acct'] as const).map((service) => ({
        server,
        service,
        open: new Map<number, Open>(),
        nextIdentifier: options.random(1)[0] ?? 0,
        deadUntil: null,
      })),
    );
  }

  /** Never rejects. Resolves when a server has answered, or none has in all its tries. */
  async ask(question: Question): Promise<Answer> {
    return new Promise((resolve) => {
      const left = this.#inOrder(question.service);
      this.#askNext({ question, left, dropped: new Set(), resolve });
    });
  }

  /** Octets that came from a port of this server. */
  recv(server: RadiusServer, service: Service, octets: Uint8Array): void {
    const port = this.#ports.find((each) => each.server === server && each.service === service);
    if (port === undefined) return;
    const packet = decodePacket(octets);
    const open = packet === null ? undefined : port.open.get(packet.identifier);
    const reason = packet === null ? 'malformed' : this.#faultOf(port, packet, octets, open);
    if (packet === null || open === undefined || reason !== null) {
      open?.asking.dropped.add(reason ?? 'unexpected');
      this.#options.onEvent({ type: 'dropped', server, reason: reason ?? 'unexpected' });
      return;
    }
    this.#revive(port);
    this.#close(port, packet.identifier);
    const { authenticator, asking } = open;
    asking.resolve({ answered: true, reply: { packet, secret: server.secret, authenticator } });
  }

  /** Open questions stay unanswered. Idempotent. */
  close(): void {
    const waiting = this.#waiting.splice(0).map(({ asking }) => asking);
    for (const port of this.#ports) {
      for (const { asking, stopTimer } of port.open.values()) {
        stopTimer();
        waiting.push(asking);
      }
      port.open.clear();
    }
    for (const { resolve, dropped } of waiting) resolve({ answered: false, dropped });
  }

  #faultOf(port: Port, packet: RadiusPacket, octets: Uint8Array, open: Open | undefined): DropReason | null {
    if (open === undefined) return 'unexpected';
    if (!REPLIES[port.service].includes(packet.code)) return 'wrongCode';
    return judgeReply(octets, {
      secret: port.server.secret,
      request: open.authenticator,
      // Accounting-Responses have none (RFC 2869 §5.19).
      mustBeSigned: this.#options.requireMessageAuthenticator && port.service === 'auth',
    });
  }

  /** The dead ones last. */
  #inOrder(service: Service): Port[] {
    const now = this.#options.now();
    const ports = this.#ports.filter((port) => port.service === service);
    const isDead = ({ deadUntil }: Port): boolean => deadUntil !== null && deadUntil > now;
    return [...ports.filter((port) => !isDead(port)), ...ports.filter(isDead)];
  }

  #askNext(asking: Asking): void {
    const port = asking.left.shift();
    if (port === undefined) asking.resolve({ answered: false, dropped: asking.dropped });
    else if (port.open.size < IDENTIFIERS) this.#open(port, asking);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push({ port, asking });
    else this.#askNext(asking);
  }

  #open(port: Port, asking: Asking): void {
    const { server, service } = port;
    const identifier = freeIdentifier(port);
    const authenticator = this.#options.random(AUTHENTICATOR);
    const attributes = asking.question.attributes(server, authenticator);
    const octets =
      service === 'auth'
        ? encodeSigned({ code: CODES.accessRequest, identifier, authenticator, attributes }, server.secret)
        : encodeAccounting({ code: CODES.accountingRequest, identifier, attributes }, server.secret);
    const open: Open = {
      asking,
      octets,
      authenticator: authenticatorOf(octets),
      tries: 0,
      stopTimer: () => undefined,
    };
    port.open.set(identifier, open);
    this.#send(port, identifier, open);
  }

  /** The same octets each time, so that a server recognizes the repetition (RFC 5080 §2.2.1). */
  #send(port: Port, identifier: number, open: Open): void {
    const { server, service } = port;
    open.tries += 1;
    open.stopTimer = this.#options.startTimer(server.timeout * 1000, () => {
      if (open.tries < server.tries) this.#send(port, identifier, open);
      else this.#giveUp(port, identifier, open);
    });
    this.#options.onEvent({ type: 'send', server, service, octets: open.octets });
  }

  #giveUp(port: Port, identifier: number, { asking }: Open): void {
    const { server, service } = port;
    if (port.deadUntil === null) this.#options.onEvent({ type: 'dead', server, service });
    port.deadUntil = this.#options.now() + DEAD_MS;
    this.#close(port, identifier);
    this.#askNext(asking);
  }

  #revive(port: Port): void {
    const { server, service } = port;
    if (port.deadUntil !== null) this.#options.onEvent({ type: 'alive', server, service });
    port.deadUntil = null;
  }

  #close(port: Port, identifier: number): void {
    port.open.get(identifier)?.stopTimer();
    port.open.delete(identifier);
    const at = this.#waiting.findIndex((each) => each.port === port);
    const [next] = at === -1 ? [] : this.#waiting.splice(at, 1);
    if (next !== undefined) this.#open(port, next.asking);
  }
}

/** The one that was free for longest: a late reply to its last request is unlikely. */
function freeIdentifier(port: Port): number {
  while (port.open.has(port.nextIdentifier)) port.nextIdentifier = (port.nextIdentifier + 1) % IDENTIFIERS;
  const identifier = port.nextIdentifier;
  port.nextIdentifier = (identifier + 1) % IDENTIFIERS;
  return identifier;
}
