/**
 * One session as the monitor sees it: what its worker may have, what it has, and how all of it is removed. Requests are
 * handled one after the other. Whatever is to be undone after the monitor's own death is written down before it is done.
 */
import type { Rule } from '../accounts/chap-secrets.js';
import type { Logger } from '../log/logger.js';
import { monotonicMs } from '../sys/clock.js';
import { close } from '../sys/descriptor.js';
import { SystemCallFailed } from '../sys/libc.js';
import type { AccountRecord, RadiusLogin, RadiusVerdict, SessionSelector } from '../radius/protocol.js';
import { generateNoLinkLocal, type NetworkConfiguration } from '../sys/network-configuration.js';
import { openKernelTunnel } from '../sys/ppp-device.js';
import { IPPROTO_GRE, openRawSocket } from '../sys/raw-socket.js';
import { openTunDevice } from '../sys/tun-device.js';
import type { AccountUsage } from './account-usage.js';
import { type Grant, judge, type Judgement, mayUse, NO_ACCOUNT } from './authentication.js';
import { type Challenge, drawChallenge, isChallenged } from './challenge.js';
import type { Reading } from '../users/usage-file.js';
import { addRoute, take } from './iproute.js';
import { type AmountsByName, amountsByName, octetsOf } from '../host/interface-amounts.js';
import { GUESSES_PER_SESSION, type WorkerGuesses } from './guesses.js';
import { isPermitted, workerState, type WorkerState } from './permitted.js';
import type {
  AddressPair,
  ChapMethod,
  InterfaceState,
  MonitorAnswer,
  MonitorRequest,
  MonitorSettings,
  Refusal,
  Registration,
} from './protocol.js';
import { proxyArpInterface } from './proxy-arp.js';
import { interimOf, NO_AMOUNTS, recordOf, type SavedAccount, TERMINATE } from './radius-account.js';
import { judgeByRadius, NotJudged } from './radius-judgement.js';
import type { UserAccounts } from './user-accounts.js';
import { type ScriptEvent, type ScriptFacts, Scripts } from './scripts.js';
import { NEEDED_MODULES, type Speed, stepsAtEnd, stepsFor, UNLIMITED } from './speed-limit.js';
import type { StateFolder } from './state-folder.js';
import type { Login } from './verifier.js';

/** More than a session ever needs: its worker has no business here any more. */
const MAX_REQUESTS = 1000;

/** An IPv4 or IPv6 end that is configured, with what its end needs. */
interface Configured {
  readonly pair: AddressPair;
  /** Who has logged in. */
  readonly name: string;
  /** The interface with the ARP entry; null without one. */
  readonly proxyArp: string | null;
  /** A script of its beginning has been started, so one of its end is due. */
  readonly hasScripts: boolean;
}

interface Device {
  readonly name: string;
  /** Names return, numbers do not. */
  readonly index: number;
  /** Seconds since the epoch. */
  readonly since: number;
}

/** What the state folder keeps of a session. */
export interface SavedSession {
  readonly v: typeof SAVED_VERSION;
  readonly registration: Registration;
  readonly guesses: number;
  readonly challenge: Challenge | null;
  readonly grant: Grant | null;
  readonly device: Device | null;
  readonly ipv4: Configured | null;
  readonly ipv6: Configured | null;
  /** In force at the device. */
  readonly speed?: Speed;
  /** For RADIUS; left out or null: there is none. */
  readonly account?: SavedAccount | null;
}
export const SAVED_VERSION = 1;

export interface MonitorServices {
  /** null: no manager has announced itself yet. */
  readonly settings: () => MonitorSettings | null;
  readonly users: UserAccounts;
  readonly usage: AccountUsage;
  /** Asks the RADIUS process; never rejects. */
  readonly askRadius: (login: RadiusLogin) => Promise<RadiusVerdict>;
  /** Keeps the record until a RADIUS server has acknowledged it. */
  readonly account: (record: AccountRecord) => void;
  readonly network: NetworkConfiguration;
  readonly folder: StateFolder;
  readonly log: Logger;
}

export interface Reply {
  readonly answer: MonitorAnswer;
  /** To be sent along, and then closed. */
  readonly descriptors?: readonly number[];
}

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
  readonly #workerGuesses: WorkerGuesses;
  #turn: Promise<unknown> = Promise.resolve();
  #requests = 0;
  #guesses: number;
  /** For the next login; null: none was asked for, or it was used. */
  #challenge: Challenge | null;
  #grant: Grant | null;
  #device: Device | null;
  /** Of the call before: its worker has to close it before it gets another. */
  #lastDevice: Device | null = null;
  #ipv4: Configured | null;
  #ipv6: Configured | null;
  /** In force at the device. */
  #speed: Speed;
  /** Removing what does not go with the device. */
  #clearing: Promise<void> = Promise.resolve();
  #account: SavedAccount | null;
  #interimTimer: NodeJS.Timeout | undefined;
  #over = false;

  /** A new session, or one of before the monitor died. Throws the system's error when it cannot be written down. */
  constructor(
    registration: Registration,
    services: MonitorServices,
    workerGuesses: WorkerGuesses,
    saved: SavedSession | null = null,
  ) {
    this.registration = registration;
    this.#services = services;
    this.#workerGuesses = workerGuesses;
    this.#log = services.log.child({ session: registration.session, worker: registration.worker.pid });
    this.#scripts = new Scripts(this.#log);
    this.#guesses = saved?.guesses ?? 0;
    this.#challenge = saved?.challenge ?? null;
    // An older version's lacks what only newer ones have.
    this.#grant = saved?.grant == null ? null : { ...NO_ACCOUNT, ...saved.grant };
    this.#device = saved?.device ?? null;
    this.#ipv4 = saved?.ipv4 ?? null;
    this.#ipv6 = saved?.ipv6 ?? null;
    this.#speed = saved?.speed ?? UNLIMITED;
    this.#account = saved?.account ?? null;
    if (this.#account !== null) this.#startInterim(this.#account);
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
  isSelected({ id, name, address, port, client }: SessionSelector): boolean {
    const radius = this.#grant?.radius;
    if (radius === undefined) return false;
    const unit = this.#device === null ? null : unitOf(this.#device.name);
    const facts = [
      [id, this.#account?.id],
      [name, radius.name],
      [address, this.#ipv4?.pair.remote],
      [port, unit],
      [client, this.registration.peer],
    ];
    return facts.every(([selected, is]) => selected === null || selected === is);
  }

  /** Throws SystemCallFailed when the system refuses a step. */
  async request(request: WorkerRequest): Promise<Reply> {
    return this.#inTurn(async () => {
      this.#requests += 1;
      if (this.#over || !isPermitted(this.state, request.type)) return refusal('notPermitted');
      if (this.#requests > MAX_REQUESTS) return refusal('tooManyRequests');
      return this.#answer(request);
    });
  }

  /** Takes everything back; idempotent, never fails. Resolves when the scripts of the end have ended, too. */
  async end(why: string): Promise<void> {
    await this.#inTurn(async () => this.#end(why));
    await Promise.all([this.#scripts.idle, this.#clearing]);
  }

  /** The account has this speed now. */
  async setSpeed(speed: Speed): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#over || this.#grant === null || sameSpeed(this.#grant.speed, speed)) return;
      this.#grant = { ...this.#grant, speed };
      if (this.#device !== null && (this.#ipv4 !== null || this.#ipv6 !== null)) await this.#limit(this.#device, speed);
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #answer(request: WorkerRequest): Promise<Reply> {
    switch (request.type) {
      case 'challenge':
        return this.#drawChallenge(request.method);
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

  #drawChallenge(method: ChapMethod): Reply {
    if (this.#services.settings()?.authentication.includes(method) !== true) return refusal('notPermitted');
    const challenge = drawChallenge(method, monotonicMs());
    this.#challenge = challenge;
    this.#save();
    return { answer: { type: 'challenge', challenge: challenge.octets } };
  }

  async #authenticate({
    method,
    name,
    challenge,
    response,
    identifier,
  }: MonitorRequest<'authenticate'>): Promise<Reply> {
    const settings = this.#services.settings();
    if (settings === null || !settings.authentication.includes(method)) return refusal('notPermitted');
    if (!isChallenged({ method, challenge }, this.#challenge, monotonicMs())) return refusal('challenge');
    // Counted before the answer is known, and written down: nothing that happens meanwhile gives another guess.
    if (this.#guesses >= GUESSES_PER_SESSION || !this.#workerGuesses.take(performance.now()))
      return refusal('tooManyGuesses');
    this.#guesses += 1;
    // With the challenge: if the monitor dies now, the worker asks again with the same response.
    this.#save();
    const mayRetry = method !== 'pap' && this.#guesses < GUESSES_PER_SESSION;
    this.#challenge = mayRetry ? drawChallenge(method, monotonicMs()) : null;
    const octets = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
    const login = {
      method,
      identifier,
      name: octets(name),
      challenge: octets(challenge),
      response: octets(response),
    };
    let isGuess = false;
    try {
      const { verdict, grant, note } = await this.#judge(login, settings);
      isGuess = !verdict.accepted;
      this.#replaceGrant(grant);
      this.#log.info({ method, accepted: verdict.accepted, user: grant?.name, guesses: this.#guesses }, 'login judged');
      if (note !== null) this.#log.warn({ method }, note);
      return { answer: { type: 'verdict', verdict } };
    } catch (error) {
      if (!(error instanceof NotJudged)) throw error;
      this.#log.warn({ method, ...error.answer }, 'login not judged');
      return { answer: error.answer };
    } finally {
      if (!isGuess) this.#giveBackGuess();
      this.#save();
    }
  }

  /** Rejects with NotJudged when RADIUS is to judge and does not. */
  async #judge(login: Login, settings: MonitorSettings): Promise<Judgement> {
    const { local, remote, peer } = this.registration;
    const circumstances = {
      remote,
      unit: this.#device === null ? null : unitOf(this.#device.name),
      retryChallenge: this.#challenge?.octets ?? null,
    };
    const { radius } = settings;
    return radius === undefined
      ? judge(login, { settings, users: this.#services.users, usage: this.#services.usage, ...circumstances })
      : judgeByRadius(
          login,
          { settings: radius, stripDomain: settings.stripDomain, local: local ?? '', peer, ...circumstances },
          this.#services.askRadius,
        );
  }

  /** What was used until now is the last login's. What that one permitted ends, unless it is the same account again. */
  #replaceGrant(grant: Grant | null): void {
    const before = this.#grant;
    const reading = this.account === null ? null : this.reading(amountsByName());
    if (reading !== null) this.#services.usage.count(reading);
    if (before !== null && !isSameAccount(before, grant)) this.#takeDown();
    this.#grant = grant;
  }

  /** The password was right, or could not be judged. */
  #giveBackGuess(): void {
    this.#guesses -= 1;
    this.#workerGuesses.giveBack();
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
    const { network } = this.#services;
    const [device, grant] = [this.#device, this.#grant];
    if (device === null || grant === null) return refusal('notPermitted');
    // The worker may have closed it, and another session may have got its name.
    if (network.index(device.name) !== device.index) return refusal('notTheDevice');
    const { local, remote } = this.registration;
    if (ipv4 !== null && (ipv4.local !== local || !mayUse(grant, remote, ipv4.remote))) return refusal('address');
    if (ipv4 !== null && this.#isOuter(ipv4)) return refusal('outerAddress');

    if (!same(this.#ipv4?.pair, ipv4)) this.#removeIpv4();
    if (!same(this.#ipv6?.pair, ipv6)) this.#removeIpv6();
    network.setMtu(device.name, mtu);
    try {
      const new4 = ipv4 !== null && this.#ipv4 === null ? await this.#prepareIpv4(device, grant, ipv4) : null;
      if (ipv4 !== null || ipv6 !== null) await this.#limit(device, grant.speed);
      network.setUp(device.name, ipv4 !== null || ipv6 !== null);
      if (new4 !== null) {
        await this.#addRoutes(device, grant);
        this.#bringUpIpv4(new4);
      }
      if (ipv6 !== null && this.#ipv6 === null) this.#bringUpIpv6(device, grant, ipv6);
    } catch (error) {
      this.#takeDown();
      throw error;
    }
    if (ipv4 !== null || ipv6 !== null) this.#keepAccount(device, grant, ipv4?.remote ?? null);
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
    const vrf = this.#services.settings()?.vrf ?? null;
    for (const network of routes) {
      await take([addRoute(network, name, vrf)]).catch((error: unknown) =>
        this.#log.error({ interface: name, network }, `cannot route ${network} to ${name}: ${messageOf(error)}`),
      );
    }
  }

  /** A kernel that cannot do it lets the client be faster: the log says so. */
  async #limit(device: Device, speed: Speed): Promise<void> {
    if (sameSpeed(this.#speed, speed)) return;
    const before = this.#speed;
    // Written down first: what is left of a limit has to be removed, whatever happens.
    this.#speed = speed;
    this.#try(() => this.#save());
    try {
      await take(stepsFor(device, before, speed));
      this.#log.info({ interface: device.name, speed }, 'speed limited');
    } catch (error) {
      this.#log.error(
        { interface: device.name, speed },
        `cannot limit the speed of ${device.name}: ${messageOf(error)}. The kernel needs ${NEEDED_MODULES}`,
      );
      await this.#unlimitWholly(device, speed);
    }
  }

  /** Half a limit is none, and would be in the way of the next one. */
  async #unlimitWholly(device: Device, speed: Speed): Promise<void> {
    this.#speed = UNLIMITED;
    // What was not made cannot be removed.
    for (const step of stepsFor(device, speed, UNLIMITED)) await take([step]).catch(() => undefined);
  }

  #unlimit(device: Device): void {
    const steps = stepsAtEnd(device, this.#speed);
    this.#speed = UNLIMITED;
    if (steps.length === 0) return;
    this.#clearing = Promise.all([this.#clearing, take(steps)]).then(
      () => undefined,
      (error: unknown) => this.#log.warn(`cannot remove the speed limit of ${device.name}: ${messageOf(error)}`),
    );
  }

  /** Addresses and ip-pre-up, before the interface is up. */
  async #prepareIpv4(device: Device, { name }: Grant, pair: AddressPair): Promise<Configured> {
    const proxyArp = this.#services.settings()?.proxyArp === true ? proxyArpInterface(pair.remote) : null;
    const ipv4 = { pair, name, proxyArp, hasScripts: true };
    this.#ipv4 = { ...ipv4, hasScripts: false };
    this.#save();
    this.#services.network.setAddresses(device.name, pair.local, pair.remote);
    this.#ipv4 = ipv4;
    this.#save();
    await this.#scripts.runBeforeUp(this.#factsOf(ipv4, false, false));
    return ipv4;
  }

  #bringUpIpv4(ipv4: Configured): void {
    if (ipv4.proxyArp !== null) this.#services.network.addProxyArp(ipv4.proxyArp, ipv4.pair.remote);
    this.#start('ip-up', this.#factsOf(ipv4, false, false));
  }

  #bringUpIpv6(device: Device, { name }: Grant, pair: AddressPair): void {
    this.#ipv6 = { pair, name, proxyArp: null, hasScripts: true };
    this.#save();
    this.#services.network.addLinkLocal(device.index, pair.local);
    this.#start('ipv6-up', this.#factsOf(this.#ipv6, true, false));
  }

  /** Opens the call's account when the tunnel first carries packets. */
  #keepAccount(device: Device, { radius }: Grant, address: string | null): void {
    const accounting = this.#services.settings()?.radius?.accounting;
    if (accounting === undefined || radius === undefined) return;
    const { name, classes, interim: wish } = radius;
    if (this.#account !== null) {
      this.#account = { ...this.#account, address };
      this.#save();
      return;
    }
    const { session, peer } = this.registration;
    const since = nowSeconds();
    this.#account = {
      id: `${session}-${since.toString(16)}-${device.index}`,
      name,
      classes,
      port: unitOf(device.name),
      client: peer,
      address,
      since,
      interim: interimOf(accounting.interim, wish),
      amounts: NO_AMOUNTS,
    };
    this.#save();
    this.#services.account(recordOf(this.#account, 'start', since));
    this.#startInterim(this.#account);
  }

  #startInterim({ interim }: SavedAccount): void {
    if (interim === 0) return;
    this.#interimTimer = setInterval(() => {
      this.#count();
      this.#try(() => this.#save());
      if (this.#account !== null) this.#services.account(recordOf(this.#account, 'interim', nowSeconds()));
    }, interim * 1000);
  }

  /** What has gone through the interface; once it is gone, what was counted last stays. */
  #count(): void {
    const [account, device] = [this.#account, this.#device];
    if (account === null || device === null || this.#services.network.index(device.name) !== device.index) return;
    this.#account = { ...account, amounts: amountsByName().get(device.name) ?? account.amounts };
  }

  #closeAccount(cause: number): void {
    const reading = this.account === null ? null : this.reading(amountsByName());
    if (reading !== null) this.#services.usage.end(reading);
    clearInterval(this.#interimTimer);
    this.#count();
    if (this.#account !== null) this.#services.account(recordOf(this.#account, 'stop', nowSeconds(), cause));
    this.#account = null;
  }

  #removeAll(): void {
    this.#takeDown();
    if (this.#device !== null) this.#unlimit(this.#device);
  }

  /** The speed limit stays: the interface may come up again. The scripts start when it is down. */
  #takeDown(): void {
    const [device, { network }] = [this.#device, this.#services];
    this.#removeIpv6();
    this.#removeIpv4();
    if (device !== null && network.index(device.name) === device.index)
      this.#try(() => network.setUp(device.name, false));
  }

  /** Addresses, proxy ARP and ip-down. What is gone with its interface needs no removing. */
  #removeIpv4(): void {
    const [ipv4, device] = [this.#ipv4, this.#device];
    if (ipv4 === null || device === null) return;
    const { network } = this.#services;
    const facts = this.#factsOf(ipv4, false, true);
    const { proxyArp } = ipv4;
    if (proxyArp !== null) this.#try(() => network.removeProxyArp(proxyArp, ipv4.pair.remote));
    if (network.index(device.name) === device.index) this.#try(() => network.removeAddresses(device.name));
    if (ipv4.hasScripts) this.#start('ip-down', facts);
    this.#ipv4 = null;
    this.#try(() => this.#save());
  }

  #removeIpv6(): void {
    const [ipv6, device] = [this.#ipv6, this.#device];
    if (ipv6 === null || device === null) return;
    const { network } = this.#services;
    const facts = this.#factsOf(ipv6, true, true);
    if (network.index(device.name) === device.index)
      this.#try(() => network.removeLinkLocal(device.index, ipv6.pair.local));
    if (ipv6.hasScripts) this.#start('ipv6-down', facts);
    this.#ipv6 = null;
    this.#try(() => this.#save());
  }

  /** The client may call again: what its worker has guessed still counts. */
  #endCall(cause: number): void {
    this.#closeAccount(cause);
    this.#removeAll();
    this.#lastDevice = this.#device ?? this.#lastDevice;
    this.#device = null;
    this.#challenge = null;
    this.#grant = null;
    this.#save();
    this.#log.info('call over');
  }

  async #end(why: string): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#closeAccount(TERMINATE.nasError);
    this.#removeAll();
    this.#services.folder.remove(this.registration.session);
    this.#log.info({ why }, 'session over');
  }

  #start(event: ScriptEvent, facts: ScriptFacts): void {
    void this.#scripts.run(event, facts);
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

  #factsOf({ pair, name }: Configured, isIpv6: boolean, atEnd: boolean): ScriptFacts {
    const [interfaceName, since] = [this.#device?.name ?? '', this.#device?.since ?? 0];
    return {
      interfaceName,
      isIpv6,
      name,
      addresses: isIpv6 ? { local: linkLocal(pair.local), remote: linkLocal(pair.remote) } : pair,
      peer: this.registration.peer,
      connected: atEnd ? Math.max(0, Math.floor(Date.now() / 1000) - since) : null,
      octets:
        atEnd && this.#services.network.index(interfaceName) === this.#device?.index ? octetsOf(interfaceName) : null,
    };
  }

  #save(): void {
    if (this.#over) return;
    const saved: SavedSession = {
      v: SAVED_VERSION,
      registration: this.registration,
      guesses: this.#guesses,
      challenge: this.#challenge,
      grant: this.#grant === null ? null : { ...this.#grant, rules: this.#grant.rules.filter(isNetwork) },
      device: this.#device,
      ipv4: this.#ipv4,
      ipv6: this.#ipv6,
      speed: this.#speed,
      account: this.#account,
    };
    this.#services.folder.write(this.registration.session, saved);
  }
}

const isSameAccount = (one: Grant, other: Grant | null): boolean =>
  one.name === other?.name && one.account === other.account && one.remote === other.remote;

const sameSpeed = (one: Speed, other: Speed): boolean => one.up === other.up && one.down === other.down;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** None when it cannot be opened: the worker tries itself then, and says why. */
function greSocket(): readonly number[] {
  try {
    return [openRawSocket(IPPROTO_GRE)];
  } catch {
    return [];
  }
}

const isNetwork = (rule: Rule): boolean => 'base' in rule;

const unitOf = (name: string): number => Number(name.slice('ppp'.length));

const same = (one: AddressPair | null | undefined, other: AddressPair | null): boolean =>
  one?.local === other?.local && one?.remote === other?.remote;

/** As pppd writes it: every group with four digits. */
const linkLocal = (identifier: string): string =>
  `fe80::${identifier
    .split(':')
    .map((group) => group.padStart(4, '0'))
    .join(':')}`;

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
