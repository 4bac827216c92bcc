/** The live sessions: those that this manager started, and those that it found when it started. */
import type { Logger } from '../log/logger.js';
import type { Lease } from '../session/lease.js';
import type { Connect } from '../session/client.js';
import type { DisconnectReason } from '../session/request.js';
import type { SessionState } from '../session/state.js';
import type { Leases } from './leases.js';
import { type Processes, removeFiles } from './reaper.js';
import { findSessions } from './recovery.js';
import { type HandleEvent, SessionHandle, type SessionWorker } from './session-handle.js';

/** Observes every session, also those that an earlier manager started. */
export interface SessionWatcher {
  /** A session was added; `found`: an earlier manager started it. */
  entered?(id: string, found: boolean): void;
  /** The session's state, other than its counters, changed; `before` is null the first time. */
  changed?(state: SessionState, before: SessionState | null): void;
  /** The session is over; `died`: its worker died. `last` is its last state, null if it never reported one. */
  over?(id: string, last: SessionState | null, died: boolean): void;
}

export interface RegistryOptions {
  readonly runDirectory: string;
  readonly leases: Leases;
  readonly log: Logger;
  /** Time from TERM to KILL for the pppd of a dead worker. */
  readonly pppdExitMs: () => number;
  readonly processes: Processes;
  /** Connects to a session's socket. */
  readonly connect: Connect;
}

export class Registry {
  readonly #options: RegistryOptions;
  /** In the order in which they were added. */
  readonly #sessions = new Map<string, SessionHandle>();
  /** Sessions that were asked to end for another client, and have started no call since. */
  readonly #leaving = new Set<SessionHandle>();
  readonly #watchers: SessionWatcher[] = [];
  #onEmpty: (() => void) | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** The last reported state of each session, with the counters of that moment. */
  get states(): SessionState[] {
    return [...this.#sessions.values()].flatMap(({ state }) => state ?? []);
  }

  watch(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** How many sessions may have started no call. */
  get withoutCall(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.mayBeWithoutCall) count += 1;
    return count;
  }

  /** How many sessions will be over soon: they are ending, were asked to make room, or died and are being cleaned up. */
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

  /** Finds the sessions of an earlier manager: keeps the leases of the live ones, and cleans up after the dead ones. */
  async recover(): Promise<void> {
    const { runDirectory, connect, log, leases } = this.#options;
    const found = await findSessions(runDirectory, connect, log);
    await Promise.all(
      found.map(async ({ id, lease, agreedRemote }) => {
        const session = this.#enter(id, lease, null, null);
        await session.findOut();
        // Only now: the record of a dead session may name a lease that a live one holds.
        if (!this.has(id)) return;
        leases.adopt(lease);
        // If a session does not answer, its record counts.
        leases.use(lease, session.state?.tunnel.remote ?? agreedRemote);
      }),
    );
  }

  /** Adds a session that a worker has adopted. Its lease is returned when the session is over. */
  add(id: string, lease: Lease, peerAddress: string, worker: SessionWorker): void {
    this.#enter(id, lease, peerAddress, worker).followWorker(worker);
  }

  /**
   * Asks the oldest session that has started no call within `leastMs` of its handoff to end, so that another client gets its
   * lease; false if there is none. The lease is returned when the session is over.
   */
  makeRoom(leastMs: number): boolean {
    const latest = performance.now() - leastMs;
    for (const session of this.#sessions.values()) {
      // The others are younger.
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

  /** Kills the workers of the remaining sessions, which are then cleaned up as for any dead worker. */
  killAll(): void {
    for (const session of this.#sessions.values()) session.kill();
  }

  reopenLogs(): void {
    for (const session of this.#sessions.values()) session.reopenLog();
  }

  /** Forgets every session, without sending it anything. */
  detach(): void {
    for (const session of this.#sessions.values()) session.detach();
  }

  /**
   * Asks every session for its counters, so that `states` is current. Waits `withinMs` at most; later answers are still used.
   * Resolves with the number of sessions that did not answer, without those that are too new to be connected.
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

  /** Asks a session to end, if it exists; `detail` is why, for its log. */
  disconnect(id: string, reason: DisconnectReason, detail: string): void {
    this.#sessions.get(id)?.end({ reason, detail });
  }

  /** Session `by` has the client address and the call id of session `id`: asks `id` to probe its client. */
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
    // A session that started a call just before it was asked to end may be asked again.
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
