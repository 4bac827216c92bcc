/**
 * A link of the builtin engine: PPP by ppp/engine, data through a TUN device. The monitor opens and configures the device
 * and judges the login. The link is ready when the device and the GRE socket are open.
 */
import { addressNumber } from '../../config/addresses.js';
import { pppSettings } from '../../config/ppp-settings.js';
import type { PacketBuffers } from '../../gre/packet-buffers.js';
import { type FrameTap, Relay, type RelayEvent } from '../../gre/relay.js';
import type { ProcessIdentity } from '../../host/process.js';
import type { Mppe } from '../../mschap/mppe.js';
import type { StartKeys } from '../../mschap/start-keys.js';
import { type AuthenticationRequest, Engine, type EngineEnd, type EngineEvent } from '../../ppp/engine/engine.js';
import { PppReader, type PppState } from '../../ppp/reader.js';
import { monotonicMs } from '../../sys/clock.js';
import { randomOctets } from '../../sys/random.js';
import type { EndCause } from '../end-cause.js';
import { greCause } from '../gre-cause.js';
import type { Link, LinkClose, LinkCounters, LinkOptions } from '../link.js';
import { deviceCause, loginCause } from '../monitor-cause.js';
import type { SessionMonitor } from './session-monitor.js';
import type { TunPort, TunPortEvent } from './tun-port.js';

/** Octets that MPPE adds to a packet: protocol field and header (RFC 3078 §3.1). */
const MPPE_OVERHEAD = 4;
/** Longer than all tries of all RADIUS servers (config/schema), shorter than the engine waits, ms. */
const RADIUS_MS = 50_000;
/** Before a packet's protocol field has been skipped. */
const PROTOCOL_FIELD = { compressed: 1, whole: 2 } as const;

/** RFC 2866 §5.10: Lost Carrier, and User Request. */
const ENGINE_CAUSES: Readonly<Partial<Record<EngineEnd['kind'], number>>> = {
  echoTimeout: 2,
  peerTerminated: 1,
  networkClosed: 1,
};

type State =
  | 'new'
  /** The device is being opened. */
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

/** What a standby has made. */
export interface TunLinkParts {
  readonly monitor: SessionMonitor;
  readonly buffers: PacketBuffers;
  readonly port: TunPort;
  readonly mppe: Mppe;
}

export class TunLink implements Link {
  readonly kind = 'tun';
  readonly can = { capture: true, enforceWindow: true, measureLoss: true, detectBlackHole: true };
  readonly process: ProcessIdentity | null = null;
  readonly #options: LinkOptions;
  readonly #parts: TunLinkParts;
  readonly #settings: ReturnType<typeof pppSettings>;
  readonly #engine: Engine;
  readonly #reader = new PppReader();
  #state: State = 'new';
  /** null before the device is open, and when the relay could not be opened. */
  #relay: Relay | null = null;
  #interfaceName: string | null = null;
  #tap: FrameTap | null = null;
  #engineTimer: NodeJS.Timeout | undefined;
  #keys: StartKeys | null = null;
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

  constructor(options: LinkOptions, parts: TunLinkParts) {
    this.#options = options;
    this.#parts = parts;
    this.#settings = pppSettings(options.configuration.ppp);
    const { statefulEncryption, ...settings } = this.#settings;
    this.#engine = new Engine({
      // The monitor knows which addresses the client may have.
      settings: { ...settings, statelessOnly: !statefulEncryption, local: options.tunnel.local, remote: null },
      random: randomOctets,
      onEvent: (event) => this.#recvEngineEvent(event),
    });
  }

  /** Events of the engine change the state. */
  get #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  get ppp(): PppState {
    return this.#reader.state;
  }

  start(): void {
    this.#state = 'starting';
    void this.#open();
  }

  interfaceName(): string | null {
    return this.#interfaceName;
  }

  /** HDLC is not used here. */
  setSendAccm(): void {}

  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
    this.#relay?.setTap(tap);
  }

  holdBack(isHeld: boolean): void {
    this.#relay?.holdBack(isHeld);
  }

  counters(): LinkCounters | null {
    return this.#relay?.counters() ?? null;
  }

  countStrays(): void {
    this.#relay?.countStrays();
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
    this.#relay?.holdBack(true);
    // A monitor that does not answer takes everything back when the manager releases the session, or the worker exits.
    await this.#parts.monitor.close(this.#engineCause ?? terminateCause).catch(() => undefined);
    this.#relay?.close();
    this.#parts.port.close();
    this.#parts.mppe.stop();
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
    const { monitor, port } = this.#parts;
    try {
      const { fd, name } = await monitor.openTun();
      port.open(fd);
      this.#interfaceName = name;
    } catch (error) {
      this.#end(deviceCause(error));
      return;
    }
    if (this.#state !== 'starting') return;
    try {
      this.#relay = this.#openRelay();
    } catch (error) {
      this.#end(greCause(error));
      return;
    }
    this.#state = 'ready';
    this.#options.onEvent({ type: 'ready' });
    this.#drive((now) => this.#engine.start(now));
  }

  #openRelay(): Relay {
    const { configuration, peerAddress, localAddress, localCallId, peerCallId, peerWindow } = this.#options;
    const relay = new Relay({
      localAddress,
      peerAddress,
      localCallId,
      peerCallId,
      peerWindow,
      window: configuration.gre.window,
      device: configuration.listen.vrf,
      buffers: this.#parts.buffers,
      port: this.#parts.port,
      limitBursts: true,
      onEvent: (event) => this.#recvRelayEvent(event),
    });
    relay.setTap(this.#tap);
    return relay;
  }

  #recvRelayEvent(event: RelayEvent): void {
    switch (event.type) {
      case 'control':
        for (const step of this.#reader.observe(event.direction, event.frame, Date.now()))
          this.#options.onEvent({ type: 'ppp', event: step });
        if (event.direction === 'fromClient') this.#drive((now) => this.#engine.recv(event.frame, now));
        break;
      case 'blackHole':
        this.#options.onEvent(event);
        break;
      case 'ended': {
        const { failure } = event;
        if (failure.kind === 'gre')
          this.#end({ kind: 'gre', step: `${failure.step} GRE packets`, problem: failure.code });
        else if (failure.kind === 'closed') this.#end({ kind: 'device', problem: 'its network interface was removed' });
        else this.#end({ kind: 'device', problem: `its network interface cannot be read: ${failure.code}` });
      }
    }
  }

  /** What the port reports; TunStandby passes it on. */
  recvPortEvent(event: TunPortEvent): void {
    switch (event.type) {
      case 'resetNeeded':
        this.#drive((now) => this.#engine.requestReset(now));
        break;
      case 'fatal':
        this.#end({ kind: 'undecryptable' });
        break;
      case 'unknownProtocol': {
        const { protocol, frame } = event;
        const field = ((frame[0] ?? 0) & 1) === 1 ? PROTOCOL_FIELD.compressed : PROTOCOL_FIELD.whole;
        this.#drive((now) => this.#engine.recvUnknownData(protocol, frame.subarray(field), now));
      }
    }
  }

  /** Every call of the engine: sends what it has queued, and waits for its next deadline. */
  #drive(act: (now: number) => void): void {
    if (this.#state === 'ended') return;
    act(monotonicMs());
    this.#relay?.sendQueued();
    clearTimeout(this.#engineTimer);
    const { deadline } = this.#engine;
    if (deadline === null || this.#hasEnded) return;
    this.#engineTimer = setTimeout(
      () => this.#drive((now) => this.#engine.tick(now)),
      Math.max(1, Math.ceil(deadline - monotonicMs())),
    );
  }

  #recvEngineEvent(event: EngineEvent): void {
    const { port, mppe } = this.#parts;
    switch (event.type) {
      case 'send':
        port.queueControl(event.frame);
        break;
      case 'linkUp':
        this.#peerMru = event.peerMru;
        port.setFraming({ compressProtocol: event.peerTakesPfc, compressAddress: event.peerTakesAcfc });
        port.setRequireEncryption(this.#settings.encryption === 'require');
        break;
      case 'linkDown':
        break;
      case 'authenticate':
        void this.#authenticate(event.request);
        break;
      case 'encryption':
        if (this.#keys === null) break;
        mppe.start(this.#keys, event.toClient, event.fromClient);
        port.setEncryption(mppe);
        port.setRequireEncryption(true);
        this.#isEncrypted = true;
        break;
      case 'encryptionDown':
        port.setEncryption(null);
        mppe.stop();
        this.#isEncrypted = false;
        break;
      case 'resetRequested':
        mppe.flushNext();
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

  async #authenticate(request: AuthenticationRequest): Promise<void> {
    try {
      const patience = this.#options.configuration.radius === undefined ? undefined : RADIUS_MS;
      const verdict = await this.#parts.monitor.authenticate(request, patience);
      if (verdict.accepted) {
        const { keys, sessionTime = null, idleTime = null } = verdict;
        this.#keys = keys;
        this.#options.onEvent({ type: 'limits', sessionTime, idleTime });
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
    if (this.#network === null && this.#network6 === null) this.#parts.port.setNetwork(null);
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
    if (this.#network !== ipv4 || this.#network6 !== ipv6 || (ipv4 === null && ipv6 === null)) return;
    this.#parts.port.setNetwork({ client: ipv4 && addressNumber(ipv4.remote), ipv6: ipv6 !== null, mtu });
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
