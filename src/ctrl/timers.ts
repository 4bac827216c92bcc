/** A session's timers: each has a name, is started again by the same name, and all are stopped by one call. */

/** Every timer of a worker; its length comes from the configuration or from the constant named beside it. */
export type TimerName =
  /** `timeouts.establish`: a control connection without a call. */
  | 'establish'
  /** `timeouts.echoInterval`: silence before we ask (RFC 2637 §3.1.4). */
  | 'echoInterval'
  /** `timeouts.echoReply`: our question unanswered. */
  | 'echoReply'
  /** SIGN_OF_LIFE_SECONDS in keepalive.ts. */
  | 'signOfLife'
  /** STOP_REPLY_SECONDS in control-connection.ts. */
  | 'stopReply'
  /** `accounting.interim` between two records; CLOSE_SECONDS in session-accounting.ts for the last. */
  | 'accounting'
  /** `policy.sessionTime`, from login. */
  | 'sessionTime'
  /** Between two looks for data, for `policy.idleTime`: see limits.ts. */
  | 'idle'
  /** INTERVAL_SECONDS in peer-log.ts. */
  | 'peerLog'
  /** FIRST_SECONDS, then INTERVAL_SECONDS in state-publisher.ts. */
  | 'publish';

export class Timers {
  readonly #running = new Map<TimerName, NodeJS.Timeout>();

  /** Starts the timer anew; `expired` runs once after `seconds` (fractions allowed; 0 or less: never). */
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
