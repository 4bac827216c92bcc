/**
 * One session as the manager sees it: its lease, its last state, and the connection to its socket. A worker that this manager
 * started reports its states and its end on the fork channel, in order, and its socket is only for requests. An earlier
 * manager's session reports its states on its socket, and closes it at its end.
 */
import { existsSync } from 'node:fs';
import type { Logger } from '../log/logger.js';
import { type Connect, SessionClient, SessionGone } from '../session/client.js';
import type { Lease } from '../session/lease.js';
import { sessionSocketPath } from '../session/paths.js';
import { readRecord } from '../session/record.js';
import type { DisconnectReason } from '../session/request.js';
import type { SessionState } from '../session/state.js';
import { endProcesses, type Processes } from './reaper.js';
import type { Worker } from './worker.js';

/** The client's call follows its start request at once; connecting to the worker's socket must not delay it. */
const CONNECT_DELAY_MS = 5;
/** How often to retry a session that does not answer. */
const RETRY_MS = 5000;

/** The worker of a session, as far as the manager needs it afterwards. */
export type SessionWorker = Pick<Worker, 'follow' | 'kill'>;

export type HandleEvent =
  /** The session's state, other than its counters, changed; `before` is null the first time. */
  | { readonly type: 'state'; readonly state: SessionState; readonly before: SessionState | null }
  /** Emitted once: it is over; `died`: its worker died, and its processes have been ended. */
  | { readonly type: 'over'; readonly died: boolean };

export interface HandleOptions {
  readonly id: string;
  readonly lease: Lease;
  readonly runDirectory: string;
  /** null: an earlier manager started it. */
  readonly worker: SessionWorker | null;
  /** null: not known yet. */
  readonly peerAddress: string | null;
  /** Time from TERM to KILL for the pppd of a dead worker. */
  readonly pppdExitMs: () => number;
  readonly processes: Processes;
  readonly connect: Connect;
  readonly log: Logger;
  readonly onEvent: (event: HandleEvent) => void;
}

interface EndRequest {
  readonly reason: DisconnectReason;
  readonly detail?: string;
}

export class SessionHandle {
  readonly id: string;
  readonly lease: Lease;
  /** When it was added, in ms on this process's clock. */
  readonly since = performance.now();
  readonly #options: HandleOptions;
  #client: SessionClient | null = null;
  /** An attempt to connect to its socket was made. */
  #tried = false;
  #peerAddress: string | null;
  #state: SessionState | null = null;
  /** `lost`: the connection to an earlier manager's session closed, and it is being checked whether it lives. */
  #phase: 'live' | 'lost' | 'cleaning' | 'over' = 'live';
  /** Requests to send as soon as it is connected. */
  readonly #pending: { end: EndRequest | null; reopenLog: boolean } = { end: null, reopenLog: false };
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: HandleOptions) {
    this.#options = options;
    this.id = options.id;
    this.lease = options.lease;
    this.#peerAddress = options.peerAddress;
  }

  /** The last reported state; null: none yet. */
  get state(): SessionState | null {
    return this.#state;
  }

  get peerAddress(): string | null {
    return this.#peerAddress;
  }

  /** The session will be over soon, unless a lost session turns out to be alive. */
  get isEnding(): boolean {
    return this.#phase !== 'live' || this.#state?.phase === 'ending';
  }

  /** The session may have no call yet, and can be asked to end for another client. */
  get mayBeWithoutCall(): boolean {
    return !this.#client?.otherVersion && (this.#state === null || this.#state.phase === 'connected');
  }

  /** Follows the worker, and connects to the socket a moment later. */
  followWorker(worker: SessionWorker): void {
    setTimeout(() => void this.#connect(), CONNECT_DELAY_MS);
    worker.follow(this.id, (event) => {
      switch (event.type) {
        case 'state':
          this.#recvState(event.state);
          break;
        case 'over':
          this.#over(false);
          break;
        case 'workerEnded':
          void this.#workerExited();
      }
    });
  }

  /** Connects to an earlier manager's session; resolves when it is known whether it is alive. */
  async findOut(): Promise<void> {
    return this.#connect();
  }

  /** Asks it to end, now or as soon as it is connected. */
  end(request: EndRequest): void {
    if (this.#client === null) this.#pending.end ??= request;
    else this.#askToEnd(this.#client, request);
  }

  /** Asks it to end if it has started no call; false when it cannot be asked now. */
  makeRoom(): boolean {
    if (this.#client === null || this.#state?.phase !== 'connected') return false;
    // If it has just started a call, it refuses, and continues.
    this.#client.request('disconnect', { reason: 'madeRoom' }).catch(() => undefined);
    return true;
  }

  /** Asks it to probe its client, which may have called again as session `by`. */
  probe(by: string): void {
    this.#client?.request('probe', { by }).catch((error: unknown) => {
      if (error instanceof SessionGone) return;
      this.#options.log.warn(
        { session: this.id, by, err: error },
        `a session cannot be asked to probe its client, which may have called again as session ${by}: it continues, and may ` +
          `disturb ${by}; remedy: pptpd-ts kick ${this.id}`,
      );
    });
  }

  reopenLog(): void {
    if (this.#client === null) this.#pending.reopenLog = true;
    else this.#client.request('reopenLog', {}).catch(() => undefined);
  }

  /** Asks for its counters; resolves with false if it should have answered but did not. */
  async askCounters(): Promise<boolean> {
    const client = this.#client;
    if (client?.otherVersion) return false;
    if (client === null) return !this.#tried;
    try {
      await client.state((state) => this.#recvCounters(state));
      return true;
    } catch (error) {
      return error instanceof SessionGone;
    }
  }

  /** Kills its worker; it is then cleaned up as after any dead worker. */
  kill(): void {
    const record = readRecord(this.#options.runDirectory, this.id);
    this.#options.log.error(
      { session: this.id, worker: record?.worker.pid },
      'the session did not end in time; killing its ctrl worker',
    );
    if (this.#options.worker !== null) this.#options.worker.kill();
    else if (record !== null) this.#options.processes.signal(record.worker, 'SIGKILL');
    // A connection would close by itself; without one, check whether the session is gone.
    if (this.#client === null) void this.#connect();
  }

  /** Forgets it, without sending it anything. */
  detach(): void {
    clearTimeout(this.#retryTimer);
    this.#phase = 'over';
    this.#close();
  }

  #isOver(): boolean {
    return this.#phase === 'cleaning' || this.#phase === 'over';
  }

  async #connect(): Promise<void> {
    if (this.#isOver() || this.#client !== null) return;
    this.#tried = true;
    const { runDirectory, worker, connect } = this.#options;
    let client: SessionClient;
    try {
      client = await SessionClient.reach(runDirectory, this.id, connect);
    } catch (error) {
      if (error instanceof SessionGone && worker === null && this.#isGone()) await this.#workerExited();
      else this.#retry(error);
      return;
    }
    if (this.#isOver()) {
      client.close();
      return;
    }
    this.#phase = 'live';
    await this.#connected(client);
  }

  async #connected(client: SessionClient): Promise<void> {
    const { log, worker } = this.#options;
    this.#client = client;
    client.onClose = (why) => this.#lost(why);
    if (this.#pending.end !== null) this.#askToEnd(client, this.#pending.end);
    if (client.otherVersion !== null) {
      log.warn(
        { session: this.id, err: client.otherVersion },
        'a session runs under another version of pptpd-ts; it keeps its address, and only kick works on it',
      );
      return;
    }
    if (this.#pending.reopenLog) client.request('reopenLog', {}).catch(() => undefined);
    this.#pending.reopenLog = false;
    if (worker !== null) return;
    client.onState = (state) => this.#recvState(state);
    try {
      await client.request('subscribe', {});
      await client.state((state) => this.#recvState(state));
    } catch (error) {
      // onClose handles a closed connection; this one is open, but does not answer or answers with a message that cannot be parsed.
      if (this.#client !== client) return;
      this.#close();
      if (error instanceof SessionGone) void this.#connect();
      else this.#retry(error);
    }
  }

  /** The connection closed. An earlier manager's session is over then, unless it still listens. */
  #lost(why: Error): void {
    this.#client = null;
    if (this.#phase !== 'live') return;
    if (this.#options.worker === null && why instanceof SessionGone) {
      this.#phase = 'lost';
      void this.#connect();
    } else {
      this.#retry(why);
    }
  }

  #close(): void {
    if (this.#client === null) return;
    this.#client.onClose = () => undefined;
    this.#client.close();
    this.#client = null;
  }

  /** The session may be alive although it does not answer: it keeps its lease, and is asked again later. */
  #retry(why: unknown): void {
    const { log, worker } = this.#options;
    if (this.#phase === 'lost') this.#phase = 'live';
    // A worker of this manager closes its socket just before it reports that the session is over.
    if (worker === null || !(why instanceof SessionGone))
      log.warn({ session: this.id, err: why }, 'a session does not answer; it keeps its address');
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#connect(), RETRY_MS);
    // While the manager stops, this timer must keep it running until its last session has ended.
    if (this.#pending.end === null) this.#retryTimer.unref();
  }

  /** Whether the session is over when nothing listens. It is not if only its socket was removed and its worker is alive. */
  #isGone(): boolean {
    const { runDirectory, processes } = this.#options;
    if (existsSync(sessionSocketPath(runDirectory, this.id))) return true;
    const record = readRecord(runDirectory, this.id);
    return record === null || !processes.isAnothers(record.worker);
  }

  /**
   * The worker has exited. A worker of this manager has died, because it did not report that the session is over; an earlier
   * manager's has ended in order if it removed its record. Ends the processes in the record.
   */
  async #workerExited(): Promise<void> {
    if (this.#isOver()) return;
    this.#phase = 'cleaning';
    const { runDirectory, worker, log, pppdExitMs, processes } = this.#options;
    const record = readRecord(runDirectory, this.id);
    if (record !== null || worker !== null)
      log.error({ session: this.id, worker: record?.worker.pid }, 'a ctrl worker died; cleaning up its session');
    if (record !== null) await endProcesses(record, pppdExitMs(), processes);
    this.#over(record !== null || worker !== null);
  }

  #over(died: boolean): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    clearTimeout(this.#retryTimer);
    this.#close();
    this.#options.onEvent({ type: 'over', died });
  }

  #recvState(state: SessionState): void {
    const before = this.#state;
    this.#state = state;
    this.#peerAddress ??= state.peer.address;
    this.#options.onEvent({ type: 'state', state, before });
  }

  /** An answer may be older than a state from the fork channel: only its counters are used. */
  #recvCounters(answer: SessionState): void {
    if (this.#state !== null && answer.peerCallId === this.#state.peerCallId)
      this.#state = { ...this.#state, counters: answer.counters, speed: answer.speed };
  }

  #askToEnd(client: SessionClient, request: EndRequest): void {
    client.request('disconnect', request).catch((error: unknown) => {
      if (!(error instanceof SessionGone))
        this.#options.log.warn(
          { session: this.id, reason: request.reason, err: error },
          'the session did not accept the request to end',
        );
    });
  }
}
