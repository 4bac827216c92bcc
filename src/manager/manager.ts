/** The manager as a whole: connects its parts, and starts, reloads and ends them. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Configuration } from '../config/schema.js';
import type { ProcessLog } from '../log/logger.js';
import { makeFolder } from '../host/folder.js';
import { whoRunsAsWhat } from '../host/identity.js';
import { describeEngine, type EngineChoice, linkKindOf } from '../host/ppp-engine.js';
import * as processes from '../host/process.js';
import { version } from '../host/version.js';
import { MonitorRegistrar } from '../monitor/monitor-registrar.js';
import { type ManagerStatus, unblockRequest } from '../session/manager-status.js';
import { runPaths } from '../session/paths.js';
import { AccountReview } from './account-review.js';
import { Accountant } from './accountant.js';
import { Admission } from './admission.js';
import { BroadcastRelayProcess } from './broadcast-relay-process.js';
import { CalledAgain } from './called-again.js';
import { Dispatcher } from './dispatcher.js';
import { configuredPool } from './configured-pool.js';
import { Leases } from './leases.js';
import { Listener } from './listener.js';
import { LogFiles } from './log-files.js';
import type { Hooks } from './hooks/hooks.js';
import type { ManagerMetrics } from './metrics/metrics.js';
import { ManagerSocket } from './manager-socket.js';
import { MonitoredSessions } from './monitored-sessions.js';
import { NetworkSessions } from './network-sessions.js';
import { networkStatus } from './network-status.js';
import { removePidFile, writePidFile } from './pid-file.js';
import { Policy } from './policy/policy.js';
import { Registry } from './registry.js';
import { SameAddress } from './same-address.js';
import { REFUSAL_CAUSES, RefusedClients, type RefusalCause } from './refused-clients.js';
import { WorkerPool } from './worker-pool.js';
import { ctrlWorker } from './worker.js';

/** Time for the last messages to the clients, in addition to pppd's time from TERM to KILL, in milliseconds. */
const SHUTDOWN_GRACE_MS = 5000;

/** Settings that only a restart applies. */
const RESTART_ONLY = [
  'listen',
  'runDirectory',
  'user',
  'pidFile',
  'metrics',
  'console',
  'network',
] as const satisfies readonly (keyof Configuration)[];

export interface ManagerOptions {
  readonly configuration: Configuration;
  /** Who speaks PPP, for as long as this manager runs. */
  readonly engine: EngineChoice;
  readonly processLog: ProcessLog;
  /** Loads the configuration file again; returns every mistake in it. */
  readonly reread: () => string[];
}

export class Manager {
  #configuration: Configuration;
  readonly #processLog: ProcessLog;
  readonly #leases: Leases;
  readonly #refusedClients: RefusedClients;
  readonly #registry: Registry;
  readonly #policy: Policy;
  readonly #accountant: Accountant;
  readonly #logFiles: LogFiles;
  readonly #pool: WorkerPool;
  readonly #dispatcher: Dispatcher;
  readonly #admission: Admission;
  readonly #listener: Listener;
  readonly #broadcastRelay: BroadcastRelayProcess;
  readonly #socket: ManagerSocket;
  readonly #since = Date.now();
  readonly #runsAs: string;
  readonly #engine: EngineChoice;
  /** null: no monitor is needed. */
  readonly #registrar: MonitorRegistrar | null;
  /** null: pppd is the engine. */
  readonly #monitored: MonitoredSessions | null = null;
  /** Keeps the monitor as long as there are sessions; null: the monitor knows of them, or need not. */
  readonly #networkSessions: NetworkSessions | null = null;
  readonly #accountReview: AccountReview | null = null;
  /** null as long as there are no `hooks`. */
  #hooks: Hooks | null = null;
  /** null without `metrics`. */
  #metrics: ManagerMetrics | null = null;

  constructor({ configuration, engine, processLog, reread }: ManagerOptions) {
    const { log } = processLog;
    this.#configuration = configuration;
    this.#processLog = processLog;
    this.#engine = engine;
    this.#runsAs = whoRunsAsWhat(engine.engine === 'pppd' ? configuration.pppd.path : null);
    const { monitorSocket } = runPaths(configuration.runDirectory);
    this.#leases = new Leases(configuredPool(configuration));
    this.#refusedClients = new RefusedClients(log);
    this.#registry = new Registry({
      runDirectory: configuration.runDirectory,
      leases: this.#leases,
      log,
      pppdExitMs: () => this.#configuration.timeouts.pppdExit * 1000,
      processes,
      connect,
    });
    this.#policy = new Policy(configuration.policy, {
      blocksFile: runPaths(configuration.runDirectory).blocks,
      disconnect: (session, reason, detail) => this.#registry.disconnect(session, reason, detail),
      sessions: () => this.#registry.states,
      onBlocked: (block) => this.#hooks?.blocked(block),
      log,
    });
    this.#registry.watch(this.#policy);
    this.#accountant = new Accountant(configuration.runDirectory, log);
    this.#registry.watch(this.#accountant);
    const calledAgain = new CalledAgain(
      () => this.#registry.states,
      (session, by) => this.#registry.probe(session, by),
    );
    this.#registry.watch(calledAgain);
    this.#registry.watch(new SameAddress(() => this.#registry.states, log));
    this.#logFiles = new LogFiles(configuration, log);
    const registrar =
      engine.engine === 'builtin' || configuration.network !== undefined || configuration.console !== undefined
        ? new MonitorRegistrar(monitorSocket)
        : null;
    this.#registrar = registrar;
    if (registrar !== null && engine.engine === 'builtin') {
      this.#monitored = new MonitoredSessions(registrar, log);
      this.#registry.watch(this.#monitored);
      this.#accountReview = new AccountReview({
        registrar,
        sessions: () => this.#registry.states,
        disconnect: (session, reason, detail) => this.#registry.disconnect(session, reason, detail),
        log,
      });
    } else if (registrar !== null) {
      this.#networkSessions = new NetworkSessions(registrar, log);
      this.#registry.watch(this.#networkSessions);
    }
    const program = ctrlWorker(linkKindOf(engine), monitorSocket);
    this.#pool = new WorkerPool({ spare: configuration.workers.spare, log, program });
    this.#dispatcher = new Dispatcher({
      configuration,
      leases: this.#leases,
      pool: this.#pool,
      registry: this.#registry,
      refusedClients: this.#refusedClients,
      monitored: this.#monitored,
      log,
    });
    this.#admission = new Admission({
      configuration,
      refusedClients: this.#refusedClients,
      isBlocked: (address) => this.#policy.isBlocked(address),
      sessionsOf: (address) => this.#registry.sessionsOf(address) + this.#dispatcher.clientsOf(address),
      onClient: (client) => this.#dispatcher.dispatch(client),
    });
    this.#leases.onFreed = () => this.#dispatcher.leaseFreed();
    this.#listener = new Listener(
      (socket) => this.#admission.accept(socket),
      (error) => this.#refusedClients.count('notAccepted', 'unknown', error.message),
    );
    this.#broadcastRelay = new BroadcastRelayProcess(log);
    this.#socket = new ManagerSocket(runPaths(configuration.runDirectory).managerSocket, {
      status: async () => this.#fullStatus(),
      reload: () => ({ problems: reread() }),
      blocks: () => ({ blocks: this.#policy.blocks() }),
      unblock: (fields) => ({ unblocked: this.#policy.unblock(unblockRequest.parse(fields).address) }),
    });
  }

  /** Recovers the live sessions, then listens. Rejects with an error for the administrator. */
  async start(): Promise<void> {
    const { listen, runDirectory, accounting, metrics, pidFile } = this.#configuration;
    const paths = runPaths(runDirectory);
    for (const folder of [paths.sessions, paths.accounts]) {
      makeFolder(folder, { recursive: true });
      // A process that can write there can have others killed: records name processes to end.
      chmodSync(folder, 0o750);
    }
    // Disk failures that an earlier manager reported may be over.
    for (const outage of [paths.accountingOutage, paths.logOutage]) rmSync(outage, { force: true });
    if (metrics !== undefined) this.#metrics = await this.#loadMetrics();
    await this.#setHooks();
    this.#policy.recover();
    await this.#registry.recover();
    if (accounting === undefined) this.#accountant.work();
    else void this.#accountant.recover(accounting.file);
    this.#logFiles.start();
    if (metrics !== undefined) await this.#metrics?.listen(metrics);
    await this.#listener.listen(listen);
    await this.#socket.listen();
    this.#broadcastRelay.reconfigure(this.#configuration);
    writeFileSync(paths.managerPid, `${process.pid}\n`);
    if (pidFile !== undefined) writePidFile(pidFile, this.#processLog.log);
    this.#processLog.log.info(this.#runsAs);
    this.#processLog.log.info(describeEngine(this.#engine));
    this.#processLog.log.info(
      { address: listen.address, port: listen.port, sessions: this.#registry.count },
      `listening on ${listen.address}:${listen.port}`,
    );
  }

  /** One line about what the manager is doing. */
  get status(): string {
    const { address, port } = this.#configuration.listen;
    const { count } = this.#registry;
    return `listening on ${address}:${port}, ${count} ${count === 1 ? 'session' : 'sessions'}`;
  }

  async #fullStatus(): Promise<ManagerStatus> {
    const { listen, network } = this.#configuration;
    const { address, port } = listen;
    const sessions: Record<string, number> = {};
    for (const { phase } of this.#registry.states) sessions[phase] = (sessions[phase] ?? 0) + 1;
    const unknown = this.#registry.count - this.#registry.states.length;
    if (unknown > 0) sessions['unknown'] = unknown;
    const turnedAway = Object.fromEntries(
      (Object.keys(REFUSAL_CAUSES) as RefusalCause[])
        .map((cause) => [cause, this.#refusedClients.total(cause)] as const)
        .filter(([, count]) => count > 0),
    );
    return {
      version,
      pid: process.pid,
      since: this.#since,
      runsAs: this.#runsAs,
      engine: describeEngine(this.#engine),
      listening: `${address}:${port}`,
      sessions,
      leases: { lent: this.#leases.leasedCount, most: this.#leases.most },
      workers: { idle: this.#pool.idleCount, starting: this.#pool.startingCount },
      turnedAway,
      blocked: this.#policy.blocks().length,
      network: network === undefined || this.#registrar === null ? null : await networkStatus(this.#registrar),
    };
  }

  /** Applies a new configuration to new clients, and reopens the log files. */
  reload(configuration: Configuration): void {
    const { log } = this.#processLog;
    const before = this.#configuration;
    const restartOnly =
      this.#engine.engine === 'builtin' ? ([...RESTART_ONLY, 'ppp', 'accounts', 'radius'] as const) : RESTART_ONLY;
    const kept = restartOnly.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(configuration[key]));
    if (kept.length > 0) log.warn({ keys: kept }, `changed, but applied only by a restart: ${kept.join(', ')}`);
    this.#configuration = { ...configuration, ...Object.fromEntries(restartOnly.map((key) => [key, before[key]])) };
    log.level = configuration.log.level;
    this.#processLog.moveTo(configuration.log.directory);
    this.#leases.reconfigure(configuredPool(this.#configuration));
    this.#pool.setSpare(this.#configuration.workers.spare);
    this.#dispatcher.reconfigure(this.#configuration);
    this.#admission.reconfigure(this.#configuration);
    this.#policy.reconfigure(this.#configuration.policy);
    this.#broadcastRelay.reconfigure(this.#configuration);
    this.#logFiles.reconfigure(this.#configuration);
    void this.#setHooks();
    log.info('configuration reloaded for new clients');
  }

  reopenLogs(): void {
    this.#processLog.reopen();
    this.#registry.reopenLogs();
    this.#broadcastRelay.reopenLogs();
  }

  /** TERM: ends every session in order, then resolves. Sessions that do not end in time are killed and cleaned up. */
  async stop(): Promise<void> {
    this.#closeEntrances();
    const killTimer = setTimeout(
      () => this.#registry.killAll(),
      this.#configuration.timeouts.pppdExit * 1000 + SHUTDOWN_GRACE_MS,
    );
    await this.#dispatcher.settled();
    await this.#registry.endAll();
    clearTimeout(killTimer);
    await Promise.all([this.#accountant.close(), this.#hooks?.close()]);
    this.#processLog.log.info('stopped; every session has ended');
  }

  /** QUIT: exits without ending the sessions, which the next manager takes over. */
  leave(): void {
    this.#closeEntrances();
    this.#processLog.log.info({ sessions: this.#registry.count }, 'leaving; the sessions continue');
    this.#registry.detach();
  }

  async #setHooks(): Promise<void> {
    if (this.#hooks === null && this.#configuration.hooks.length > 0) {
      const { Hooks } = await import('./hooks/hooks.js');
      // Another reload may have been faster.
      if (this.#hooks === null) {
        this.#hooks = new Hooks(this.#processLog.log);
        this.#registry.watch(this.#hooks);
      }
    }
    this.#hooks?.reconfigure(this.#configuration.hooks);
  }

  /** Loaded only if configured, because of its memory. */
  async #loadMetrics(): Promise<ManagerMetrics> {
    const { ManagerMetrics } = await import('./metrics/metrics.js');
    return new ManagerMetrics({
      registry: this.#registry,
      pool: this.#pool,
      dispatcher: this.#dispatcher,
      refusedClients: this.#refusedClients,
      policy: this.#policy,
      hooksDropped: () => this.#hooks?.dropped ?? 0,
    });
  }

  #closeEntrances(): void {
    this.#listener.close();
    this.#socket.close();
    this.#admission.close();
    this.#dispatcher.close();
    this.#pool.close();
    this.#broadcastRelay.close();
    this.#logFiles.close();
    this.#metrics?.close();
    this.#refusedClients.close();
    this.#accountReview?.close();
    this.#monitored?.close();
    this.#networkSessions?.close();
    const { runDirectory, pidFile } = this.#configuration;
    rmSync(runPaths(runDirectory).managerPid, { force: true });
    if (pidFile !== undefined) removePidFile(pidFile);
  }
}
