/**
 * The time limits of a call that is up: `policy.sessionTime`, and `policy.idleTime` without data from the client, or the
 * shorter ones of its account (Session-Timeout and Idle-Timeout of RADIUS). Data are
 * frames that carry network packets, encrypted or not. LCP echoes and other negotiation do not count, nor does what is sent
 * to the client: a client that only receives is usually gone.
 */
import type { Configuration } from '../config/schema.js';
import type { CloseReason } from '../session/close-reason.js';
import type { Timers } from './timers.js';

/** The interval of the checks for data is a tenth of `idleTime`, by which the end may be late, but at most this, seconds. */
const MAX_INTERVAL = 30;

/** What timers can count, seconds (23 days). A longer limit of an account is none. */
const LONGEST_LIMIT = 2_000_000;

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

  /** The account of this call, before the call is up. A limit of 0 or null is none. */
  ofAccount({
    sessionTime,
    idleTime,
  }: {
    readonly sessionTime: number | null;
    readonly idleTime: number | null;
  }): void {
    const { policy } = this.#options;
    this.#times = {
      sessionTime: shorter(policy.sessionTime, sessionTime),
      idleTime: shorter(policy.idleTime, idleTime),
    };
  }

  /** The call is up; idempotent. */
  up(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    const { timers, end } = this.#options;
    const { sessionTime } = this.#times;
    timers.start('sessionTime', sessionTime, () => end('sessionTime', sessionTime));
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

/** The shorter of both limits; 0 and null are none. */
function shorter(policy: number, account: number | null): number {
  if (account === null || account === 0 || account > LONGEST_LIMIT) return policy;
  return policy === 0 ? account : Math.min(policy, account);
}
