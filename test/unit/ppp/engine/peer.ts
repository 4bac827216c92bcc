/**
 * The other ends of an engine in tests: a client made of the same automaton with a client's rules, an owner that judges
 * logins, and a line between both with a clock of its own.
 */
import { CHAP, PAP } from '../../../../src/ppp/authentication.js';
import { type Clock, ControlProtocol } from '../../../../src/ppp/engine/control-protocol.js';
import { Engine, type EngineEvent, type EngineSettings, type Verdict } from '../../../../src/ppp/engine/engine.js';
import type { Rules } from '../../../../src/ppp/engine/option-exchange.js';
import { FieldReader } from '../../../../src/ppp/field-reader.js';
import { CODES } from '../../../../src/ppp/negotiation.js';
import { CCP_OPTIONS, IPCP_OPTIONS, IPV6CP_OPTIONS, LCP_OPTIONS, type MppeOffer } from '../../../../src/ppp/options.js';
import { type ControlPacket, parseFrame, writeFrame, writePacket } from '../../../../src/ppp/packet.js';
import { type Random, randomFrom } from '../../../fuzz/random.js';
import * as numbers from '../frames.js';

export const SETTINGS: EngineSettings = {
  authentication: ['ms-chap-v2'],
  encryption: 'require',
  encryptionKeys: [128],
  statelessOnly: false,
  name: 'pptpd',
  local: '198.51.100.1',
  remote: '198.51.100.11',
  dns: ['192.0.2.53', '192.0.2.54'],
  wins: [],
  mru: 1400,
  lcpEcho: { interval: 30, failures: 4 },
  ipv6: false,
};

export const ACCEPT = {
  accepted: true,
  message: `S=${'0123456789ABCDEF'.repeat(3).slice(0, 40)} M=Access granted`,
  hasKeys: true,
  local: null,
  remote: null,
  remoteChoices: [],
} as const;

export const REFUSE = { accepted: false, code: 691, retryChallenge: null, message: 'Access denied' } as const;

/** Octets from a seed. */
export const octetsFrom =
  (random: Random) =>
  (length: number): Uint8Array =>
    Uint8Array.from({ length }, () => random(256));

export const seeded = (seed: number): ((length: number) => Uint8Array) => octetsFrom(randomFrom(seed));

/** A refusal after which the client may try again. */
export const refuseOnce = () => ({ ...REFUSE, retryChallenge: seeded(2759)(16) });

type Judge = (
  name: string,
) => Omit<Extract<Verdict, { accepted: true }>, 'id'> | Omit<Extract<Verdict, { accepted: false }>, 'id'>;

/** An engine with a record of all that it says. */
export class Server {
  readonly engine: Engine;
  readonly events: EngineEvent[] = [];
  readonly frames: Uint8Array[] = [];
  now = 0;
  /** What to do with a login; null: leave it unanswered. */
  judge: Judge | null = () => ACCEPT;
  /** Draws challenges; null: the engine gets none. */
  draw: ((length: number) => Uint8Array) | null;
  /** Frames for the client go here too. */
  onFrame: (frame: Uint8Array) => void = () => {};

  constructor(settings: Partial<EngineSettings> = {}, random = seeded(2637)) {
    this.draw = random;
    this.engine = new Engine({
      settings: { ...SETTINGS, ...settings },
      random,
      onEvent: (event) => this.#recvEvent(event),
    });
  }

  #recvEvent(event: EngineEvent): void {
    if (event.type === 'send') {
      this.frames.push(event.frame);
      this.onFrame(event.frame);
      return;
    }
    if (event.type === 'challengeNeeded' && this.draw !== null) {
      const octets = this.draw(event.method === 'ms-chap' ? 8 : 16);
      this.engine.recvChallenge({ id: event.id, octets }, this.now);
      return;
    }
    this.events.push(event);
    if (event.type !== 'authenticate' || this.judge === null) return;
    const { id, name } = event.request;
    this.engine.recvVerdict({ ...this.judge(Buffer.from(name).toString()), id }, this.now);
  }

  start(): this {
    this.engine.start(this.now);
    return this;
  }

  /** A frame of the client, whose buffer is overwritten at once, as the relay's is. */
  recv(frame: Uint8Array): Uint8Array[] {
    const before = this.frames.length;
    // A Buffer, whose `slice` copies nothing.
    const view = Buffer.from(frame);
    this.engine.recv(view, this.now);
    view.fill(0xaa);
    return this.frames.slice(before);
  }

  /** Lets the clock run to the engine's next deadline. */
  tick(): Uint8Array[] {
    const before = this.frames.length;
    if (this.engine.deadline === null) throw new Error('no timer runs');
    this.now = Math.max(this.now, this.engine.deadline);
    this.engine.tick(this.now);
    return this.frames.slice(before);
  }

  /** The events of one type. */
  said<Type extends EngineEvent['type']>(type: Type): Extract<EngineEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { type: Type }> => event.type === type);
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  get end() {
    return this.said('ended')[0]?.cause;
  }
}

export interface ClientSettings {
  readonly name: string;
  /** What it answers to the server's wish in LCP, by the names in options.ts: taken, or Nak'd with the first of them. */
  readonly authentication: readonly string[];
  readonly mru: number | null;
  readonly magic: boolean;
  /** null: it asks for no encryption, and takes the server's all the same (pppd's nomppe). */
  readonly mppe: MppeOffer | null;
  /** It answers CCP by Protocol-Reject. */
  readonly noCcp: boolean;
  readonly address: string;
  /** The value of its response to a challenge. The engine's owner judges it, so it may be any. */
  readonly respond: (challenge: Uint8Array, length: number) => Uint8Array;
  /** It asks for that address again, whatever the server proposes, and at last for none. */
  readonly insists: boolean;
  readonly dns: boolean;
  readonly ipv6: boolean;
  /** Like Windows it begins IPCP beside CCP; like pppd it waits for CCP. */
  readonly eager: boolean;
}

export const CLIENT: ClientSettings = {
  name: 'alice',
  authentication: ['MS-CHAPv2'],
  mru: 1500,
  magic: true,
  mppe: { keys: [128], stateless: true, mppc: false },
  noCcp: false,
  address: '0.0.0.0',
  respond: (_challenge, length) => new Uint8Array(length),
  insists: false,
  dns: true,
  ipv6: false,
  eager: true,
};

/** A PPP client. Its frames go to `onFrame`; what it has agreed to is read from its protocols. */
export class Client {
  readonly lcp: ControlProtocol<typeof LCP_OPTIONS>;
  readonly ccp: ControlProtocol<typeof CCP_OPTIONS>;
  readonly ipcp: ControlProtocol<typeof IPCP_OPTIONS>;
  readonly ipv6cp: ControlProtocol<typeof IPV6CP_OPTIONS>;
  readonly clock: Clock = { now: 0 };
  onFrame: (frame: Uint8Array) => void = () => {};
  loggedIn = false;
  failures: string[] = [];
  readonly #settings: ClientSettings;

  constructor(settings: Partial<ClientSettings> = {}, random = seeded(1661)) {
    this.#settings = { ...CLIENT, ...settings };
    const { mru, magic, authentication, mppe, address, insists, dns } = this.#settings;
    const number = () => new FieldReader(random(4)).u32();
    const common = { clock: this.clock, peerMru: () => 1500 };
    const lcpRules: Rules<typeof LCP_OPTIONS> = {
      mru: { ask: () => mru, answer: () => 'ack', nakked: (proposed) => proposed },
      accm: { ask: () => 0, answer: () => 'ack' },
      authentication: {
        answer: (value) => (authentication.includes(value) ? 'ack' : { nak: authentication[0] ?? 'EAP' }),
      },
      magicNumber: { ask: () => (magic ? number() : null), answer: () => 'ack', nakked: number },
      protocolFieldCompression: { ask: () => true, answer: () => 'ack' },
      addressControlCompression: { ask: () => true, answer: () => 'ack' },
    };
    this.lcp = new ControlProtocol({
      ...common,
      declarations: LCP_OPTIONS,
      rules: lcpRules,
      send: (packet) => this.#send(numbers.LCP, packet),
      onEvent: ({ type }) => {
        if (type === 'down') this.#linkDown();
      },
      codes: {
        [CODES.echoRequest]: ({ identifier }) => {
          this.lcp.replyToEcho(writePacket(CODES.echoReply, identifier, random(4)));
        },
        [CODES.protocolReject]: ({ body }) => {
          const rejected = body().u16();
          if (rejected === numbers.CCP) this.ccp.recvProtocolReject();
          if (rejected === numbers.IPV6CP) this.ipv6cp.recvProtocolReject();
        },
      },
    });
    const takesMppe = { ask: () => mppe, nakked: (proposed: MppeOffer) => proposed };
    this.ccp = new ControlProtocol({
      ...common,
      declarations: CCP_OPTIONS,
      rules: {
        mppe: { ...takesMppe, answer: (offer) => (offer.keys.length === 1 ? 'ack' : { nak: mppe ?? offer }) },
      },
      send: (packet) => this.#send(numbers.CCP, packet),
      onEvent: ({ type }) => {
        if (type === 'up' && !this.#settings.eager) this.#openNetwork();
      },
    });
    const own = { ask: () => '0.0.0.0', nakked: (proposed: string) => proposed };
    this.ipcp = new ControlProtocol({
      ...common,
      declarations: IPCP_OPTIONS,
      rules: {
        address: {
          ask: () => address,
          answer: () => 'ack',
          nakked: (proposed, asked) => (insists ? asked : proposed),
        },
        ...(dns ? { primaryDns: own, primaryWins: own, secondaryDns: own, secondaryWins: own } : {}),
      },
      send: (packet) => this.#send(numbers.IPCP, packet),
      onEvent: () => {},
    });
    this.ipv6cp = new ControlProtocol({
      ...common,
      declarations: IPV6CP_OPTIONS,
      rules: {
        interfaceIdentifier: { ask: () => '0:0:0:1', answer: () => 'ack', nakked: (proposed) => proposed },
      },
      send: (packet) => this.#send(numbers.IPV6CP, packet),
      onEvent: () => {},
    });
  }

  start(now: number): void {
    this.clock.now = now;
    this.lcp.open();
  }

  recv(frame: Uint8Array, now: number): void {
    this.clock.now = now;
    const packet = parseFrame(frame);
    if (typeof packet === 'string') return;
    if (packet.protocol === 'LCP') this.lcp.recv(packet);
    else if (this.lcp.isOpen) this.#recvAbove(packet);
  }

  get #parts() {
    return [this.lcp, this.ccp, this.ipcp, this.ipv6cp];
  }

  get deadline(): number | null {
    const deadlines = this.#parts.map(({ deadline }) => deadline).filter((deadline) => deadline !== null);
    return deadlines.length === 0 ? null : Math.min(...deadlines);
  }

  tick(now: number): void {
    this.clock.now = now;
    for (const part of this.#parts) part.tick();
  }

  #send(protocol: number, packet: Uint8Array): void {
    this.onFrame(writeFrame(protocol, packet));
  }

  #recvAbove(packet: ControlPacket): void {
    switch (packet.protocol) {
      case 'CHAP':
        this.#recvChap(packet);
        return;
      case 'PAP':
        if (packet.code === PAP.ack) this.#succeed();
        return;
      case 'CCP':
        if (this.#settings.noCcp) this.#rejectProtocol(numbers.CCP);
        else if (this.loggedIn) this.ccp.recv(packet);
        return;
      case 'IPCP':
        if (this.loggedIn) this.ipcp.recv(packet);
        return;
      case 'IPV6CP':
        if (this.loggedIn) this.ipv6cp.recv(packet);
        return;
      case 'LCP':
      case 'EAP':
        return;
    }
  }

  #rejectProtocol(protocol: number): void {
    this.lcp.send(CODES.protocolReject, this.lcp.nextIdentifier(), Uint8Array.of(protocol >> 8, protocol & 255));
  }

  #recvChap({ code, identifier, body }: ControlPacket): void {
    if (code === CHAP.challenge) {
      const length = this.lcp.exchange.peer.authentication === 'CHAP-MD5' ? 16 : 49;
      const reader = body();
      const value = this.#settings.respond(reader.bytes(reader.u8()), length);
      const response = numbers.bytes(numbers.counted(value), this.#settings.name);
      this.#send(numbers.CHAP, writePacket(CHAP.response, identifier, response));
    } else if (code === CHAP.success) this.#succeed();
    else if (code === CHAP.failure) this.failures.push(body().text());
  }

  #succeed(): void {
    if (this.loggedIn) return;
    this.loggedIn = true;
    if (!this.#settings.noCcp) this.ccp.open();
    if (this.#settings.eager || this.#settings.noCcp) this.#openNetwork();
  }

  #openNetwork(): void {
    this.ipcp.open();
    if (this.#settings.ipv6) this.ipv6cp.open();
  }

  #linkDown(): void {
    this.loggedIn = false;
    for (const part of [this.ccp, this.ipcp, this.ipv6cp]) part.lowerDown();
  }
}

/** Joins both without loss or delay, and lets them talk until neither has anything to say. */
export function converse(server: Server, client: Client): void {
  const waiting: (() => void)[] = [];
  server.onFrame = (frame) => waiting.push(() => client.recv(frame, server.now));
  client.onFrame = (frame) => waiting.push(() => server.recv(frame));
  server.start();
  client.start(server.now);
  settle(waiting);
}

const MAX_FRAMES = 2000;

function settle(waiting: (() => void)[]): void {
  let count = 0;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    next();
    count += 1;
    if (count > MAX_FRAMES) throw new Error('they talk for ever');
  }
}
