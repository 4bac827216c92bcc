/**
 * One session as the manager knows it: what it holds, what it last said, and the connection to its socket. A worker that this
 * manager has started tells its states and its end on the fork channel, in order; its socket is for requests alone. An
 * earlier manager's session tells its states on its socket, whose closing is its end.
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

/** The client's call follows its start at once, and is not delayed by our connecting. */
const CLIENT_FIRST_MS = 5;
/** How often to try again to reach a session that does not answer. */
const RETRY_MS = 5000;

/** The worker of a session, as far as the manager needs it afterwards. */
export type SessionWorker = Pick<Worker, 'follow' | 'kill'>;

export type HandleEvent =
  /** Something of its state other than the counters is new; `before` is null the first time. */
  | { readonly type: 'state'; readonly state: SessionState; readonly before: SessionState | null }
  /** It is over, once; `died`: its worker went without a word, and what it held has been cleared away. */
  | { readonly type: 'over'; readonly died: boolean };

export interface HandleOptions {
  readonly id: string;
  readonly lease: Lease;
  readonly runDirectory: string;
  /** null: an earlier manager's. */
  readonly worker: SessionWorker | null;
  /** null: not known yet. */
  readonly peerAddress: string | null;
  /** How long a left-over pppd gets between TERM and KILL. */
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
  /** When it became known, ms of this process. */
  readonly since = performance.now();
  readonly #options: HandleOptions;
  #client: SessionClient | null = null;
  /** An attempt to connect to it has been made. */
  #tried = false;
  #peerAddress: string | null;
  #state: SessionState | null = null;
  /** `lost`: an earlier manager's session has closed its socket; whether it lives is being found out. */
  #phase: 'live' | 'lost' | 'clearing' | 'over' = 'live';
  /** Requests that are due as soon as it is connected. */
  readonly #owed: { end: EndRequest | null; reopenLog: boolean } = { end: null, reopenLog: false };
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: HandleOptions) {
    this.#options = options;
    this.id = options.id;
    this.lease = options.lease;
    this.#peerAddress = options.peerAddress;
  }

  /** As the session last told it; null: it has told nothing yet. */
  get state(): SessionState | null {
    return this.#state;
  }

  get peerAddress(): string | null {
    return this.#peerAddress;
  }

  /** It will be over soon, unless a lost one still turns out to live. */
  get isEnding(): boolean {
    return this.#phase !== 'live' || this.#state?.phase === 'ending';
  }

  /** It may have started no call (yet), and can be asked to make room. */
  get mayBeWithoutCall(): boolean {
    return !this.#client?.otherVersion && (this.#state === null || this.#state.phase === 'connected');
  }

  /** Follows the worker, and connects to the socket a moment later. */
  followWorker(worker: SessionWorker): void {
    setTimeout(() => void this.#connect(), CLIENT_FIRST_MS);
    worker.follow(this.id, (event) => {
      switch (event.type) {
        case 'state':
          this.#recvState(event.state);
          break;
        case 'over':
          this.#over(false);
          break;
        case 'workerEnded':
          void this.#workerGone();
      }
    });
  }

  /** Connects to an earlier manager's session; resolves when it is known whether it lives. */
  async findOut(): Promise<void> {
    return this.#connect();
  }

  /** Asks it to end, now or when it is connected. */
  end(request: EndRequest): void {
    if (this.#client === null) this.#owed.end ??= request;
    else this.#askToEnd(this.#client, request);
  }

  /** Asks it to end if it has started no call; false when it cannot be asked now. */
  makeRoom(): boolean {
    if (this.#client === null || this.#state?.phase !== 'connected') return false;
    // Should it have called this moment, it stays.
    this.#client.request('disconnect', { reason: 'madeRoom' }).catch(() => undefined);
    return true;
  }

  /** Has it see whether its client is there, which may have called again as session `by`. */
  probe(by: string): void {
    this.#client?.request('probe', { by }).catch((error: unknown) => {
      if (error instanceof SessionGone) return;
      this.#options.log.warn(
        { session: this.id, by, err: error },
        `a session cannot be asked whether its client is there, which may have called again as session ${by}: it goes on, and ` +
          `may disturb ${by}. End it: pptpd-ts kick ${this.id}`,
      );
    });
  }

  reopenLog(): void {
    if (this.#client === null) this.#owed.reopenLog = true;
    else this.#client.request('reopenLog', {}).catch(() => undefined);
  }

  /** Asks for its counters; resolves with whether it has answered, or cannot be asked (yet). */
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

  /** Kills its worker; what the session held is cleared away as for any that died. */
  kill(): void {
    const record = readRecord(this.#options.runDirectory, this.id);
    this.#options.log.error(
      { session: this.id, worker: record?.worker.pid },
      'the session did not end in time; killing its ctrl worker',
    );
    if (this.#options.worker !== null) this.#options.worker.kill();
    else if (record !== null) this.#options.processes.signal(record.worker, 'SIGKILL');
    // What is connected closes by itself; what never answered is looked for.
    if (this.#client === null) void this.#connect();
  }

  /** Forgets it without a word to it. */
  detach(): void {
    clearTimeout(this.#retryTimer);
    this.#phase = 'over';
    this.#close();
  }

  #isOver(): boolean {
    return this.#phase === 'clearing' || this.#phase === 'over';
  }

  async #connect(): Promise<void> {
    if (this.#isOver() || this.#client !== null) return;
    this.#tried = true;
    const { runDirectory, worker, connect } = this.#options;
    let client: SessionClient;
    try {
      client = await SessionClient.reach(runDirectory, this.id, connect);
    } catch (error) {
      if (error instanceof SessionGone && worker === null && this.#isGone()) await this.#workerGone();
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
    if (this.#owed.end !== null) this.#askToEnd(client, this.#owed.end);
    if (client.otherVersion !== null) {
      log.warn(
        { session: this.id, err: client.otherVersion },
        'a session of another version goes on; its address stays taken, and it can be ended',
      );
      return;
    }
    if (this.#owed.reopenLog) client.request('reopenLog', {}).catch(() => undefined);
    this.#owed.reopenLog = false;
    if (worker !== null) return;
    client.onState = (state) => this.#recvState(state);
    try {
      await client.request('subscribe', {});
      await client.state((state) => this.#recvState(state));
    } catch (error) {
      // A closed connection is told by onClose; this one has greeted and says no more, or nothing that is understood.
      if (this.#client !== client) return;
      this.#close();
      if (error instanceof SessionGone) void this.#connect();
      else this.#retry(error);
    }
  }

  /** The connection is closed. An earlier manager's session is over then, unless it still listens. */
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

  /** It may live and does not answer: its lease stays lent, and it is tried again. */
  #retry(why: unknown): void {
    const { log, worker } = this.#options;
    if (this.#phase === 'lost') this.#phase = 'live';
    // A worker of ours closes its socket just before it says that the session is over.
    if (worker === null || !(why instanceof SessionGone))
      log.warn({ session: this.id, err: why }, 'a session does not answer; its address stays taken');
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#connect(), RETRY_MS);
    // Nothing else may keep a manager that ends until its last session is cleared away.
    if (this.#owed.end === null) this.#retryTimer.unref();
  }

  /** Nobody listens. It lives all the same when somebody has removed the socket of a worker that lives. */
  #isGone(): boolean {
    const { runDirectory, processes } = this.#options;
    if (existsSync(sessionSocketPath(runDirectory, this.id))) return true;
    const record = readRecord(runDirectory, this.id);
    return record === null || !processes.isAnothers(record.worker);
  }

  /**
   * Its worker is gone. One of ours has died then, since it has not said that the session is over; an earlier manager's has
   * ended in order when it has removed its record. What the record names is cleared away.
   */
  async #workerGone(): Promise<void> {
    if (this.#isOver()) return;
    this.#phase = 'clearing';
    const { runDirectory, worker, log, pppdExitMs, processes } = this.#options;
    const record = readRecord(runDirectory, this.id);
    if (record !== null || worker !== null)
      log.error({ session: this.id, worker: record?.worker.pid }, 'a ctrl worker died; clearing away what it held');
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

  /** An answer may be older than a state that came by the fork channel: only its counters are taken. */
  #recvCounters(answer: SessionState): void {
    if (this.#state !== null && answer.peerCallId === this.#state.peerCallId)
      this.#state = { ...this.#state, counters: answer.counters };
  }

  #askToEnd(client: SessionClient, request: EndRequest): void {
    client.request('disconnect', request).catch((error: unknown) => {
      if (!(error instanceof SessionGone))
        this.#options.log.warn({ session: this.id, reason: request.reason, err: error }, 'a session does not end');
    });
  }
}
