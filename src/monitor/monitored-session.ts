/**
 * One session as the monitor sees it: what its worker may have, what it has, and how all of it is removed. Requests are
 * handled one after the other. Whatever is to be undone after the monitor's own death is written down before it is done.
 */
import { readFileSync } from 'node:fs';
import type { Rule } from '../accounts/chap-secrets.js';
import type { Logger } from '../log/logger.js';
import { close } from '../sys/descriptor.js';
import { SystemCallFailed } from '../sys/libc.js';
import type { AccountRecord, RadiusLogin, RadiusVerdict, SessionSelector } from '../radius/protocol.js';
import { generateNoLinkLocal, type NetworkConfiguration } from '../sys/network-configuration.js';
import { openTunDevice } from '../sys/tun-device.js';
import { type Grant, judge, type Judgement, mayUse } from './authentication.js';
import { GUESSES_PER_SESSION, type WorkerGuesses } from './guesses.js';
import { isPermitted, standingOf, type WorkerStanding } from './permitted.js';
import type {
  AddressPair,
  InterfaceState,
  MonitorAnswer,
  MonitorRequest,
  MonitorSettings,
  Refusal,
  Registration,
} from './protocol.js';
import { proxyArpInterface } from './proxy-arp.js';
import { type Amounts, interimOf, NO_AMOUNTS, recordOf, type SavedAccount, TERMINATE } from './radius-account.js';
import { judgeByRadius, NotJudged } from './radius-judgement.js';
import { type ScriptEvent, type ScriptFacts, Scripts } from './scripts.js';
import type { StateFolder } from './state-folder.js';
import type { Login } from './verifier.js';

/** More than a session ever needs: its worker has no business here any more. */
const MOST_REQUESTS = 1000;

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
  readonly grant: Grant | null;
  readonly device: Device | null;
  readonly ipv4: Configured | null;
  readonly ipv6: Configured | null;
  /** For RADIUS; left out or null: there is none. */
  readonly account?: SavedAccount | null;
}
export const SAVED_VERSION = 1;

export interface MonitorServices {
  /** null: no manager has announced itself yet. */
  readonly settings: () => MonitorSettings | null;
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
  readonly descriptor?: number;
}

const DONE: Reply = { answer: { type: 'done' } };
const refusal = (reason: Refusal): Reply => ({ answer: { type: 'refused', reason } });

type WorkerRequest = MonitorRequest<'authenticate' | 'openTun' | 'configure' | 'close'>;

export class MonitoredSession {
  readonly registration: Registration;
  readonly #services: MonitorServices;
  readonly #log: Logger;
  readonly #scripts: Scripts;
  readonly #workerGuesses: WorkerGuesses;
  #turn: Promise<unknown> = Promise.resolve();
  #requests = 0;
  #guesses: number;
  #grant: Grant | null;
  #device: Device | null;
  /** Of the call before: its worker has to close it before it gets another. */
  #lastDevice: Device | null = null;
  #ipv4: Configured | null;
  #ipv6: Configured | null;
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
    this.#grant = saved?.grant ?? null;
    this.#device = saved?.device ?? null;
    this.#ipv4 = saved?.ipv4 ?? null;
    this.#ipv6 = saved?.ipv6 ?? null;
    this.#account = saved?.account ?? null;
    if (this.#account !== null) this.#startInterim(this.#account);
    if (saved === null) this.#save();
  }

  get standing(): WorkerStanding {
    return standingOf({ device: this.#device !== null, login: this.#grant !== null });
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
      if (this.#over || !isPermitted(this.standing, request.type)) return refusal('notPermitted');
      if (this.#requests > MOST_REQUESTS) return refusal('tooManyRequests');
      return this.#answer(request);
    });
  }

  /** Takes everything back; idempotent, never fails. Resolves when the scripts of the end have ended, too. */
  async end(why: string): Promise<void> {
    await this.#inTurn(async () => this.#end(why));
    await this.#scripts.idle;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #answer(request: WorkerRequest): Promise<Reply> {
    switch (request.type) {
      case 'authenticate':
        return this.#authenticate(request);
      case 'openTun':
        return this.#openTun();
      case 'configure':
        return this.#configure(request);
      case 'close':
        this.#endCall(request.cause ?? TERMINATE.userRequest);
        return DONE;
    }
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
    // Counted before the answer is known, and written down: nothing that happens meanwhile gives another guess.
    if (this.#guesses >= GUESSES_PER_SESSION || !this.#workerGuesses.take(performance.now()))
      return refusal('tooManyGuesses');
    this.#guesses += 1;
    this.#save();
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
      const { verdict, grant } = await this.#judge(login, settings);
      isGuess = !verdict.accepted;
      this.#grant = grant;
      this.#log.info({ method, accepted: verdict.accepted, user: grant?.name, guesses: this.#guesses }, 'login judged');
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
      mayRetry: this.#guesses < GUESSES_PER_SESSION,
    };
    const { radius } = settings;
    return radius === undefined
      ? judge(login, { settings, ...circumstances })
      : judgeByRadius(
          login,
          { settings: radius, stripDomain: settings.stripDomain, local, peer, ...circumstances },
          this.#services.askRadius,
        );
  }

  /** The password was right, or could not be judged. */
  #giveBackGuess(): void {
    this.#guesses -= 1;
    this.#workerGuesses.giveBack();
  }

  #openTun(): Reply {
    const { network } = this.#services;
    const last = this.#lastDevice;
    if (last !== null && network.index(last.name) === last.index) return refusal('deviceOpen');
    const { fd: descriptor, name } = openTunDevice('ppp%d');
    try {
      const index = network.index(name);
      if (index === null) throw new SystemCallFailed(`find the interface ${name}`, 'ENODEV');
      generateNoLinkLocal(name);
      this.#device = { name, index, since: Math.floor(Date.now() / 1000) };
      this.#save();
      this.#log.info({ interface: name }, 'interface opened');
      return { answer: { type: 'device', name }, descriptor };
    } catch (error) {
      this.#device = null;
      close(descriptor);
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

    if (!same(this.#ipv4?.pair, ipv4)) this.#removeIpv4();
    if (!same(this.#ipv6?.pair, ipv6)) this.#removeIpv6();
    network.setMtu(device.name, mtu);
    try {
      const new4 = ipv4 !== null && this.#ipv4 === null ? await this.#prepareIpv4(device, grant, ipv4) : null;
      network.setUp(device.name, ipv4 !== null || ipv6 !== null);
      if (new4 !== null) this.#bringUpIpv4(new4);
      if (ipv6 !== null && this.#ipv6 === null) this.#bringUpIpv6(device, grant, ipv6);
    } catch (error) {
      this.#removeAll();
      throw error;
    }
    if (ipv4 !== null || ipv6 !== null) this.#keepAccount(device, grant, ipv4?.remote ?? null);
    this.#log.info({ interface: device.name, mtu, ipv4, ipv6 }, 'interface configured');
    return DONE;
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
    this.#account = { ...account, amounts: amountsOf(device.name) ?? account.amounts };
  }

  #closeAccount(cause: number): void {
    clearInterval(this.#interimTimer);
    this.#count();
    if (this.#account !== null) this.#services.account(recordOf(this.#account, 'stop', nowSeconds(), cause));
    this.#account = null;
  }

  /** The scripts start when the interface is down. */
  #removeAll(): void {
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
      grant: this.#grant === null ? null : { ...this.#grant, rules: this.#grant.rules.filter(isNetwork) },
      device: this.#device,
      ipv4: this.#ipv4,
      ipv6: this.#ipv6,
      account: this.#account,
    };
    this.#services.folder.write(this.registration.session, saved);
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

/** What went through an interface, seen from this machine: it sends to the client. */
function octetsOf(name: string): { readonly sent: number; readonly received: number } | null {
  const amounts = amountsOf(name);
  return amounts && { received: amounts.received.octets, sent: amounts.sent.octets };
}

/** The same with the numbers of packets. */
function amountsOf(name: string): Amounts | null {
  const line = readFileSync('/proc/net/dev', 'latin1')
    .split('\n')
    .find((each) => each.trimStart().startsWith(`${name}:`));
  const fields = line
    ?.slice(line.indexOf(':') + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  return fields === undefined
    ? null
    : {
        received: { octets: fields[0] ?? 0, packets: fields[1] ?? 0 },
        sent: { octets: fields[8] ?? 0, packets: fields[9] ?? 0 },
      };
}
