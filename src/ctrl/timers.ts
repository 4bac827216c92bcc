/** A session's timers: each has a name and is restarted by that name; one call stops all. */

/** The timers of a worker, with the configuration key or constant of each length. */
export type TimerName =
  /** `timeouts.establish`: a control connection without a call. */
  | 'establish'
  /** `timeouts.echoInterval`: silence before an Echo-Request (RFC 2637 §3.1.4). */
  | 'echoInterval'
  /** `timeouts.echoReply`: an Echo-Request without a reply. */
  | 'echoReply'
  /** SIGN_OF_LIFE_SECONDS in keepalive.ts. */
  | 'signOfLife'
  /** STOP_REPLY_SECONDS in control-connection.ts. */
  | 'stopReply'
  /** `accounting.interim` between two records; CLOSE_SECONDS in session-accounting.ts for the last. */
  | 'accounting'
  /** `policy.sessionTime`, from login. */
  | 'sessionTime'
  /** Between two checks for data, for `policy.idleTime`: see limits.ts. */
  | 'idle'
  /** What is left of INTERVAL_SECONDS in peer-log.ts, once lines were omitted. */
  | 'peerLog'
  /** FIRST_SECONDS, then INTERVAL_SECONDS in state-publisher.ts. */
  | 'publish';

export class Timers {
  readonly #running = new Map<TimerName, NodeJS.Timeout>();

  /** Starts or restarts the timer; `expired` runs once after `seconds` (fractions allowed; 0 or less: never). */
  start(name: TimerName, seconds: number, expired: () => void): void {
    this.stop(name);
    if (seconds <= 0) return;
    this.#running.set(
      name,
      setTimeout(() => {
        this.#running.delete(name);
        expired();
      }, seconds * 1000),
    );
  }

  stop(name: TimerName): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}
