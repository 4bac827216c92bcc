/** The RADIUS process without its sockets: answers the monitor's questions by asking the servers. */
import type { Logger } from '../log/logger.js';
import {
  type ClientEvent,
  type DropReason,
  RadiusClient,
  type RadiusClientOptions,
  type RadiusServer,
} from './client.js';
import { accountAttributes } from './account.js';
import { DynamicRequests, type RequestFault, type Sender } from './dynamic-requests.js';
import { isAskable, loginAttributes, loginOf, verdictOf } from './login.js';
import type {
  FromRadius,
  ProcessSettings,
  RadiusLogin,
  RadiusVerdict,
  RequestOutcome,
  SpooledRecord,
  ToRadius,
} from './protocol.js';

/** Minimum time between log lines about dropped replies, ms. */
const DROPPED_LOGGED_MS = 60_000;

const DROPPED: Readonly<Record<DropReason | RequestFault, string>> = {
  malformed: 'not a RADIUS packet',
  unexpected: 'it answers no open request: it is late, repeated or forged',
  wrongCode: 'its packet type is not allowed here',
  forged: 'not signed with the shared secret: it is forged, or the secrets differ',
  unknownSender: 'its sender is not in radius.dynamic.clients',
  stale: 'its Event-Timestamp is missing, too old, or too far in the future',
  repeated: 'a replayed request',
  unsigned: 'it has no Message-Authenticator, which radius.requireMessageAuthenticator requires',
};

export interface RadiusServiceOptions extends Pick<RadiusClientOptions, 'random' | 'now' | 'startTimer'> {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly send: (server: RadiusServer, event: Extract<ClientEvent, { type: 'send' }>) => void;
  /** The servers have changed. */
  readonly onServers: (servers: readonly RadiusServer[]) => void;
  /** The port for requests has changed; null: none. */
  readonly onListen: (port: number | null) => void;
  /** Whether a dotted quad is an address of this machine. */
  readonly hasAddress: (address: string) => boolean;
  readonly tell: (message: FromRadius) => void;
  readonly log: Logger;
}

export class RadiusService {
  readonly #options: RadiusServiceOptions;
  #settings: ProcessSettings | null = null;
  #client: RadiusClient | null = null;
  #dynamic: DynamicRequests | null = null;
  #lastId = 0;
  /** Requests that the monitor works on. */
  readonly #requests = new Map<number, (outcome: RequestOutcome) => void>();
  readonly #dropped = new Map<DropReason | RequestFault, number>();
  #droppedLoggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RadiusServiceOptions) {
    this.#options = options;
  }

  get #nasIdentifier(): string {
    return this.#settings?.nasIdentifier ?? '';
  }

  recv(message: ToRadius): void {
    switch (message.type) {
      case 'configure':
        this.#configure(message.settings);
        break;
      case 'login':
        void this.#judge(message.id, message.login);
        break;
      case 'account':
        void this.#account(message.id, message.record);
        break;
      case 'requestDone':
        this.#requests.get(message.id)?.(message.outcome);
        this.#requests.delete(message.id);
    }
  }

  /** Octets that came to our own port; `reply` sends the answer. */
  recvRequest(octets: Uint8Array, sender: Sender, reply: (octets: Uint8Array) => void): void {
    const { wallClock, tell } = this.#options;
    const outcome = this.#dynamic?.recv(octets, sender, Math.floor(wallClock() / 1000));
    switch (outcome?.type) {
      case 'dropped':
        this.#countDropped(sender.address, outcome.reason);
        break;
      case 'reply':
        reply(outcome.octets);
        break;
      case 'disconnect':
      case 'change': {
        const id = ++this.#lastId;
        const { answer, ...asked } = outcome;
        this.#requests.set(id, (how) => reply(answer(how)));
        tell({ ...asked, id, by: sender.address });
        break;
      }
      case undefined:
    }
  }

  /** Octets from a server. */
  recvReply(server: RadiusServer, service: 'auth' | 'acct', octets: Uint8Array): void {
    this.#client?.recv(server, service, octets);
  }

  /** The same settings again, after a restart of the server, change nothing: open questions stay open. */
  #configure(settings: ProcessSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    const { servers, requireMessageAuthenticator } = settings;
    const { random, now, startTimer, onServers } = this.#options;
    this.#client?.close();
    const known = servers.map((server) => ({ ...server, secret: Buffer.from(server.secret, 'hex') }));
    onServers(known);
    this.#listen(settings);
    this.#client = new RadiusClient({
      servers: known,
      requireMessageAuthenticator,
      random,
      now,
      startTimer,
      onEvent: (event) => this.#recvEvent(event),
    });
  }

  #listen({ dynamic, nasIdentifier }: ProcessSettings): void {
    const clients = dynamic?.clients.map(({ address, secret }) => ({ address, secret: Buffer.from(secret, 'hex') }));
    const { wallClock, hasAddress } = this.#options;
    const now = Math.floor(wallClock() / 1000);
    this.#dynamic = clients === undefined ? null : new DynamicRequests(clients, { nasIdentifier, hasAddress }, now);
    this.#options.onListen(dynamic?.port ?? null);
  }

  async #judge(id: number, wire: RadiusLogin): Promise<void> {
    this.#options.tell({ type: 'verdict', id, verdict: await this.#verdict(wire) });
  }

  async #account(id: number, record: SpooledRecord): Promise<void> {
    const { tell, wallClock } = this.#options;
    const answer = await this.#client?.ask({
      service: 'acct',
      attributes: () => accountAttributes(record, this.#nasIdentifier, Math.floor(wallClock() / 1000)),
    });
    tell({ type: 'accounted', id, isDone: answer?.answered === true });
  }

  async #verdict(wire: RadiusLogin): Promise<RadiusVerdict> {
    const login = loginOf(wire);
    if (this.#client === null) return { outcome: 'failed', problem: 'notRunning' };
    if (!isAskable(login)) return { outcome: 'rejected', code: 691, retry: false, message: 'Access denied' };
    const answer = await this.#client.ask({
      service: 'auth',
      attributes: (server, authenticator) => loginAttributes(login, this.#nasIdentifier, server, authenticator),
    });
    return verdictOf(login, answer);
  }

  #recvEvent(event: ClientEvent): void {
    const { log, send } = this.#options;
    const { address } = event.server;
    switch (event.type) {
      case 'send':
        send(event.server, event);
        break;
      case 'dropped':
        this.#countDropped(address, event.reason);
        break;
      case 'dead':
        log.warn({ server: address, service: event.service }, `the RADIUS server ${address} does not answer`);
        break;
      case 'alive':
        log.info({ server: address, service: event.service }, `the RADIUS server ${address} answers again`);
    }
  }

  #countDropped(address: string, reason: DropReason | RequestFault): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    const now = this.#options.now();
    if (now - this.#droppedLoggedAt < DROPPED_LOGGED_MS) return;
    this.#droppedLoggedAt = now;
    this.#options.log.warn(
      { server: address, dropped: Object.fromEntries(this.#dropped) },
      `dropped a RADIUS packet from ${address}: ${DROPPED[reason]}`,
    );
  }
}
