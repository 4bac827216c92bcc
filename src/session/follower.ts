/**
 * Finds every session of the run directory, those that exist and those that start later. inotify reports changes of the
 * directory; a timer finds what inotify cannot report, such as a directory that did not exist yet.
 */
import { watch, type FSWatcher } from 'node:fs';
import { SessionClient, SessionGone } from './client.js';
import { runPaths } from './paths.js';
import { listSessionIds } from './record.js';

/** Milliseconds. */
const LOOK_MS = 1000;

export interface FollowerHandlers {
  /** A session that existed at the start, or has started. Its `onClose` reports its end. The handler must close it. */
  found(session: SessionClient): void;
  /** The session exists but does not answer. Called once per session. */
  unreachable(id: string, why: string): void;
}

export class SessionFollower {
  readonly #runDirectory: string;
  readonly #handlers: FollowerHandlers;
  /** Sessions that were found, and those that are being connected to. */
  readonly #known = new Set<string>();
  readonly #unreachable = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #looks = 0;
  #closed = false;

  /** `ignored`: ids of sessions that are not reported. */
  constructor(runDirectory: string, handlers: FollowerHandlers, ignored: readonly string[] = []) {
    this.#runDirectory = runDirectory;
    this.#handlers = handlers;
    for (const id of ignored) this.#known.add(id);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#watcher?.close();
  }

  #look(): void {
    this.#looks += 1;
    this.#watch();
    const ids = new Set(listSessionIds(this.#runDirectory));
    for (const id of this.#known) if (!ids.has(id)) this.#known.delete(id);
    for (const id of ids) {
      if (this.#known.has(id)) continue;
      this.#known.add(id);
      void this.#ask(id);
    }
  }

  #watch(): void {
    if (this.#watcher !== null) return;
    try {
      this.#watcher = watch(runPaths(this.#runDirectory).sessions, () => this.#look());
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      this.#unwatch(); // the directory does not exist yet, or there are too many inotify watches: the timer finds the sessions
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  async #ask(id: string): Promise<void> {
    const look = this.#looks;
    try {
      const session = await SessionClient.connect(this.#runDirectory, id);
      if (this.#closed) session.close();
      else this.#handlers.found(session);
    } catch (error) {
      // The socket is made after the record, or the session has just ended: the next look tells, or one that was missed.
      this.#known.delete(id);
      if (this.#looks > look && !this.#closed) this.#look();
      if (error instanceof SessionGone || this.#unreachable.has(id) || this.#closed) return;
      this.#unreachable.add(id);
      this.#handlers.unreachable(id, error instanceof Error ? error.message : String(error));
    }
  }
}
