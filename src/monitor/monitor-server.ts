/**
 * The monitor's socket: who is connected, by what the kernel says about the process, and what each of them may ask for.
 * A process that sends anything else is told why, logged and disconnected.
 */
import { isAlive, identify, type ProcessIdentity } from '../host/process.js';
import { version } from '../host/version.js';
import type { Logger } from '../log/logger.js';
import type { NetworkRules } from '../network/network-rules.js';
import type { RequestOutcome, ServerRecord } from '../radius/protocol.js';
import { close } from '../sys/descriptor.js';
import { SystemCallFailed } from '../sys/libc.js';
import { Poller } from '../sys/poller.js';
import { watchProcess } from '../sys/process-descriptor.js';
import { acceptSeqpacket, peerCredentials, receivePacket, sendPacket } from '../sys/seqpacket-socket.js';
import { messageOf } from '../sys/thrown.js';
import { GUESSES, GuessLimits } from './guess-limits.js';
import { Guesses, PER_WORKER } from './guesses.js';
import type { SessionQuestion } from './ask-session.js';
import { AccountUsage } from './account-usage.js';
import { amountsByName } from '../host/interface-amounts.js';
import { speedOf } from './authentication.js';
import { hindranceOf } from '../users/expiry.js';
import type { Reading } from '../users/usage-file.js';
import {
  type AskWorker,
  MonitoredSession,
  type MonitorServices,
  type Reply,
  SAVED_VERSION,
  type SavedSession,
} from './monitored-session.js';
import { isSame, type Role, roleOf } from './peer-role.js';
import { isOfSession, isPermitted, type PeerState } from './permitted.js';
import {
  type AccountOver,
  decodeRequest,
  encodeMessage,
  isSettings,
  MAX_ANNOUNCEMENT,
  MAX_MESSAGE,
  type MonitorRequest,
  type MonitorSettings,
  type Refusal,
  REFUSALS,
  type Registration,
} from './protocol.js';
import type { ConsoleProcess } from './console-process.js';
import type { RadiusProcess, SessionRequest } from './radius-process.js';
import type { RadiusSpool } from './radius-spool.js';
import { Rotation } from './rotation.js';
import { UserAccounts } from './user-accounts.js';

/** Maximum number of connections accepted, and of messages taken from one connection, before others have their turn. */
const MAX_IN_A_TURN = 16;
/** Requests of one connection that are worked on at once: a worker can end its call while RADIUS judges its login. */
const MAX_AT_ONCE: Readonly<Record<Role<Worker>['name'], number>> = { worker: 2, manager: 1, rootManager: 1, root: 1 };
/** How long the monitor waits without manager and sessions before it ends, ms; a restarted server reconnects within this time. */
const IDLE_MS = 10_000;
/** How long the end of the monitor waits for the RADIUS servers to acknowledge the last records, ms. */
const LAST_RECORDS_MS = 5000;
/** Minimum time between log lines about unknown processes, ms. */
const STRANGERS_LOGGED_MS = 60_000;
/** Maximum number of sessions in one answer: as many fit into a message. Others come with the next one. */
const MAX_REVIEWED = 50;
/** Name in the state folder; sessions have six characters. */
const MANAGER = 'manager';

type AnsweredRequest = MonitorRequest<Exclude<MonitorRequest['type'], 'serve'>>;

interface SavedManager {
  readonly manager: ProcessIdentity;
  readonly settings: MonitorSettings;
}

/** A process (worker or manager) that the monitor watches until it exits. */
interface Watched {
  readonly identity: ProcessIdentity;
  readonly stop: () => void;
}

interface Worker extends Watched {
  readonly guesses: Guesses;
  session: MonitoredSession | null;
  connection: Connection | null;
}

interface Connection {
  readonly fd: number;
  readonly pid: number;
  readonly role: Role<Worker>;
  readonly poller: Poller;
  /** Requests that are being worked on; with MAX_AT_ONCE the connection is not read. */
  busy: number;
  isOpen: boolean;
}

export interface MonitorServerOptions
  extends Omit<MonitorServices, 'settings' | 'users' | 'usage' | 'guesses' | 'askRadius' | 'account'> {
  readonly listener: number;
  readonly supervisor: ProcessIdentity;
  readonly rules: Pick<NetworkRules, 'set' | 'report'>;
  readonly radius: RadiusProcess;
  readonly console: Pick<ConsoleProcess, 'configure'>;
  /** Asks a session of this worker for something, for RADIUS; resolves with whether it does it. */
  readonly askSession: (session: string, worker: number, request: SessionQuestion) => Promise<boolean>;
  /** Account records for RADIUS. */
  readonly spool: RadiusSpool;
  /** Called when neither manager nor session is left. */
  readonly onIdle: () => void;
}

export class MonitorServer {
  readonly #options: MonitorServerOptions;
  readonly #services: MonitorServices;
  readonly #users: UserAccounts;
  readonly #usage: AccountUsage;
  readonly #log: Logger;
  readonly #reviewed = new Rotation<AccountOver>(MAX_REVIEWED);
  readonly #workers = new Map<number, Worker>();
  readonly #sessions = new Map<string, Worker>();
  /** Sessions whose end still has scripts running. */
  #ending = 0;
  #manager: Watched | null = null;
  #managerConnection: Connection | null = null;
  #settings: MonitorSettings | null = null;
  readonly #poller = new Poller(() => this.#accept());
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #message = Buffer.alloc(MAX_ANNOUNCEMENT + 1);
  #strangers = 0;
  #strangersLoggedAt = -Infinity;

  constructor(options: MonitorServerOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#users = new UserAccounts(options.log);
    this.#usage = new AccountUsage(options.log, () => this.#readings());
    this.#services = {
      ...options,
      settings: () => this.#settings,
      users: this.#users,
      usage: this.#usage,
      guesses: new GuessLimits(options.folder, options.log),
      askRadius: async (login) => options.radius.judge(login),
      account: (record) => options.spool.add(record),
    };
    options.radius.onRequest = async (request) => this.#workFor(request);
    this.#restore();
    this.#poller.watch(options.listener, true, false);
    this.#checkIdle();
  }

  /** Reads the state that an earlier monitor saved. */
  #restore(): void {
    const { folder } = this.#options;
    const saved = folder.read(MANAGER) as SavedManager | null;
    if (saved !== null) {
      // Another version's may lack something; the manager announces itself anew.
      if (isSettings(saved.settings)) this.#use(saved.settings);
      this.#watchManager(saved.manager);
      void this.#setRules(saved.settings.network);
    }
    for (const name of folder.names()) {
      if (name === MANAGER || name === GUESSES) continue;
      const session = folder.read(name) as SavedSession | null;
      if (session?.v === SAVED_VERSION) this.#take(session.registration, session);
      else folder.remove(name);
    }
    this.#log.info({ sessions: this.#sessions.size, manager: this.#manager?.identity.pid }, 'monitor started');
  }

  #accept(): void {
    for (let count = 0; count < MAX_IN_A_TURN; count += 1) {
      const fd = acceptSeqpacket(this.#options.listener);
      if (fd === null) return;
      const { pid, uid } = peerCredentials(fd);
      const role = roleOf(identify(pid), uid, {
        manager: this.#manager?.identity ?? null,
        workers: this.#workers,
      });
      if (role === null) {
        this.#refuseStranger(fd, pid, uid);
        continue;
      }
      const poller = new Poller(() => this.#receive(connection));
      const connection: Connection = { fd, pid, role, poller, busy: 0, isOpen: true };
      this.#replaceConnection(role, connection);
      poller.watch(fd, true, false);
    }
  }

  /** Worker and manager have one connection each: the last. */
  #replaceConnection(role: Role<Worker>, connection: Connection): void {
    if (role.name === 'worker') {
      this.#disconnect(role.worker.connection);
      role.worker.connection = connection;
    } else if (role.name !== 'root') {
      this.#disconnect(this.#managerConnection);
      this.#managerConnection = connection;
    }
  }

  #refuseStranger(fd: number, pid: number, uid: number): void {
    sendPacket(fd, encodeMessage(0, { type: 'refused', reason: 'stranger' }));
    close(fd);
    this.#strangers += 1;
    const now = performance.now();
    if (now - this.#strangersLoggedAt < STRANGERS_LOGGED_MS) return;
    this.#log.warn({ peerPid: pid, uid, times: this.#strangers }, 'refused a process that is no worker of a session');
    this.#strangersLoggedAt = now;
    this.#strangers = 0;
  }

  #receive(connection: Connection): void {
    for (let count = 0; count < MAX_IN_A_TURN && connection.isOpen && mayAsk(connection); count += 1) {
      const packet = receivePacket(connection.fd, this.#message, false);
      if (packet === null) return;
      if (packet === 'closed') {
        this.#disconnect(connection);
        return;
      }
      this.#decode(connection, packet.length);
    }
  }

  #decode(connection: Connection, length: number): void {
    if (length > (connection.role.name === 'root' ? MAX_ANNOUNCEMENT : MAX_MESSAGE)) {
      this.#refuse(connection, 0, 'tooLong', `${length} octets`);
      return;
    }
    const decoded = decodeRequest(this.#message.subarray(0, length));
    if (!decoded.ok) {
      this.#refuse(connection, decoded.id, decoded.reason, decoded.detail);
      return;
    }
    const { id, message } = decoded;
    // A request that arrives while another is being worked on is checked in its turn.
    const isLater = connection.busy > 0 && isOfSession(message.type);
    if (!isLater && !isPermitted(stateOfRole(connection.role), message.type)) {
      this.#refuse(connection, id, 'notPermitted', message.type);
      return;
    }
    if (message.type === 'serve') {
      this.#serve(connection, message.session);
      return;
    }
    connection.busy += 1;
    connection.poller.watch(connection.fd, mayAsk(connection), false);
    void this.#work(connection, id, message);
  }

  /** At once: the worker's next requests may have arrived already. */
  #serve(connection: Connection, session: string): void {
    const { role } = connection;
    if (role.name === 'worker' && role.worker.session?.registration.session === session) return;
    // The manager is registering it.
    sendPacket(connection.fd, encodeMessage(0, { type: 'refused', reason: 'stranger' }));
    this.#disconnect(connection);
  }

  async #work(connection: Connection, id: number, message: AnsweredRequest): Promise<void> {
    const reply = await this.#handle(connection.role, message).catch(failureOf(this.#log));
    connection.busy -= 1;
    this.#reply(connection, id, message.type, reply);
    if (connection.isOpen) connection.poller.watch(connection.fd, true, false);
  }

  async #handle(role: Role<Worker>, message: AnsweredRequest): Promise<Reply> {
    switch (message.type) {
      case 'announce':
        return this.#announce(message);
      case 'register':
        return this.#register(message);
      case 'release': {
        this.#end(this.#sessions.get(message.session), message.session, 'the manager has released it');
        return { answer: { type: 'done' } };
      }
      case 'review':
        return { answer: { type: 'reviewed', over: await this.#review() } };
      case 'network':
        return { answer: { type: 'network', report: await this.#options.rules.report() } };
      case 'challenge':
      case 'authenticate':
      case 'openTun':
      case 'openKernel':
      case 'configure':
      case 'close': {
        const session = role.name === 'worker' ? role.worker.session : null;
        return session?.request(message) ?? { answer: { type: 'refused', reason: 'notPermitted' } };
      }
    }
  }

  async #announce({ manager, settings }: MonitorRequest<'announce'>): Promise<Reply> {
    if (!isAlive(manager)) return { answer: { type: 'refused', reason: 'stranger' } };
    const isStart = !isSame(this.#manager?.identity, manager);
    this.#use(settings);
    // A server that starts while sessions live takes them over: their addresses must not be leased to others.
    if (isStart && this.#sessions.size === 0) this.#tellOfServer('on');
    this.#options.folder.write(MANAGER, { manager, settings } satisfies SavedManager);
    this.#watchManager(manager);
    // Before the server listens; written down first, so that the next monitor knows what there may be.
    await this.#options.rules.set(settings.network ?? null);
    this.#log.info({ manager: manager.pid }, 'manager announced');
    return { answer: { type: 'announced', version, supervisor: this.#options.supervisor } };
  }

  /** By the accounts file as it is now. While it cannot be used nobody's session ends. */
  async #review(): Promise<AccountOver[]> {
    const accounts =
      this.#settings === null ? null : await this.#users.current(this.#settings.accounts).catch(() => null);
    if (accounts === null) return [];
    for (const reading of this.#readings()) this.#usage.count(reading);
    const now = Date.now();
    const over: AccountOver[] = [];
    for (const [session, { session: monitored }] of this.#sessions) {
      const account = monitored?.account ?? null;
      if (account === null) continue;
      const user = accounts.get(account);
      const why =
        user === undefined ? 'removed' : hindranceOf(this.#users.withFirstLogin(user), now, this.#usage.used(account));
      if (why !== null) over.push({ session, why });
      else if (user !== undefined && monitored !== null) void monitored.setSpeed(speedOf(user));
    }
    return this.#reviewed.next(over);
  }

  /** Of all live calls; the usage file may have been changed. */
  #readings(): Reading[] {
    if (this.#settings === null) return [];
    this.#usage.use(this.#settings.accounts);
    const amounts = amountsByName();
    return [...this.#sessions.values()].flatMap(({ session }) => session?.reading(amounts) ?? []);
  }

  /** What a RADIUS server wants done with the sessions that it selects. */
  async #workFor({ selector, by, change }: SessionRequest): Promise<RequestOutcome> {
    const selected = [...this.#workers.values()].flatMap(({ session }) =>
      session?.isSelected(selector) === true ? session : [],
    );
    const names = selected.map(({ registration }) => registration.session);
    this.#log.info({ by, sessions: names, change }, `a RADIUS server ${change === null ? 'ends' : 'changes'} sessions`);
    const [session, ...others] = selected;
    if (session === undefined) return 'noSession';
    if (change === null) return this.#endFor(selected, by);
    if (others.length > 0) return 'several';
    const ask: AskWorker = async (request) => this.#ask(session, request);
    return (await session.change(change, ask)) ? 'done' : 'failed';
  }

  async #endFor(sessions: readonly MonitoredSession[], by: string): Promise<RequestOutcome> {
    const detail = `Disconnect-Request from ${by}`;
    const request = { op: 'disconnect', reason: 'radiusDisconnect', detail } as const;
    const areEnding = await Promise.all(sessions.map(async (session) => this.#ask(session, request)));
    return areEnding.includes(true) ? 'done' : 'failed';
  }

  async #ask({ registration }: MonitoredSession, request: SessionQuestion): Promise<boolean> {
    return this.#options.askSession(registration.session, registration.worker.pid, request);
  }

  #use(settings: MonitorSettings): void {
    this.#settings = settings;
    this.#usage.use(settings.accounts);
    this.#options.radius.configure(settings.radius ?? null);
    if (settings.radius !== undefined) this.#options.spool.flush();
    this.#options.console.configure(settings.console ?? null);
  }

  #watchManager(identity: ProcessIdentity): void {
    if (isSame(this.#manager?.identity, identity)) return;
    const ended = (): void => {
      if (!isSame(this.#manager?.identity, identity)) return;
      this.#manager = null;
      this.#disconnect(this.#managerConnection);
      this.#checkIdle();
    };
    this.#disconnect(this.#managerConnection);
    this.#manager?.stop();
    this.#manager = null;
    const stop = isAlive(identity) ? tryToWatch(identity.pid, ended) : null;
    if (stop !== null) this.#manager = { identity, stop };
    this.#checkIdle();
  }

  #register(registration: MonitorRequest<'register'>): Reply {
    const { type: _, ...fields } = registration;
    const known = this.#sessions.get(fields.session)?.session;
    if (known != null && JSON.stringify(known.registration) === JSON.stringify(ordered(fields)))
      return { answer: { type: 'done' } };
    return this.#take(ordered(fields), null)
      ? { answer: { type: 'done' } }
      : { answer: { type: 'failed', step: `watch the worker ${fields.worker.pid}`, code: 'ESRCH' } };
  }

  /** Adds a new or restored session. Returns false, after cleaning up, if its worker is dead. */
  #take(registration: Registration, saved: SavedSession | null): boolean {
    const { session: id, worker: identity } = registration;
    this.#end(this.#sessions.get(id), id, 'registered anew');
    const worker = this.#workerOf(identity);
    if (worker === null) {
      // The worker died while no monitor ran.
      if (saved !== null) {
        const guesses = new Guesses(PER_WORKER, performance.now());
        void this.#finish(new MonitoredSession(registration, this.#services, guesses, saved), 'its worker has died');
      }
      return false;
    }
    if (worker.session !== null)
      this.#end(worker, worker.session.registration.session, 'its worker serves another session');
    worker.session = new MonitoredSession(registration, this.#services, worker.guesses, saved);
    this.#sessions.set(id, worker);
    this.#checkIdle();
    return true;
  }

  /** null if that process is dead. */
  #workerOf(identity: ProcessIdentity): Worker | null {
    const known = this.#workers.get(identity.pid);
    if (known !== undefined && isSame(known.identity, identity)) return known;
    if (known !== undefined) this.#workerEnded(known);
    const stop = tryToWatch(identity.pid, () => this.#workerEnded(worker));
    if (stop === null) return null;
    const worker: Worker = {
      identity,
      stop,
      guesses: new Guesses(PER_WORKER, performance.now()),
      session: null,
      connection: null,
    };
    if (!isAlive(identity)) {
      stop();
      return null;
    }
    this.#workers.set(identity.pid, worker);
    return worker;
  }

  #workerEnded(worker: Worker): void {
    worker.stop();
    this.#workers.delete(worker.identity.pid);
    if (worker.session !== null) this.#end(worker, worker.session.registration.session, 'its worker has ended');
    this.#disconnect(worker.connection);
  }

  #end(worker: Worker | undefined, id: string, why: string): void {
    const session = worker?.session;
    if (worker === undefined || session == null || session.registration.session !== id) return;
    this.#forget(worker, session);
    void this.#finish(session, why);
  }

  async #finish(session: MonitoredSession, why: string): Promise<void> {
    this.#ending += 1;
    await session.end(why);
    this.#ending -= 1;
    this.#checkIdle();
  }

  /** Closes the worker's connection, unless an answer is still due. */
  #forget(worker: Worker, session: MonitoredSession): void {
    worker.session = null;
    this.#sessions.delete(session.registration.session);
    if (worker.connection?.busy === 0) this.#disconnect(worker.connection);
    this.#checkIdle();
  }

  #reply(connection: Connection, id: number, type: string, { answer, descriptors = [] }: Reply): void {
    if (answer.type === 'refused') {
      this.#refuse(connection, id, answer.reason, type);
      return;
    }
    const sent = connection.isOpen ? sendPacket(connection.fd, encodeMessage(id, answer), descriptors) : 'closed';
    for (const fd of descriptors) close(fd);
    // A process that reads no answers needs none.
    if (sent !== 'sent') this.#disconnect(connection);
    const { role } = connection;
    if (role.name === 'worker' && role.worker.session === null) this.#disconnect(connection);
  }

  #refuse(connection: Connection, id: number, reason: Refusal, detail: string): void {
    const { role, pid } = connection;
    const session = role.name === 'worker' ? role.worker.session?.registration.session : undefined;
    this.#log.error(
      { peerPid: pid, peerRole: role.name, session, reason, detail },
      `refused a request: ${REFUSALS[reason]}; connection closed`,
    );
    if (connection.isOpen) sendPacket(connection.fd, encodeMessage(id, { type: 'refused', reason }));
    this.#disconnect(connection);
  }

  /** Idempotent. The session of a worker whose connection closes lives as long as the worker: it can connect again. */
  #disconnect(connection: Connection | null): void {
    if (connection?.isOpen !== true) return;
    connection.isOpen = false;
    connection.poller.close();
    close(connection.fd);
    const { role } = connection;
    if (role.name === 'worker' && role.worker.connection === connection) role.worker.connection = null;
    if (this.#managerConnection === connection) this.#managerConnection = null;
  }

  #checkIdle(): void {
    clearTimeout(this.#idleTimer);
    if (this.#isNeeded) return;
    this.#idleTimer = setTimeout(() => void this.#endIdle(), IDLE_MS);
  }

  /** Resolves when this process may end. The rules stay for the next monitor if a manager or a session is left. */
  async leave(): Promise<void> {
    await this.#usage.write();
    const processes = [this.#manager, ...this.#sessions.values()].flatMap((each) => each?.identity ?? []);
    // This process may not have noticed yet that some of them have ended.
    if (processes.some(isAlive)) return;
    await this.#setRules(undefined);
    this.#tellOfServer('off');
    const timer = new Promise<void>((resolve) => setTimeout(resolve, LAST_RECORDS_MS).unref());
    await Promise.race([this.#options.spool.drained(), timer]);
  }

  /** RADIUS servers then free what they still hold for this server's sessions. */
  #tellOfServer(status: ServerRecord['status']): void {
    if (this.#settings?.radius?.accounting === undefined) return;
    const at = Math.floor(Date.now() / 1000);
    this.#options.spool.add({ status, id: `server-${at.toString(16)}`, at });
  }

  get #isNeeded(): boolean {
    return this.#manager !== null || this.#sessions.size > 0 || this.#ending > 0;
  }

  async #endIdle(): Promise<void> {
    await this.leave();
    // A manager may have announced itself meanwhile.
    if (!this.#isNeeded) this.#options.onIdle();
  }

  async #setRules(network: MonitorSettings['network']): Promise<void> {
    await this.#options.rules.set(network ?? null).catch((error: unknown) => {
      this.#log.error({ err: error }, messageOf(error));
    });
  }
}

/** The answer when the system has refused a step. */
const failureOf =
  (log: Logger) =>
  (error: unknown): Reply => {
    if (!(error instanceof SystemCallFailed)) throw error;
    const { step, code, message } = error;
    log.error({ step, code }, message);
    return { answer: { type: 'failed', step, code } };
  };

const mayAsk = ({ busy, role }: Connection): boolean => busy < MAX_AT_ONCE[role.name];

function stateOfRole(role: Role<Worker>): PeerState {
  return role.name === 'worker' ? (role.worker.session?.state ?? 'over') : role.name;
}

/** The fields in one order, so that two of them can be compared as text. */
const ordered = ({ session, worker, engine, local, remote, peer, server, callId }: Registration): Registration => ({
  session,
  worker: { pid: worker.pid, startTime: worker.startTime },
  ...(engine === undefined ? {} : { engine }),
  local,
  remote,
  peer,
  server,
  callId,
});

/** null when the process has ended already. */
function tryToWatch(pid: number, onEnd: () => void): (() => void) | null {
  try {
    return watchProcess(pid, onEnd);
  } catch (error) {
    if (error instanceof SystemCallFailed && error.code === 'ESRCH') return null;
    throw error;
  }
}
