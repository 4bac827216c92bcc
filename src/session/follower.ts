/**
 * Finds every session of the run directory, those that exist and those that start later. inotify reports changes of the
 * directory; a timer finds what inotify cannot report, such as a directory that did not exist yet.
 */
import { watch, type FSWatcher } from 'node:fs';
import { messageOf } from '../sys/thrown.js';
import { SessionClient, SessionGone } from './client.js';
import { runPaths } from './paths.js';
import { listSessionIds } from './record.js';

/** Milliseconds. */
const LOOK_MS = 1000;

export type FollowerEvent =
  /** A session that existed at the start or began later; its `onClose` reports its end. The receiver closes it. */
  | { readonly type: 'found'; readonly session: SessionClient }
  /** A session that exists and does not answer; emitted once for each. */
  | { readonly type: 'unreachable'; readonly id: string; readonly why: string };

export interface SessionFollowerOptions {
  readonly runDirectory: string;
  /** Ids of sessions that are not reported. */
  readonly ignored?: readonly string[];
  readonly onEvent: (event: FollowerEvent) => void;
}

export class SessionFollower {
  readonly #runDirectory: string;
  readonly #onEvent: SessionFollowerOptions['onEvent'];
  /** Sessions that were found or are being asked. */
  readonly #known = new Set<string>();
  readonly #unreachable = new Set<string>();
  /** Known, but asked anew at the next turn of the timer. */
  readonly #lost = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #looks = 0;
  #closed = false;

  constructor({ runDirectory, ignored = [], onEvent }: SessionFollowerOptions) {
    this.#runDirectory = runDirectory;
    this.#onEvent = onEvent;
    for (const id of ignored) this.#known.add(id);
    this.#timer = setInterval(() => this.#lookForLost(), LOOK_MS);
    this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#watcher?.close();
  }

  /**
   * The connection to this session was lost. It is reported again within a second if it still lives, not at once: a worker
   * that drops every connection must not keep this process busy.
   */
  lookAgain(id: string): void {
    this.#lost.add(id);
  }

  #lookForLost(): void {
    for (const id of this.#lost) {
      this.#known.delete(id);
      this.#unreachable.delete(id);
    }
    this.#lost.clear();
    this.#look();
  }

  #look(): void {
    this.#looks += 1;
    this.#watch();
    const ids = new Set(listSessionIds(this.#runDirectory));
    for (const id of this.#known) if (!ids.has(id)) this.#known.delete(id);
    for (const id of this.#lost) if (!ids.has(id)) this.#lost.delete(id);
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
      else this.#onEvent({ type: 'found', session });
    } catch (error) {
      // The socket is made after the record, or the session has just ended: the next look tells, or one that was missed.
      this.#known.delete(id);
      if (this.#looks > look && !this.#closed) this.#look();
      if (error instanceof SessionGone || this.#unreachable.has(id) || this.#closed) return;
      this.#unreachable.add(id);
      this.#onEvent({ type: 'unreachable', id, why: messageOf(error) });
    }
  }
}
