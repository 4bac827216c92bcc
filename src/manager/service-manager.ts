/**
 * Notifies the service manager that started the manager (systemd, or any program that sets NOTIFY_SOCKET) as in sd_notify(3):
 * that it listens, reloads or stops, its status, and, from its event loop, that it is alive. Without NOTIFY_SOCKET nothing is
 * sent and nothing loaded.
 */
import type { Logger } from '../log/logger.js';
import { messageOf } from '../sys/thrown.js';

/** How often the status is updated without a watchdog. */
const STATUS_MS = 15_000;
/** Two heartbeats per watchdog interval, so that one may be late (sd_watchdog_enabled(3)). */
const BEATS_IN_WATCHDOG = 2;
const MICROSECONDS = 1000;

/** The variables of sd_notify, one per line. */
type Assignments = Readonly<Record<string, string | number | bigint>>;

interface ServiceManagerOptions {
  readonly send: (assignments: Assignments) => void;
  /** null: no watchdog. */
  readonly watchdogMs: number | null;
  readonly status: () => string;
}

/** Opens what sends datagrams to a path; rejects when it cannot. What sends returns null or the name of the error. */
type OpenSender = (path: string) => Promise<(text: string) => string | null>;

const unixDatagrams: OpenSender = async (path) => {
  const { datagramSender } = await import('../sys/unix-datagram.js');
  return datagramSender(path);
};

export class ServiceManager {
  readonly #send: (assignments: Assignments) => void;
  readonly #watchdogMs: number | null;
  #status: () => string;
  #isListening = false;
  #lastStatus = '';

  private constructor({ send, watchdogMs, status }: ServiceManagerOptions) {
    this.#send = send;
    this.#watchdogMs = watchdogMs;
    this.#status = status;
  }

  /**
   * Removes the service manager's variables from `environment`: they are meant only for this process, not for workers, pppd and
   * its scripts. `status`: one line about what the manager is doing, for `systemctl status`.
   */
  static async connect(
    environment: NodeJS.ProcessEnv,
    log: Logger,
    status: () => string,
    openSender: OpenSender = unixDatagrams,
  ): Promise<ServiceManager> {
    const { NOTIFY_SOCKET: path, WATCHDOG_USEC: watchdog, WATCHDOG_PID: watched = `${process.pid}` } = environment;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
    if (path === undefined) return new ServiceManager({ send: () => undefined, watchdogMs: null, status });

    const send = await datagrams(path, log, openSender);
    const watchdogMs = Number(watchdog) / MICROSECONDS;
    const isWatched = watchdogMs > 0 && watched === `${process.pid}`;
    return new ServiceManager({ send, watchdogMs: isWatched ? watchdogMs : null, status });
  }

  /** The manager listens: units that wait for the service start. Call it once. */
  ready(): void {
    this.#isListening = true;
    this.#notify({ READY: 1 });
    const beat: Assignments = this.#watchdogMs === null ? {} : { WATCHDOG: 1 };
    const everyMs = this.#watchdogMs === null ? STATUS_MS : this.#watchdogMs / BEATS_IN_WATCHDOG;
    setInterval(() => this.#notify(beat), everyMs).unref();
  }

  /** The configuration is being read again, until `reloaded`. */
  reloading(): void {
    this.#notify({ RELOADING: 1, MONOTONIC_USEC: process.hrtime.bigint() / BigInt(MICROSECONDS) });
  }

  /** The configuration was read, with or without success. A manager that is still starting is not ready by this. */
  reloaded(): void {
    this.#notify(this.#isListening ? { READY: 1 } : {});
  }

  /** `how` is for the administrator. The manager continues to send heartbeats until its last session has ended. */
  stopping(how: string): void {
    this.#status = () => how;
    this.#notify({ STOPPING: 1 });
  }

  /** Adds the status if it changed. */
  #notify(assignments: Assignments): void {
    const status = this.#status();
    const news: Assignments = status === this.#lastStatus ? assignments : { ...assignments, STATUS: status };
    this.#lastStatus = status;
    if (Object.keys(news).length > 0) this.#send(news);
  }
}

/** If the service manager cannot be reached, this is logged once and has no other effect. */
async function datagrams(
  path: string,
  log: Logger,
  openSender: OpenSender,
): Promise<(assignments: Assignments) => void> {
  let hasWarned = false;
  const warn = (why: string): void => {
    if (!hasWarned) log.warn({ socket: path, why }, 'cannot notify the service manager (NOTIFY_SOCKET)');
    hasWarned = true;
  };
  try {
    const send = await openSender(path);
    return (assignments) => {
      const failure = send(
        Object.entries(assignments)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
      if (failure !== null) warn(failure);
    };
  } catch (error) {
    warn(messageOf(error));
    return () => undefined;
  }
}
