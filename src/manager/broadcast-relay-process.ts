/**
 * The broadcast relay's process as the manager sees it: it runs while the configuration has `broadcastRelay`, is restarted when
 * it dies, and exits with the manager because its channel closes.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Configuration } from '../config/schema.js';
import { RestartDelay } from '../host/restart-delay.js';
import type { Logger } from '../log/logger.js';

const ENTRY = fileURLToPath(new URL('../bundle/broadcast.js', import.meta.url));

/** Starts the relay's process. */
type Start = (args: readonly string[]) => ChildProcess;

const start: Start = (args) =>
  // A process group of its own: an interrupt at the manager's terminal is for the manager.
  fork(ENTRY, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

export class BroadcastRelayProcess {
  readonly #log: Logger;
  readonly #startProcess: Start;
  /** The arguments of the relay that should run; null: none should. */
  #wanted: readonly string[] | null = null;
  #child: ChildProcess | undefined;
  #startedAt = 0;
  readonly #delay = new RestartDelay({ first: 250, last: 30_000, stable: 60_000 });
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(log: Logger, startProcess: Start = start) {
    this.#log = log;
    this.#startProcess = startProcess;
  }

  /** Starts, restarts or ends it, as `configuration` requires. */
  reconfigure({ broadcastRelay, log: { level, directory } }: Configuration): void {
    const wanted =
      broadcastRelay === undefined
        ? null
        : [broadcastRelay.interface, level, ...(directory === undefined ? [] : [directory])];
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.close();
    this.#wanted = wanted;
    if (wanted !== null) this.#start(wanted);
  }

  reopenLogs(): void {
    // A relay that is ending opens its log again when it is restarted.
    if (this.#child?.connected === true) this.#child.send('reopenLogs', () => undefined);
  }

  /** Ends it; idempotent. */
  close(): void {
    this.#wanted = null;
    this.#delay.reset();
    clearTimeout(this.#retryTimer);
    const child = this.#child;
    this.#child = undefined;
    if (child?.connected === true) child.disconnect();
  }

  #start(args: readonly string[]): void {
    const child = this.#startProcess(args);
    this.#child = child;
    this.#startedAt = performance.now();
    child.on('error', (error) => {
      this.#log.error({ err: error }, 'the broadcast relay could not be started, or the manager cannot send to it');
      if (child.pid === undefined) this.#ended(child, 'could not be started');
    });
    child.on('exit', (code, signal) => this.#ended(child, signal === null ? `exit code ${code}` : `signal ${signal}`));
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const delay = this.#delay.next(performance.now() - this.#startedAt);
    this.#log.error(
      { relay: child.pid, how, retrySeconds: delay / 1000 },
      `the broadcast relay ended (${how}); restarting it`,
    );
    this.#retryTimer = setTimeout(() => {
      if (this.#wanted !== null) this.#start(this.#wanted);
    }, delay);
  }
}
