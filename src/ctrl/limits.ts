/**
 * The time limits of a call that is up, of its account (the accounts file, or RADIUS) or of the configuration's `policy`:
 * `sessionTime`, and `idleTime` without data from the client. Data are
 * frames that carry network packets, encrypted or not. LCP echoes and other negotiation do not count, nor does what is sent
 * to the client: a client that only receives is usually gone.
 */
import type { Configuration } from '../config/schema.js';
import type { CloseReason } from '../session/close-reason.js';
import type { Timers } from './timers.js';

/** The interval of the checks for data is a tenth of `idleTime`, by which the end may be late, but at most this, seconds. */
const MAX_INTERVAL = 30;

/** Seconds; 0: no limit. */
type Times = Pick<Configuration['policy'], 'sessionTime' | 'idleTime'>;

export interface LimitsOptions {
  readonly policy: Times;
  readonly timers: Timers;
  /** Monotonic time, ms. */
  readonly now: () => number;
  /** Number of data frames from the client. */
  readonly dataFrames: () => number;
  /** Ends the session; `seconds` is the limit. */
  readonly end: (reason: Extract<CloseReason, 'sessionTime' | 'idle'>, seconds: number) => void;
}

export class Limits {
  readonly #options: LimitsOptions;
  #times: Times;
  #isUp = false;
  #frames = 0;
  /** When `#frames` changed, by `now`. */
  #lastData = 0;

  constructor(options: LimitsOptions) {
    this.#options = options;
    this.#times = options.policy;
  }

  /** The call is up; idempotent. `own`: what the account says; null: nothing. */
  up(own: { readonly [Key in keyof Times]: number | null } | null = null): void {
    if (this.#isUp) return;
    this.#isUp = true;
    const { policy, timers, end } = this.#options;
    const { sessionTime = null, idleTime = null } = own ?? {};
    this.#times = { sessionTime: sessionTime ?? policy.sessionTime, idleTime: idleTime ?? policy.idleTime };
    const limit = this.#times.sessionTime;
    timers.start('sessionTime', limit, () => end('sessionTime', limit));
    this.#frames = this.#options.dataFrames();
    this.#lastData = this.#options.now();
    this.#check();
  }

  /** The call is over; another may follow. */
  callEnded(): void {
    this.#isUp = false;
    this.#times = this.#options.policy;
    this.#options.timers.stop('sessionTime');
    this.#options.timers.stop('idle');
  }

  #check(): void {
    const { timers, dataFrames, end } = this.#options;
    const { idleTime } = this.#times;
    const now = this.#options.now();
    const frames = dataFrames();
    if (frames !== this.#frames) {
      this.#frames = frames;
      this.#lastData = now;
    }
    if (idleTime > 0 && now - this.#lastData >= idleTime * 1000) end('idle', idleTime);
    else timers.start('idle', Math.min(idleTime / 10, MAX_INTERVAL), () => this.#check());
  }
}
