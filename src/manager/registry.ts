/** The live sessions: those this manager handed out and those it found when it started. */
import type { Logger } from '../log/logger.js';
import type { Lease } from '../session/lease.js';
import type { Connect } from '../session/client.js';
import type { DisconnectReason } from '../session/request.js';
import type { SessionState } from '../session/state.js';
import type { Leases } from './leases.js';
import { type Processes, removeFiles } from './reaper.js';
import { findSessions } from './recovery.js';
import { type HandleEvent, SessionHandle, type SessionWorker } from './session-handle.js';

/** Told about every session, also those that an earlier manager began. */
export interface SessionWatcher {
  /** It is known from now on; `found`: an earlier manager's. */
  entered?(id: string, found: boolean): void;
  /** Something of its state other than the counters is new; `before` is null the first time. */
  changed?(state: SessionState, before: SessionState | null): void;
  /** It is over; `died`: its worker went without a word. `last` is its last state, null when it never told any. */
  over?(id: string, last: SessionState | null, died: boolean): void;
}

export interface RegistryOptions {
  readonly runDirectory: string;
  readonly leases: Leases;
  readonly log: Logger;
  /** How long a left-over pppd gets between TERM and KILL. */
  readonly pppdExitMs: () => number;
  readonly processes: Processes;
  /** Connects to a session's socket. */
  readonly connect: Connect;
}

export class Registry {
  readonly #options: RegistryOptions;
  /** In the order in which they became known. */
  readonly #sessions = new Map<string, SessionHandle>();
  /** Those that were asked to make room, and have not called since. */
  readonly #leaving = new Set<SessionHandle>();
  readonly #watchers: SessionWatcher[] = [];
  #onEmpty: (() => void) | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** What each session last told of itself, its counters as old as that. */
  get states(): SessionState[] {
    return [...this.#sessions.values()].flatMap(({ state }) => state ?? []);
  }

  watch(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** How many sessions have started no call (yet). */
  get withoutCall(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.mayBeWithoutCall) count += 1;
    return count;
  }

  /** Number of sessions that will be over soon: they end, were asked to make room, or have died and are cleared away. */
  get endingCount(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.isEnding || this.#leaving.has(session)) count += 1;
    return count;
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  sessionsOf(address: string): number {
    let count = 0;
    for (const { peerAddress } of this.#sessions.values()) if (peerAddress === address) count += 1;
    return count;
  }

  /** Finds the sessions of an earlier manager: keeps the leases of those that live, and clears away what the dead have left. */
  async recover(): Promise<void> {
    const { runDirectory, connect, log, leases } = this.#options;
    const found = await findSessions(runDirectory, connect, log);
    await Promise.all(
      found.map(async ({ id, lease, agreedRemote }) => {
        const session = this.#enter(id, lease, null, null);
        await session.findOut();
        // Not before: a dead session's record may name what a living one holds by now.
        if (!this.has(id)) return;
        leases.adopt(lease);
        // Of one that does not answer its record tells.
        leases.use(lease, session.state?.tunnel.remote ?? agreedRemote);
      }),
    );
  }

  /** Enters a session whose worker has adopted it. Its lease comes back when the session is over. */
  add(id: string, lease: Lease, peerAddress: string, worker: SessionWorker): void {
    this.#enter(id, lease, peerAddress, worker).followWorker(worker);
  }

  /**
   * Has the oldest session that has started no call for `leastMs` since its handoff end, for a client that needs its
   * place; false when there is none. Its lease comes back when it is over.
   */
  makeRoom(leastMs: number): boolean {
    const latest = performance.now() - leastMs;
    for (const session of this.#sessions.values()) {
      // The rest is younger.
      if (session.since > latest) return false;
      if (this.#leaving.has(session) || !session.makeRoom()) continue;
      this.#leaving.add(session);
      return true;
    }
    return false;
  }

  /** Asks every session to end and resolves when all are over. */
  async endAll(): Promise<void> {
    for (const session of this.#sessions.values()) session.end({ reason: 'serverShutdown' });
    if (this.#sessions.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  /** Kills the workers of the sessions that are left; what they held is cleared away as for any that died. */
  killAll(): void {
    for (const session of this.#sessions.values()) session.kill();
  }

  reopenLogs(): void {
    for (const session of this.#sessions.values()) session.reopenLog();
  }

  /** Forgets every session without a word to it. */
  detach(): void {
    for (const session of this.#sessions.values()) session.detach();
  }

  /**
   * Asks every session what it has counted, so that `states` is fresh: `withinMs` at most, and what comes later is taken
   * then. Resolves with how many have not answered, those left out that are too new to be connected.
   */
  async askAll(withinMs: number): Promise<number> {
    const unanswered = new Set(this.#sessions.values());
    const answers = [...this.#sessions.values()].map(async (session) => {
      if (await session.askCounters()) unanswered.delete(session);
    });
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([Promise.all(answers), limit]);
    clearTimeout(timer);
    return unanswered.size;
  }

  /** Asks a session to end, where it is known and answers; `detail` is why, for its log. */
  disconnect(id: string, reason: DisconnectReason, detail: string): void {
    this.#sessions.get(id)?.end({ reason, detail });
  }

  /** Session `by` has the client address and the call id of session `id`: has this one see whether its client is there. */
  probe(id: string, by: string): void {
    this.#sessions.get(id)?.probe(by);
  }

  #enter(id: string, lease: Lease, peerAddress: string | null, worker: SessionWorker | null): SessionHandle {
    const { runDirectory, log, pppdExitMs, processes, connect } = this.#options;
    const session = new SessionHandle({
      id,
      lease,
      runDirectory,
      worker,
      peerAddress,
      pppdExitMs,
      processes,
      connect,
      log,
      onEvent: (event) => this.#recv(session, event),
    });
    this.#sessions.set(id, session);
    for (const watcher of this.#watchers) watcher.entered?.(id, worker === null);
    return session;
  }

  #recv(session: SessionHandle, event: HandleEvent): void {
    if (event.type === 'over') {
      this.#over(session, event.died);
      return;
    }
    // One that could not leave, for it had called that moment, may be asked again.
    if (event.state.phase !== 'connected') this.#leaving.delete(session);
    this.#options.leases.use(session.lease, event.state.tunnel.remote);
    for (const watcher of this.#watchers) watcher.changed?.(event.state, event.before);
  }

  #over(session: SessionHandle, died: boolean): void {
    const { runDirectory, leases, log } = this.#options;
    removeFiles(runDirectory, session.id, log);
    this.#sessions.delete(session.id);
    this.#leaving.delete(session);
    leases.giveBack(session.lease);
    for (const watcher of this.#watchers) watcher.over?.(session.id, session.state, died);
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }
}
