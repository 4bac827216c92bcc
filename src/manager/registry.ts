/**
 * The live sessions, as the run directory has them: those this manager handed out and those it found when it started.
 * A session is over when its socket closes; if it has left its record behind it died, and what it held is ended here.
 */
import { existsSync } from 'node:fs';
import { isAlive, isAnothers, type ProcessIdentity, signal } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import { SessionClient, SessionGone } from '../session/client.js';
import type { Lease } from '../session/lease.js';
import type { DisconnectReason } from '../session/request.js';
import { listSessionIds, readRecord } from '../session/record.js';
import { sessionSocketPath } from '../session/paths.js';
import { removeSessionFiles } from '../session/record-writer.js';
import type { SessionState } from '../session/state.js';
import type { Leases } from './leases.js';
import type { Worker } from './worker.js';

/** The client's call follows its start at once, and is not kept waiting by our questions; a session that ends sooner waits for us. */
const CLIENT_FIRST_MS = 5;
/** How often to look whether a process that was told to end has ended. */
const REAP_POLL_MS = 100;
/** How often to ask again for a session whose worker does not answer. */
const RETRY_MS = 5000;
/** How long a worker may take to say that it is free, once its session's files are gone. */
const LAST_ACTS_MS = 2500;
const LAST_ACTS_POLL_MS = 20;

/** The worker that has adopted a session, as far as the registry needs it. */
type AdoptingWorker = Pick<Worker, 'serves' | 'kill'>;

interface Entry {
  /** null: an earlier manager's. */
  readonly worker: AdoptingWorker | null;
  readonly lease: Lease;
  /** When it was entered, ms of this process. */
  readonly since: number;
  client: SessionClient | null;
  /** It has been connected to, or that was tried. */
  known: boolean;
  peerAddress: string | null;
  /** As the session last told it; null: it has not answered yet. */
  state: SessionState | null;
  /** Its socket has closed: it is over, and what it held is being cleared away, unless it still turns out to live. */
  gone: boolean;
  /** It was asked to make room. */
  leaving: boolean;
  /** It is to open its log anew when it is connected. */
  owesReopening: boolean;
}

const newEntry = (lease: Lease, peerAddress: string | null, worker: AdoptingWorker | null): Entry => ({
  worker,
  lease,
  since: performance.now(),
  client: null,
  known: false,
  peerAddress,
  state: null,
  gone: false,
  leaving: false,
  owesReopening: false,
});

/** Told about every session, also those that an earlier manager began. */
export interface SessionWatcher {
  /** It is known from now on; `found`: an earlier manager's. */
  entered?(id: string, found: boolean): void;
  /** Something of its state other than the counters is new; `before` is null the first time. */
  changed?(state: SessionState, before: SessionState | null): void;
  /** It is over; `died`: its worker went without a word. `last` is its last word, null when it never gave any. */
  over?(id: string, last: SessionState | null, died: boolean): void;
}

export class Registry {
  readonly #runDirectory: string;
  readonly #leases: Leases;
  readonly #log: Logger;
  readonly #pppdExitMs: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #watchers: SessionWatcher[] = [];
  #onEmpty: (() => void) | undefined;
  #ending = false;

  /** `pppdExitMs`: how long a left-over pppd gets between TERM and KILL. */
  constructor(runDirectory: string, leases: Leases, log: Logger, pppdExitMs: () => number) {
    this.#runDirectory = runDirectory;
    this.#leases = leases;
    this.#log = log;
    this.#pppdExitMs = pppdExitMs;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** What each session last told of itself, its counters as old as that. */
  get states(): SessionState[] {
    return [...this.#entries.values()].flatMap(({ state }) => state ?? []);
  }

  watch(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** How many sessions have started no call (yet). */
  get withoutCall(): number {
    let count = 0;
    for (const { state, client } of this.#entries.values()) {
      const mayTell = client?.otherVersion === undefined || client.otherVersion === null;
      if (mayTell && (state === null || state.phase === 'connected')) count += 1;
    }
    return count;
  }

  /** How many sessions will be over soon: they end, or have died and what they held is being ended. */
  get endingCount(): number {
    let count = 0;
    for (const { state, gone } of this.#entries.values()) if (gone || state?.phase === 'ending') count += 1;
    return count;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  sessionsOf(address: string): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.peerAddress === address) count += 1;
    return count;
  }

  /** Finds the sessions of an earlier manager: keeps the living ones' leases and clears away the dead ones' rests. */
  async recover(): Promise<void> {
    await Promise.all(
      listSessionIds(this.#runDirectory).map(async (id) => {
        const record = readRecord(this.#runDirectory, id);
        const lease = record?.lease ?? (await this.#leaseWithoutRecord(id));
        if (lease === null) return;
        const entry = newEntry(lease, null, null);
        this.#enter(id, entry, true);
        await this.#attach(id);
        // Not before: a dead session's record may name what a living one holds by now.
        if (!this.has(id)) return;
        this.#leases.adopt(lease);
        // One that does not answer has told its record.
        this.#leases.use(lease, entry.state?.tunnel.remote ?? record?.agreedRemote ?? null);
      }),
    );
  }

  /** Enters a session whose worker has adopted it. Its lease comes back when the session is over. */
  async add(id: string, lease: Lease, peerAddress: string, worker: AdoptingWorker): Promise<void> {
    this.#enter(id, newEntry(lease, peerAddress, worker), false);
    await new Promise((resolve) => setTimeout(resolve, CLIENT_FIRST_MS));
    await this.#attach(id);
  }

  /**
   * Has the oldest session that has started no call for `leastMs` since its handoff end, for a client that needs its
   * place; false when there is none. Its lease comes back when it is over.
   */
  makeRoom(leastMs: number): boolean {
    const latest = performance.now() - leastMs;
    for (const entry of this.#entries.values()) {
      // In the order of their coming: the rest is younger.
      if (entry.since > latest) return false;
      const { client, state, leaving } = entry;
      if (client === null || leaving || state?.phase !== 'connected') continue;
      entry.leaving = true;
      // Should it have called this moment, it stays, and whoever waits for its place waits in vain.
      client.request('disconnect', { reason: 'madeRoom' }).catch(() => undefined);
      return true;
    }
    return false;
  }

  /** Asks every session to end and resolves when all are over. */
  async endAll(): Promise<void> {
    this.#ending = true;
    // A session whose socket is not connected yet is asked when it is.
    for (const { client } of this.#entries.values())
      if (client !== null) this.#askToEnd(client, { reason: 'serverShutdown' });
    if (this.#entries.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  /** Kills the workers of the sessions that are left; what they held is cleared away as for any that died. */
  killAll(): void {
    for (const [id, entry] of this.#entries) {
      const record = readRecord(this.#runDirectory, id);
      this.#log.error(
        { session: id, worker: record?.worker.pid },
        'the session did not end in time; killing its ctrl worker',
      );
      if (record !== null) signal(record.worker, 'SIGKILL');
      else if (entry.worker?.serves(id) === true) entry.worker.kill();
      // What is connected closes by itself; what never answered is looked for.
      if (entry.client === null) void this.#attach(id);
    }
  }

  reopenLogs(): void {
    for (const entry of this.#entries.values()) {
      if (entry.client === null) entry.owesReopening = true;
      else this.#askToReopen(entry.client);
    }
  }

  /** Lets go of every session without a word to it. */
  detach(): void {
    for (const { client } of this.#entries.values()) {
      if (client === null) continue;
      client.onClose = () => undefined;
      client.close();
    }
  }

  /**
   * Asks every session what it has counted, so that `states` is fresh: `withinMs` at most, and what comes later is taken
   * then. Resolves with how many have not answered; who is that new that it was not connected to is none of them.
   */
  async askAll(withinMs: number): Promise<number> {
    const unanswered = new Set([...this.#entries].flatMap(([id, { known }]) => (known ? id : [])));
    const answers = [...this.#entries].map(async ([id, entry]) => {
      try {
        if (entry.client?.otherVersion) return;
        await entry.client?.state((state) => (entry.state = state));
        if (entry.client !== null) unanswered.delete(id);
      } catch (error) {
        if (error instanceof SessionGone) unanswered.delete(id);
      }
    });
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([Promise.all(answers), limit]);
    clearTimeout(timer);
    return unanswered.size;
  }

  /** Asks a session to end, where it is known and answers; `detail` is why, for its log. */
  disconnect(id: string, reason: DisconnectReason, detail: string): void {
    const client = this.#entries.get(id)?.client;
    if (client) this.#askToEnd(client, { reason, detail });
  }

  /** Session `by` has the client address and the call id of session `id`: has this one see whether its client is there. */
  probe(id: string, by: string): void {
    this.#entries
      .get(id)
      ?.client?.request('probe', { by })
      .catch((error: unknown) => {
        if (error instanceof SessionGone) return;
        this.#log.warn(
          { session: id, by, err: error },
          `a session cannot be asked whether its client is there, which may have called again as session ${by}: it goes on, and ` +
            `may disturb ${by}; end it by pptpd-ts kick ${id}`,
        );
      });
  }

  #askToReopen(client: SessionClient): void {
    client.request('reopenLog', {}).catch(() => undefined);
  }

  #askToEnd(client: SessionClient, why: { readonly reason: DisconnectReason; readonly detail?: string }): void {
    client.request('disconnect', why).catch((error: unknown) => {
      if (!(error instanceof SessionGone))
        this.#log.warn({ session: client.id, reason: why.reason, err: error }, 'a session does not end');
    });
  }

  #enter(id: string, entry: Entry, found: boolean): void {
    this.#entries.set(id, entry);
    for (const watcher of this.#watchers) watcher.entered?.(id, found);
  }

  /**
   * Of a session whose record is missing or cannot be understood: what it says itself that it holds. Null when nobody is
   * there; then what lies there under its name is removed. A socket alone is what a worker leaves that was killed between
   * its two last acts, or before its first.
   */
  async #leaseWithoutRecord(id: string): Promise<Lease | null> {
    try {
      const client = await SessionClient.connect(this.#runDirectory, id);
      try {
        const { tunnel, callId } = await client.state();
        this.#log.warn({ session: id }, 'a session has no record that can be understood; it says itself what it holds');
        return { ...tunnel, callId };
      } finally {
        client.close();
      }
    } catch (error) {
      if (error instanceof SessionGone) this.#removeFiles(id);
      else
        this.#log.warn({ session: id, err: error }, 'what lies in the run directory is no session of ours; left alone');
      return null;
    }
  }

  /** What is there under a session's name and no file, nobody here has made: it stays. */
  #removeFiles(id: string): void {
    try {
      removeSessionFiles(this.#runDirectory, id);
    } catch (error) {
      this.#log.warn({ session: id, err: error }, 'what a session has left in the run directory cannot be removed');
    }
  }

  /**
   * The connection is closed. A session that still listens lives: it has let go of a manager that did not read, or
   * said what this version does not understand, which only makes it unknown for a while.
   */
  #lost(id: string, entry: Entry, why: Error): void {
    entry.client = null;
    entry.gone = why instanceof SessionGone;
    if (entry.gone) void this.#attach(id);
    else this.#retry(id, entry, why);
  }

  /** Alive and not answering: its lease stays lent, and it is asked again. */
  #retry(id: string, entry: Entry, why: unknown): void {
    entry.gone = false;
    this.#log.warn({ session: id, err: why }, 'a session does not answer; its address stays taken');
    const timer = setTimeout(() => void this.#attach(id), RETRY_MS);
    // Nothing else may keep a manager that ends until its last session is cleared away.
    if (!this.#ending) timer.unref();
  }

  async #attach(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    let client: SessionClient | null = null;
    entry.known = true;
    try {
      client = await SessionClient.reach(this.#runDirectory, id);
      entry.client = client;
      entry.gone = false;
      client.onClose = (why) => this.#lost(id, entry, why);
      client.onState = (state) => this.#changed(entry, state);
      if (this.#ending) this.#askToEnd(client, { reason: 'serverShutdown' });
      if (client.otherVersion !== null) {
        this.#log.warn(
          { session: id, err: client.otherVersion },
          'a session of another version goes on; its address stays taken, and it can be ended',
        );
        return;
      }
      if (entry.owesReopening) this.#askToReopen(client);
      entry.owesReopening = false;
      await client.request('subscribe', {});
      await client.state((state) => this.#changed(entry, state));
    } catch (error) {
      if (client === null) {
        if (error instanceof SessionGone && (await this.#isOver(id, entry))) await this.#over(id);
        else this.#retry(id, entry, error);
      } else if (entry.client === client) {
        // It has greeted and says no more, or nothing that is understood; a closed connection is told by onClose.
        client.onClose = () => undefined;
        client.close();
        this.#lost(id, entry, error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /**
   * Of a session that does not listen. It is not over when somebody has removed its socket, or socket and record, under a
   * worker that lives: a worker removes both in one go, and says soon afterwards that it is free.
   */
  async #isOver(id: string, { worker }: Entry): Promise<boolean> {
    if (!existsSync(sessionSocketPath(this.#runDirectory, id))) {
      const record = readRecord(this.#runDirectory, id);
      if (record !== null && isAnothers(record.worker)) return false;
    }
    const deadline = performance.now() + LAST_ACTS_MS;
    while (worker?.serves(id) === true) {
      if (performance.now() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, LAST_ACTS_POLL_MS));
    }
    return true;
  }

  #changed(entry: Entry, state: SessionState): void {
    const before = entry.state;
    entry.state = state;
    // One that could not leave, for it had called that moment, may be asked again.
    if (state.phase !== 'connected') entry.leaving = false;
    entry.peerAddress ??= state.peer.address;
    this.#leases.use(entry.lease, state.tunnel.remote);
    for (const watcher of this.#watchers) watcher.changed?.(state, before);
  }

  async #over(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const record = readRecord(this.#runDirectory, id);
    if (record !== null) {
      this.#log.error({ session: id, worker: record.worker.pid }, 'a ctrl worker died; clearing away what it held');
      signal(record.worker, 'SIGKILL');
      if (record.pppd !== null) await this.#reap(record.pppd);
      if (this.#entries.get(id) !== entry) return;
    }
    this.#removeFiles(id);
    this.#entries.delete(id);
    this.#leases.giveBack(entry.lease);
    for (const watcher of this.#watchers) watcher.over?.(id, entry.state, record !== null);
    if (this.#entries.size === 0) this.#onEmpty?.();
  }

  /** TERM, then KILL, until the process is gone. It is no child of ours, so that its end must be looked for. */
  async #reap(pppd: ProcessIdentity): Promise<void> {
    if (!signal(pppd, 'SIGTERM')) return; // gone, or not to be ended by us
    const killAt = performance.now() + this.#pppdExitMs();
    while (isAlive(pppd)) {
      if (performance.now() >= killAt) signal(pppd, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, REAP_POLL_MS));
    }
  }
}
