/**
 * The time limits of a call that is up: `policy.sessionTime`, and `policy.idleTime` without data from the client. Data are
 * frames that carry network packets, encrypted or not. LCP echoes and other negotiation do not count, nor does what is sent
 * to the client: a client that only receives is usually gone.
 */
import type { Configuration } from '../config/schema.js';
import type { CloseReason } from '../session/close-reason.js';
import type { Timers } from './timers.js';

/** The interval of the checks for data is a tenth of `idleTime`, by which the end may be late, but at most this, seconds. */
const MAX_INTERVAL = 30;

export interface LimitsOptions {
  readonly policy: Pick<Configuration['policy'], 'sessionTime' | 'idleTime'>;
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
  #isUp = false;
  #frames = 0;
  /** When `#frames` changed, by `now`. */
  #lastData = 0;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** The call is up; idempotent. */
  up(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    const { policy, timers, end } = this.#options;
    timers.start('sessionTime', policy.sessionTime, () => end('sessionTime', policy.sessionTime));
    this.#frames = this.#options.dataFrames();
    this.#lastData = this.#options.now();
    this.#check();
  }

  /** The call is over; another may follow. */
  callEnded(): void {
    this.#isUp = false;
    this.#options.timers.stop('sessionTime');
    this.#options.timers.stop('idle');
  }

  #check(): void {
    const { policy, timers, dataFrames, end } = this.#options;
    const now = this.#options.now();
    const frames = dataFrames();
    if (frames !== this.#frames) {
      this.#frames = frames;
      this.#lastData = now;
    }
    if (policy.idleTime > 0 && now - this.#lastData >= policy.idleTime * 1000) end('idle', policy.idleTime);
    else timers.start('idle', Math.min(policy.idleTime / 10, MAX_INTERVAL), () => this.#check());
  }
}
