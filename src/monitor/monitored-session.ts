/**
 * One session as the monitor sees it: what its worker may have, what it has, and how all of it is removed. Requests are
 * handled one after the other. Whatever is to be undone after the monitor's own death is written down before it is done.
 */
import type { Rule } from '../accounts/chap-secrets.js';
import { isWithin } from '../config/addresses.js';
import type { Logger } from '../log/logger.js';
import { close } from '../sys/descriptor.js';
import { SystemCallFailed } from '../sys/libc.js';
import type { AccountRecord, Rate, SessionChange, SessionSelector } from '../radius/protocol.js';
import { generateNoLinkLocal, type NetworkConfiguration } from '../sys/network-configuration.js';
import { openKernelTunnel } from '../sys/ppp-device.js';
import { IPPROTO_GRE, openRawSocket } from '../sys/raw-socket.js';
import { messageOf } from '../sys/thrown.js';
import { openTunDevice } from '../sys/tun-device.js';
import { WtmpdbEntry } from '../sys/wtmpdb.js';
import type { SessionQuestion } from './ask-session.js';
import { type Grant, mayUse, NO_ACCOUNT } from './authentication.js';
import type { Reading } from '../users/usage-file.js';
import { addRoute, type Route, type Step } from './iproute.js';
import { type AmountsByName, amountsByName } from '../host/interface-amounts.js';
import type { Guesses } from './guesses.js';
import { isPermitted, workerState, type WorkerState } from './permitted.js';
import type { AddressPair, InterfaceState, MonitorAnswer, MonitorRequest, Refusal, Registration } from './protocol.js';
import { proxyArpInterface } from './proxy-arp.js';
import { type Amounts, interimOf, type SavedAccount, TERMINATE } from './radius-account.js';
import { Scripts } from './scripts.js';
import { SessionAccount } from './session-account.js';
import { type Configured, type Device, SessionAddresses } from './session-addresses.js';
import { type LoginServices, type SavedLogin, SessionLogin } from './session-login.js';
import { SessionSpeed } from './session-speed.js';
import { limitOf } from './radius-judgement.js';
import { isSameSpeed, type Speed, UNLIMITED } from './speed-limit.js';
import type { StateFolder } from './state-folder.js';

/** More than a session ever needs: its worker has no business here any more. */
const MAX_REQUESTS = 1000;

/** What the state folder keeps of a session. */
export interface SavedSession extends SavedLogin {
  readonly v: typeof SAVED_VERSION;
  readonly registration: Registration;
  readonly grant: Grant | null;
  readonly device: Device | null;
  readonly ipv4: Configured | null;
  readonly ipv6: Configured | null;
  /** In force at the device. */
  readonly speed?: Speed;
  /** For RADIUS; left out or null: there is none. */
  readonly account?: SavedAccount | null;
  readonly isRecorded?: boolean;
}
export const SAVED_VERSION = 1;

export interface MonitorServices extends LoginServices {
  /** Keeps the record until a RADIUS server has acknowledged it. */
  readonly account: (record: AccountRecord) => void;
  readonly network: NetworkConfiguration;
  /** Takes these steps in their order. Rejects with a sentence at the first one that fails. */
  readonly take: (steps: readonly Step[]) => Promise<void>;
  readonly folder: StateFolder;
  readonly log: Logger;
}

export interface Reply {
  readonly answer: MonitorAnswer;
  /** To be sent along, and then closed. */
  readonly descriptors?: readonly number[];
}

/** Asks the session's worker; resolves with whether it does it. */
export type AskWorker = (request: SessionQuestion) => Promise<boolean>;

interface OpenedDevice {
  readonly name: string;
  readonly descriptors: readonly number[];
}

const DONE: Reply = { answer: { type: 'done' } };
const refusal = (reason: Refusal): Reply => ({ answer: { type: 'refused', reason } });

type WorkerRequest = MonitorRequest<'challenge' | 'authenticate' | 'openTun' | 'openKernel' | 'configure' | 'close'>;

export class MonitoredSession {
  readonly registration: Registration;
  readonly #services: MonitorServices;
  readonly #log: Logger;
  readonly #scripts: Scripts;
  #turn: Promise<unknown> = Promise.resolve();
  #requests = 0;
  readonly #login: SessionLogin;
  #grant: Grant | null;
  #device: Device | null;
  /** Of the call before: its worker has to close it before it gets another. */
  #lastDevice: Device | null = null;
  readonly #addresses: SessionAddresses;
  readonly #speed: SessionSpeed;
  readonly #radiusAccount: SessionAccount;
  readonly #wtmpdb: WtmpdbEntry;
  /** It has an entry in wtmpdb. */
  #isRecorded: boolean;
  #stage: 'live' | 'ending' | 'over' = 'live';

  /** A new session, or one of before the monitor died. Throws the system's error when it cannot be written down. */
  constructor(
    registration: Registration,
    services: MonitorServices,
    workerGuesses: Guesses,
    saved: SavedSession | null = null,
  ) {
    this.registration = registration;
    this.#services = services;
    this.#log = services.log.child({ session: registration.session, worker: registration.worker.pid });
    this.#scripts = new Scripts(this.#log);
    // An older version's lacks what only newer ones have.
    this.#grant = saved?.grant == null ? null : { ...NO_ACCOUNT, ...saved.grant, routes: savedRoutes(saved.grant) };
    this.#device = saved?.device ?? null;
    this.#addresses = new SessionAddresses({
      saved: { ipv4: saved?.ipv4 ?? null, ipv6: saved?.ipv6 ?? null },
      save: () => this.#save(),
      attempt: (step) => this.#try(step),
      network: services.network,
      scripts: this.#scripts,
      peer: registration.peer,
    });
    this.#login = new SessionLogin({
      saved: { guesses: saved?.guesses ?? 0, challenge: saved?.challenge ?? null },
      save: () => this.#save(),
      services,
      registration,
      unit: () => (this.#device === null ? null : unitOf(this.#device.name)),
      workerGuesses,
      log: this.#log,
    });
    const save = (): void => this.#try(() => this.#save());
    const { take } = services;
    this.#speed = new SessionSpeed({ saved: saved?.speed ?? UNLIMITED, save, take, log: this.#log });
    this.#radiusAccount = new SessionAccount({
      saved: saved?.account ?? null,
      save,
      add: services.account,
      amounts: () => this.#amounts(),
      now: nowSeconds,
    });
    this.#wtmpdb = new WtmpdbEntry({ onFailure: (message) => this.#log.warn(`wtmpdb: ${message}`) });
    this.#isRecorded = saved?.isRecorded ?? false;
    if (saved === null) this.#save();
  }

  get state(): WorkerState | 'pppd' {
    if (this.registration.engine === 'pppd') return 'pppd';
    return workerState({ device: this.#device !== null, login: this.#grant !== null });
  }

  /** The name in the accounts file by which the client has logged in; null: none. */
  get account(): string | null {
    return this.#grant?.account ?? null;
  }

  /** What the call has carried for its account; null: there is no call, or no account. */
  reading(amounts: AmountsByName): Reading | null {
    const [device, name] = [this.#device, this.account];
    if (device === null || name === null) return null;
    const carried = this.#services.network.index(device.name) === device.index ? amounts.get(device.name) : undefined;
    const { session } = this.registration;
    return {
      call: `${session}-${device.since.toString(16)}-${device.index}`,
      name,
      // Where the interface is gone the last reading counts.
      octets: carried === undefined ? 0 : carried.received.octets + carried.sent.octets,
    };
  }

  /** Whether a RADIUS server means this session: RADIUS has judged its login, and all that is selected is true of it. */
  isSelected({ id, name, address, port, portId, client }: SessionSelector): boolean {
    const radius = this.#grant?.radius;
    if (radius === undefined) return false;
    const unit = this.#device === null ? null : unitOf(this.#device.name);
    const facts = [
      [id, this.#radiusAccount.value?.id],
      [name, radius.name],
      [address, this.#addresses.ipv4?.pair.remote],
      [port, unit],
      [portId, this.#device?.name],
      [client, this.registration.peer],
    ];
    return facts.every(([selected, is]) => selected === null || selected === is);
  }

  /** Throws SystemCallFailed when the system refuses a step. */
  async request(request: WorkerRequest): Promise<Reply> {
    if (request.type === 'close') this.#login.abandon();
    return this.#inTurn(async () => {
      this.#requests += 1;
      if (this.#stage !== 'live' || !isPermitted(this.state, request.type)) return refusal('notPermitted');
      if (this.#requests > MAX_REQUESTS) return refusal('tooManyRequests');
      return this.#answer(request);
    });
  }

  /** Takes everything back; idempotent, never fails. Resolves when the scripts of the end have ended, too. */
  async end(why: string): Promise<void> {
    // Requests that wait for their turn are refused, too.
    if (this.#stage === 'live') this.#stage = 'ending';
    this.#login.abandon();
    await this.#inTurn(async () => this.#end(why));
    await Promise.all([this.#scripts.idle, this.#speed.idle, this.#wtmpdb.written]);
  }

  /** The account has this speed now. Resolves with whether it is, or will be, in force. */
  async setSpeed(speed: Rate): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#stage !== 'live' || this.#grant === null) return false;
      const wanted = { ...this.#grant.speed, ...speed };
      if (isSameSpeed(this.#grant.speed, wanted)) return true;
      this.#grant = { ...this.#grant, speed: wanted };
      this.#try(() => this.#save());
      return this.#limitSpeed();
    });
  }

  /**
   * Limits the interface, if it is up, to what the last login permits; before it comes up `#configure` does. Resolves with whether
   * the limit is, or will be, in force.
   */
  async #limitSpeed(): Promise<boolean> {
    const [device, grant, { ipv4, ipv6 }] = [this.#device, this.#grant, this.#addresses];
    if (device === null || grant === null || (ipv4 === null && ipv6 === null)) return true;
    // The worker may have closed it, and another session may have got its name.
    return this.#services.network.index(device.name) === device.index && this.#speed.limit(device, grant.speed);
  }

  /** For RADIUS: the worker keeps the times, the kernel the speed. Resolves with whether all of it is done. */
  async change({ sessionTime, idleTime, rate }: SessionChange, ask: AskWorker): Promise<boolean> {
    const times = {
      ...(sessionTime === null ? {} : { sessionTime: limitOf(sessionTime) }),
      ...(idleTime === null ? {} : { idleTime: limitOf(idleTime) }),
    };
    if (Object.keys(times).length > 0 && !(await ask({ op: 'limits', ...times }))) return false;
    return Object.keys(rate).length === 0 || this.setSpeed(rate);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #answer(request: WorkerRequest): Promise<Reply> {
    switch (request.type) {
      case 'challenge':
        return { answer: this.#login.drawChallenge(request.method) };
      case 'authenticate':
        return this.#authenticate(request);
      case 'openTun':
        return this.#openDevice(() => {
          const { fd, name } = openTunDevice('ppp%d');
          return { name, descriptors: [fd, ...greSocket()] };
        });
      case 'openKernel':
        return this.#openDevice(() => this.#openKernel(request));
      case 'configure':
        return this.#configure(request);
      case 'close':
        this.#endCall(request.cause ?? TERMINATE.userRequest);
        return DONE;
    }
  }

  async #authenticate(request: MonitorRequest<'authenticate'>): Promise<Reply> {
    let answer: MonitorAnswer;
    try {
      const outcome = await this.#login.authenticate(request);
      answer = outcome.answer;
      if (outcome.judgement !== null) this.#replaceGrant(outcome.judgement.grant);
    } finally {
      this.#save();
    }
    await this.#limitSpeed();
    return { answer };
  }

  /** What was used until now is the last login's. What that one permitted ends, unless it is the same account again. */
  #replaceGrant(grant: Grant | null): void {
    const before = this.#grant;
    const reading = this.account === null ? null : this.reading(amountsByName());
    if (reading !== null) this.#services.usage.count(reading);
    if (before !== null && !isSameAccount(before, grant)) this.#takeDown();
    this.#grant = grant;
  }

  #openKernel({ peerCallId }: MonitorRequest<'openKernel'>): OpenedDevice {
    const { server, callId, peer } = this.registration;
    const { name, socket, channel, unit } = openKernelTunnel({
      localAddress: server,
      localCallId: callId,
      peerAddress: peer,
      peerCallId,
      device: this.#services.settings()?.vrf ?? null,
    });
    return { name, descriptors: [socket, channel, unit] };
  }

  #openDevice(open: () => OpenedDevice): Reply {
    const { network } = this.#services;
    const last = this.#lastDevice;
    if (last !== null && network.index(last.name) === last.index) return refusal('deviceOpen');
    const { name, descriptors } = open();
    try {
      const index = network.index(name);
      if (index === null) throw new SystemCallFailed(`find the interface ${name}`, 'ENODEV');
      generateNoLinkLocal(name);
      const vrf = this.#services.settings()?.vrf ?? null;
      if (vrf !== null) network.enterVrf(index, vrf);
      this.#device = { name, index, since: Math.floor(Date.now() / 1000) };
      this.#save();
      this.#log.info({ interface: name }, 'interface opened');
      return { answer: { type: 'device', name }, descriptors };
    } catch (error) {
      this.#device = null;
      for (const fd of descriptors) close(fd);
      throw error;
    }
  }

  async #configure({ mtu, ipv4, ipv6 }: InterfaceState): Promise<Reply> {
    const { network, settings } = this.#services;
    const [device, grant, addresses] = [this.#device, this.#grant, this.#addresses];
    if (device === null || grant === null) return refusal('notPermitted');
    // The worker may have closed it, and another session may have got its name.
    if (network.index(device.name) !== device.index) return refusal('notTheDevice');
    const { local, remote } = this.registration;
    if (ipv4 !== null && (ipv4.local !== local || !mayUse(grant, remote, ipv4.remote))) return refusal('address');
    if (ipv4 !== null && this.#isOuter(ipv4)) return refusal('outerAddress');

    if (!same(addresses.ipv4?.pair, ipv4)) addresses.removeIpv4(device);
    if (!same(addresses.ipv6?.pair, ipv6)) addresses.removeIpv6(device);
    network.setMtu(device.name, mtu);
    try {
      const new4 = addresses.ipv4 === null ? ipv4 : null;
      if (new4 !== null) {
        const proxyArp = settings()?.proxyArp === true ? proxyArpInterface(new4.remote) : null;
        await addresses.prepareIpv4(device, { pair: new4, name: grant.name, proxyArp, ...filterOf(grant) });
      }
      const isUp = ipv4 !== null || ipv6 !== null;
      if (isUp) await this.#speed.limit(device, grant.speed);
      network.setUp(device.name, isUp);
      if (new4 !== null) {
        await this.#addRoutes(device, grant);
        addresses.bringUpIpv4(device);
      }
      if (ipv6 !== null && addresses.ipv6 === null)
        addresses.bringUpIpv6(device, { pair: ipv6, name: grant.name, ...filterOf(grant) });
    } catch (error) {
      this.#takeDown();
      throw error;
    }
    if (ipv4 !== null || ipv6 !== null) {
      this.#openAccount(device, grant, ipv4?.remote ?? null);
      this.#recordLogin(device, grant);
    }
    this.#log.info({ interface: device.name, mtu, ipv4, ipv6 }, 'interface configured');
    return DONE;
  }

  /**
   * Whether the tunnel's own packets would be sent into the tunnel, or no longer leave this machine. The server's address may be
   * the same inside and outside.
   */
  #isOuter(pair: AddressPair): boolean {
    const { peer, server } = this.registration;
    return pair.local === peer || pair.remote === peer || pair.remote === server;
  }

  /** They go when the interface goes down. One that another interface has already is left to it. */
  async #addRoutes({ name }: Device, { routes }: Grant): Promise<void> {
    const { settings, take } = this.#services;
    const vrf = settings()?.vrf ?? null;
    const { peer } = this.registration;
    for (const route of routes) {
      const { network } = route;
      const added = isWithin(peer, network)
        ? Promise.reject(
            new Error(
              `it contains the client's own address ${peer}: the tunnel's packets would be routed into the tunnel`,
            ),
          )
        : take([addRoute(route, name, vrf)]);
      await added.catch((error: unknown) =>
        this.#log.error({ interface: name, network }, `cannot route ${network} to ${name}: ${messageOf(error)}`),
      );
    }
  }

  /** When the tunnel first carries packets. */
  #openAccount(device: Device, { radius }: Grant, address: string | null): void {
    const accounting = this.#services.settings()?.radius?.accounting;
    if (accounting === undefined || radius === undefined) return;
    const { name, classes, interim: wish } = radius;
    const { session, peer } = this.registration;
    const since = nowSeconds();
    this.#radiusAccount.open({
      id: `${session}-${since.toString(16)}-${device.index}`,
      name,
      classes,
      port: unitOf(device.name),
      client: peer,
      address,
      since,
      interim: interimOf(accounting.interim, wish),
    });
  }

  #recordLogin({ name: line }: Device, { name: user }: Grant): void {
    if (this.#isRecorded || this.#services.settings()?.logwtmp !== true) return;
    this.#isRecorded = true;
    this.#save();
    this.#wtmpdb.begin({ line, user, host: this.registration.peer }, Date.now());
  }

  #recordLogout(): void {
    if (this.#isRecorded && this.#device !== null) this.#wtmpdb.end(this.#device.name, Date.now());
    this.#isRecorded = false;
  }

  /** What has gone through the interface; null: it is gone. */
  #amounts(): Amounts | null {
    const device = this.#device;
    if (device === null || this.#services.network.index(device.name) !== device.index) return null;
    return amountsByName().get(device.name) ?? null;
  }

  #closeAccounts(cause: number): void {
    const reading = this.account === null ? null : this.reading(amountsByName());
    if (reading !== null) this.#services.usage.end(reading);
    this.#radiusAccount.close(cause);
  }

  #removeAll(): void {
    this.#takeDown();
    if (this.#device !== null) this.#speed.remove(this.#device);
  }

  /** The speed limit stays: the interface may come up again. The scripts start when it is down. */
  #takeDown(): void {
    const [device, { network }] = [this.#device, this.#services];
    if (device === null) return;
    this.#addresses.removeIpv6(device);
    this.#addresses.removeIpv4(device);
    if (network.index(device.name) === device.index) this.#try(() => network.setUp(device.name, false));
  }

  /** The client may call again: what its worker has guessed still counts. */
  #endCall(cause: number): void {
    this.#closeAccounts(cause);
    this.#recordLogout();
    this.#removeAll();
    this.#lastDevice = this.#device ?? this.#lastDevice;
    this.#device = null;
    this.#login.callEnded();
    this.#grant = null;
    this.#save();
    this.#log.info('call over');
  }

  async #end(why: string): Promise<void> {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#closeAccounts(TERMINATE.nasError);
    this.#recordLogout();
    this.#removeAll();
    for (const device of [this.#device, this.#lastDevice]) if (device !== null) this.#removeLeftOver(device);
    this.#services.folder.remove(this.registration.session);
    this.#log.info({ why }, 'session over');
  }

  /** The kernel removes an interface with its descriptor, unless a worker made it persistent or passed the descriptor on. */
  #removeLeftOver({ name, index }: Device): void {
    const { network } = this.#services;
    if (network.index(name) !== index) return;
    this.#log.warn({ interface: name }, `removing ${name}, which the session left behind`);
    this.#try(() => network.remove(index, name));
  }

  /** Taking back goes on after a step that failed. */
  #try(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof SystemCallFailed)) throw error;
      this.#log.warn({ step: error.step, code: error.code }, error.message);
    }
  }

  #save(): void {
    if (this.#stage === 'over') return;
    const saved: SavedSession = {
      v: SAVED_VERSION,
      registration: this.registration,
      ...this.#login.value,
      grant: this.#grant === null ? null : { ...this.#grant, rules: this.#grant.rules.filter(isNetwork) },
      device: this.#device,
      ipv4: this.#addresses.ipv4,
      ipv6: this.#addresses.ipv6,
      speed: this.#speed.value,
      account: this.#radiusAccount.value,
      isRecorded: this.#isRecorded,
    };
    this.#services.folder.write(this.registration.session, saved);
  }
}

const isSameAccount = (one: Grant, other: Grant | null): boolean =>
  one.name === other?.name && one.account === other.account && one.remote === other.remote;

const filterOf = ({ filter }: Grant): { readonly filter?: string } => (filter === undefined ? {} : { filter });

/** None when it cannot be opened: the worker tries itself then, and says why. */
function greSocket(): readonly number[] {
  try {
    return [openRawSocket(IPPROTO_GRE)];
  } catch {
    return [];
  }
}

/** An older version wrote down the networks alone. */
const savedRoutes = ({ routes = [] }: { readonly routes?: readonly (Route | string)[] }): Route[] =>
  routes.map((route) => (typeof route === 'string' ? { network: route, metric: null } : route));

const isNetwork = (rule: Rule): boolean => 'base' in rule;

const unitOf = (name: string): number => Number(name.slice('ppp'.length));

const same = (one: AddressPair | null | undefined, other: AddressPair | null): boolean =>
  one?.local === other?.local && one?.remote === other?.remote;

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
