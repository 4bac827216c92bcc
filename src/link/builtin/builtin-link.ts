/**
 * A link of the builtin engine: PPP by ppp/engine, data by a path (data-path). The monitor opens and configures the interface
 * and judges the login. The link is ready when the path is open.
 */
import { addressNumber } from '../../config/addresses.js';
import { pppSettings } from '../../config/ppp-settings.js';
import type { FrameTap } from '../../gre/relay.js';
import type { ProcessIdentity } from '../../host/process.js';
import type { Speed } from '../../monitor/limited-device.js';
import { type AuthenticationRequest, Engine, type EngineEnd, type EngineEvent } from '../../ppp/engine/engine.js';
import { PppReader, type PppState } from '../../ppp/reader.js';
import { monotonicMs } from '../../sys/clock.js';
import { randomOctets } from '../../sys/random.js';
import { describeEndCause, type EndCause } from '../end-cause.js';
import type { Link, LinkClose, LinkCounters, LinkKind, LinkLimits, LinkOptions } from '../link.js';
import { deviceCause, loginCause } from '../monitor-cause.js';
import { type DataPath, type DataPathEvent, PathNotOpened } from './data-path.js';
import type { SessionMonitor } from './session-monitor.js';
import { speedInForce } from './speed-in-force.js';

/** Octets that MPPE adds to a packet: protocol field and header (RFC 3078 §3.1). */
const MPPE_OVERHEAD = 4;
/** Longer than all tries of all RADIUS servers (config/schema), shorter than the engine waits, ms. */
const RADIUS_MS = 50_000;

/** RFC 2866 §5.10: Lost Carrier, and User Request. */
const ENGINE_CAUSES: Readonly<Partial<Record<EngineEnd['kind'], number>>> = {
  echoTimeout: 2,
  peerTerminated: 1,
  networkClosed: 1,
};

type State =
  | 'new'
  /** The path is being opened. */
  | 'starting'
  | 'ready'
  /** The engine terminates the connection with the client. */
  | 'terminating'
  /** The end was reported, or the link was closed. */
  | 'ended';

type Network = Extract<EngineEvent, { type: 'network' }>;
type Network6 = Extract<EngineEvent, { type: 'network6' }>;

/** How the interface is to be. */
interface Wanted {
  readonly ipv4: Network | null;
  readonly ipv6: Network6 | null;
  /** Octets. */
  readonly mtu: number;
}

export interface BuiltinLinkParts {
  readonly monitor: SessionMonitor;
  readonly path: DataPath;
  /** For a call that `path` cannot carry; null: there is no other. */
  readonly newFallback: (() => DataPath) | null;
}

export class BuiltinLink implements Link {
  readonly process: ProcessIdentity | null = null;
  readonly #options: LinkOptions;
  readonly #parts: BuiltinLinkParts;
  readonly #settings: ReturnType<typeof pppSettings>;
  readonly #engine: Engine;
  readonly #reader = new PppReader();
  #path: DataPath;
  #state: State = 'new';
  #interfaceName: string | null = null;
  #tap: FrameTap | null = null;
  #engineTimer: NodeJS.Timeout | undefined;
  /** What `#engineTimer` waits for; null: it does not run. */
  #engineDeadline: number | null = null;
  #hasKeys = false;
  #limits: LinkLimits | null = null;
  #isEncrypted = false;
  #peerMru = 0;
  #network: Network | null = null;
  #network6: Network6 | null = null;
  /** The interface is configured in the order of the changes. */
  #configured: Promise<void> = Promise.resolve();
  /** Why the engine ended the link, as accounting says it. */
  #engineCause: number | undefined;
  #terminated: () => void = () => undefined;
  #closing: Promise<void> | null = null;

  constructor(options: LinkOptions, parts: BuiltinLinkParts) {
    this.#options = options;
    this.#parts = parts;
    this.#path = parts.path;
    this.#settings = pppSettings(options.configuration.ppp);
    const { statefulEncryption, encryptionKeys, ...settings } = this.#settings;
    this.#engine = new Engine({
      settings: {
        ...settings,
        encryptionKeys: encryptionKeys.filter((bits) => parts.path.keyLengths.includes(bits)),
        statelessOnly: !statefulEncryption,
        local: options.tunnel.local,
        // The monitor knows which addresses the client may have.
        remote: null,
      },
      random: randomOctets,
      onEvent: (event) => this.#recvEngineEvent(event),
    });
  }

  /** Events of the engine change the state. */
  get #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  get kind(): LinkKind {
    return this.#path.kind;
  }

  get ppp(): PppState {
    return this.#reader.state;
  }

  get limits(): LinkLimits | null {
    return this.#limits;
  }

  start(): void {
    this.#state = 'starting';
    void this.#open();
  }

  interfaceName(): string | null {
    return this.#interfaceName;
  }

  speed(): Speed | null {
    return this.#interfaceName === null ? null : speedInForce(this.#interfaceName);
  }

  /** HDLC is not used here. */
  setSendAccm(): void {}

  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
    this.#path.setTap(tap);
  }

  holdBack(isHeld: boolean): void {
    this.#path.holdBack(isHeld);
  }

  counters(): LinkCounters | null {
    return this.#path.counters();
  }

  countStrays(): void {
    this.#path.countStrays();
  }

  async close(how: LinkClose): Promise<void> {
    this.#closing ??= this.#close(how);
    return this.#closing;
  }

  async #close({ peerGone, terminateCause }: LinkClose): Promise<void> {
    if (this.#state === 'ready' && !peerGone) await this.#terminate();
    this.#state = 'ended';
    clearTimeout(this.#engineTimer);
    // ip-down is told how many octets went through the interface, which therefore exists until then.
    this.#path.holdBack(true);
    // A monitor that does not answer takes everything back when the manager releases the session, or the worker exits.
    await this.#parts.monitor.close(this.#engineCause ?? terminateCause).catch(() => undefined);
    this.#path.close();
  }

  /** Resolves when the client has acknowledged, or after `timeouts.pppdExit`. */
  async #terminate(): Promise<void> {
    this.#state = 'terminating';
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.configuration.timeouts.pppdExit * 1000);
      this.#terminated = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#drive((now) => this.#engine.terminate('the server ends the session', now));
    });
  }

  async #open(): Promise<void> {
    try {
      this.#interfaceName = await this.#openPath();
    } catch (error) {
      if (!(error instanceof PathNotOpened)) throw error;
      this.#end(error.endCause);
      return;
    }
    if (this.#state !== 'starting') return;
    this.#state = 'ready';
    this.#options.onEvent({ type: 'ready' });
    this.#drive((now) => this.#engine.start(now));
  }

  /** Returns the interface's name. Rejects with PathNotOpened. */
  async #openPath(): Promise<string> {
    const { monitor, newFallback } = this.#parts;
    const options = {
      monitor,
      call: this.#options,
      onEvent: (event: DataPathEvent) => this.#recvPathEvent(event),
    };
    const path = this.#path;
    try {
      return await path.open(options);
    } catch (error) {
      const isOther = error instanceof PathNotOpened && error.isCallTaken && newFallback !== null && !this.#hasEnded;
      if (!isOther) throw error;
      path.close();
      this.#path = newFallback();
      this.#path.setTap(this.#tap);
      const { kind } = this.#path;
      this.#options.onEvent({ type: 'fellBack', from: path.kind, to: kind, because: describeEndCause(error.endCause) });
      return this.#path.open(options);
    }
  }

  #recvPathEvent(event: DataPathEvent): void {
    switch (event.type) {
      case 'control':
        for (const step of this.#reader.observe(event.direction, event.frame, Date.now()))
          this.#options.onEvent({ type: 'ppp', event: step });
        if (event.direction === 'fromClient') this.#drive((now) => this.#engine.recv(event.frame, now));
        break;
      case 'blackHole':
        this.#options.onEvent(event);
        break;
      case 'resetNeeded':
        this.#drive((now) => this.#engine.requestReset(now));
        break;
      case 'fatal':
        this.#end({ kind: 'undecryptable' });
        break;
      case 'unknownProtocol': {
        const { protocol, information } = event;
        this.#drive((now) => this.#engine.recvUnknownData(protocol, information, now));
        break;
      }
      case 'ended':
        this.#end(event.cause);
    }
  }

  /** Every call of the engine: sends what it has queued, and waits for its next deadline. */
  #drive(act: (now: number) => void): void {
    if (this.#state === 'ended') return;
    act(monotonicMs());
    this.#path.flush();
    if (!this.#hasEnded) this.#wait(this.#engine.deadline);
  }

  /** A timer that is replaced still wakes the process when it would have expired, so it is kept if it is the right one. */
  #wait(deadline: number | null): void {
    if (deadline === this.#engineDeadline) return;
    clearTimeout(this.#engineTimer);
    this.#engineDeadline = deadline;
    if (deadline === null) return;
    this.#engineTimer = setTimeout(
      () => {
        this.#engineDeadline = null;
        this.#drive((now) => this.#engine.tick(now));
      },
      Math.max(1, Math.ceil(deadline - monotonicMs())),
    );
  }

  #recvEngineEvent(event: EngineEvent): void {
    const path = this.#path;
    switch (event.type) {
      case 'send':
        path.send(event.frame);
        break;
      case 'linkUp':
        this.#peerMru = event.peerMru;
        path.setFraming({ compressProtocol: event.peerTakesPfc, compressAddress: event.peerTakesAcfc });
        path.setRequireEncryption(this.#settings.encryption === 'require');
        break;
      case 'linkDown':
        break;
      case 'challengeNeeded':
        void this.#drawChallenge(event);
        break;
      case 'authenticate':
        void this.#authenticate(event.request);
        break;
      case 'encryption':
        if (!this.#hasKeys) break;
        this.#isEncrypted = true;
        path.setRequireEncryption(true);
        path.encrypt(event.toClient, event.fromClient);
        break;
      case 'encryptionDown':
        path.stopEncryption();
        this.#isEncrypted = false;
        break;
      case 'resetRequested':
        path.flushNext();
        break;
      case 'network':
        this.#network = event;
        this.#configure();
        break;
      case 'networkDown':
        this.#network = null;
        this.#configure();
        break;
      case 'network6':
        this.#network6 = event;
        this.#configure();
        break;
      case 'network6Down':
        this.#network6 = null;
        this.#configure();
        break;
      case 'ended':
        if (this.#state === 'terminating') this.#terminated();
        else {
          this.#engineCause = ENGINE_CAUSES[event.cause.kind];
          this.#end({ kind: 'ppp', end: event.cause });
        }
    }
  }

  async #drawChallenge({ id, method }: Extract<EngineEvent, { type: 'challengeNeeded' }>): Promise<void> {
    try {
      const octets = await this.#parts.monitor.drawChallenge(method);
      this.#drive((now) => this.#engine.recvChallenge({ id, octets }, now));
    } catch (error) {
      this.#end(loginCause(error));
    }
  }

  async #authenticate(request: AuthenticationRequest): Promise<void> {
    try {
      const patience = this.#options.configuration.radius === undefined ? undefined : RADIUS_MS;
      const verdict = await this.#parts.monitor.authenticate(request, patience);
      if (this.#hasEnded) return;
      if (verdict.accepted) this.#limits = verdict.limits;
      if (verdict.accepted && verdict.keys !== null) {
        this.#hasKeys = true;
        this.#path.setKeys(verdict.keys);
      }
      const { id } = request;
      this.#drive((now) =>
        this.#engine.recvVerdict(
          verdict.accepted
            ? {
                id,
                accepted: true,
                message: verdict.message,
                hasKeys: verdict.keys !== null,
                local: null,
                remote: verdict.remote,
                remoteChoices: verdict.remoteChoices,
              }
            : { id, ...verdict },
          now,
        ),
      );
    } catch (error) {
      this.#end(loginCause(error));
    }
  }

  /** The longest IP packet for the client, octets. */
  get #mtu(): number {
    return Math.min(this.#settings.mtu, this.#peerMru) - (this.#isEncrypted ? MPPE_OVERHEAD : 0);
  }

  /** Has the interface configured as PPP has agreed; data passes after that. */
  #configure(): void {
    if (this.#network === null && this.#network6 === null) this.#path.setNetwork(null);
    const before = this.#configured;
    this.#configured = this.#configureAfter(before, { ipv4: this.#network, ipv6: this.#network6, mtu: this.#mtu });
  }

  async #configureAfter(before: Promise<void>, { ipv4, ipv6, mtu }: Wanted): Promise<void> {
    await before;
    if (this.#hasEnded) return;
    try {
      await this.#parts.monitor.configure({
        mtu,
        ipv4: ipv4 && { local: ipv4.local, remote: ipv4.remote },
        ipv6: ipv6 && { local: ipv6.local, remote: ipv6.remote },
      });
    } catch (error) {
      this.#end(deviceCause(error));
      return;
    }
    // A change that has come meanwhile has its own turn.
    const isOld = this.#network !== ipv4 || this.#network6 !== ipv6 || (ipv4 === null && ipv6 === null);
    if (isOld || this.#hasEnded) return;
    this.#path.setNetwork({ client: ipv4 && addressNumber(ipv4.remote), ipv6: ipv6 !== null, mtu });
  }

  #end(cause: EndCause): void {
    if (this.#state === 'ended') return;
    const isClosing = this.#state === 'terminating';
    this.#state = 'ended';
    clearTimeout(this.#engineTimer);
    this.#terminated();
    if (!isClosing) this.#options.onEvent({ type: 'ended', cause });
  }
}
