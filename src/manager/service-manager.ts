/**
 * What the manager says to the service manager that started it (systemd, or whoever sets NOTIFY_SOCKET): that it
 * listens, reloads, stops, what it is doing, and, from its event loop, that it is alive. The words are sd_notify(3)'s.
 * Without NOTIFY_SOCKET nothing is said and nothing loaded.
 */
import type { Logger } from '../log/logger.js';

/** How often the status is brought up to date where no watchdog sets the pace. */
const STATUS_MS = 15_000;
/** Two beats in the watchdog's time, so that one may be late (sd_watchdog_enabled(3)). */
const BEATS_IN_WATCHDOG = 2;
const MICROSECONDS = 1000;

/** sd_notify's variables, one a line. */
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
  #listens = false;
  #said = '';

  private constructor({ send, watchdogMs, status }: ServiceManagerOptions) {
    this.#send = send;
    this.#watchdogMs = watchdogMs;
    this.#status = status;
  }

  /**
   * Takes what the service manager has put into `environment` out of it: it is meant for this process alone, not for
   * workers, pppd and its scripts. `status`: one line on what the manager is doing, for `systemctl status`.
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

  /** The manager listens: whatever waited for the service goes on. Call it once. */
  ready(): void {
    this.#listens = true;
    this.#say({ READY: 1 });
    const beat: Assignments = this.#watchdogMs === null ? {} : { WATCHDOG: 1 };
    const everyMs = this.#watchdogMs === null ? STATUS_MS : this.#watchdogMs / BEATS_IN_WATCHDOG;
    setInterval(() => this.#say(beat), everyMs).unref();
  }

  /** The configuration is being read again, until `reloaded`. */
  reloading(): void {
    this.#say({ RELOADING: 1, MONOTONIC_USEC: process.hrtime.bigint() / BigInt(MICROSECONDS) });
  }

  /** Reading it is over, whatever came of it. While the manager is still starting, that says nothing of its readiness. */
  reloaded(): void {
    this.#say(this.#listens ? { READY: 1 } : {});
  }

  /** `how` is for the administrator. The manager stays alive, and says so, until its last session has ended. */
  stopping(how: string): void {
    this.#status = () => how;
    this.#say({ STOPPING: 1 });
  }

  /** Adds the status if it is new. */
  #say(assignments: Assignments): void {
    const status = this.#status();
    const news: Assignments = status === this.#said ? assignments : { ...assignments, STATUS: status };
    this.#said = status;
    if (Object.keys(news).length > 0) this.#send(news);
  }
}

/** A service manager that cannot be reached is told of once, and changes nothing else. */
async function datagrams(
  path: string,
  log: Logger,
  openSender: OpenSender,
): Promise<(assignments: Assignments) => void> {
  let complained = false;
  const complain = (why: string): void => {
    if (!complained)
      log.warn({ socket: path, why }, 'the service manager that started this (NOTIFY_SOCKET) cannot be told');
    complained = true;
  };
  try {
    const send = await openSender(path);
    return (assignments) => {
      const failure = send(
        Object.entries(assignments)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
      if (failure !== null) complain(failure);
    };
  } catch (error) {
    complain((error as Error).message);
    return () => undefined;
  }
}
