/**
 * The time limits of a call that is up, of its account (the accounts file, or RADIUS) or of the configuration's `policy`:
 * `sessionTime`, and `idleTime` without data from the client. Data are
 * frames that carry network packets, encrypted or not. LCP echoes and other negotiation do not count, nor does what is sent
 * to the client: a client that only receives is usually gone.
 */
import type { Configuration } from '../config/schema.js';
import type { LinkLimits } from '../link/link.js';
import type { CloseReason } from '../session/close-reason.js';
import type { Timers } from './timers.js';

/** The interval of the checks for data is a tenth of `idleTime`, by which the end may be late, but at most this, seconds. */
const MAX_INTERVAL = 30;

/** Seconds; 0: no limit. */
type Times = Pick<Configuration['policy'], 'sessionTime' | 'idleTime'>;
/** null: what `policy` says; left out: as before. */
export type ChangedTimes = { readonly [Key in keyof Times]?: number | null | undefined };

/** Of an account that says nothing. */
const NO_LIMITS: LinkLimits = { account: null, sessions: null, sessionTime: null, idleTime: null };

export interface LimitsOptions {
  readonly policy: Times;
  /** What the account of the client said at its login; null: nothing. */
  readonly account: () => LinkLimits | null;
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
  /** Since the login. */
  #changed: Partial<Pick<LinkLimits, keyof Times>> = {};
  /** By `now`; null: the call is not up. */
  #upSince: number | null = null;
  #frames = 0;
  /** When `#frames` changed, by `now`. */
  #lastData = 0;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** What the account says now; null: nothing. */
  get account(): LinkLimits | null {
    const account = this.#options.account();
    return Object.keys(this.#changed).length === 0 ? account : { ...NO_LIMITS, ...account, ...this.#changed };
  }

  get #times(): Times {
    const { sessionTime, idleTime } = this.account ?? NO_LIMITS;
    const { policy } = this.#options;
    return { sessionTime: sessionTime ?? policy.sessionTime, idleTime: idleTime ?? policy.idleTime };
  }

  /** The call is up; idempotent. */
  up(): void {
    if (this.#upSince !== null) return;
    this.#upSince = this.#options.now();
    this.#frames = this.#options.dataFrames();
    this.#lastData = this.#upSince;
    this.#start(this.#upSince);
  }

  /** New limits. Session time still counts from the login: with a shorter one the session may end at once. */
  change({ sessionTime, idleTime }: ChangedTimes): void {
    this.#changed = {
      ...this.#changed,
      ...(sessionTime === undefined ? {} : { sessionTime }),
      ...(idleTime === undefined ? {} : { idleTime }),
    };
    if (this.#upSince !== null) this.#start(this.#upSince);
  }

  /** The call is over; another may follow. */
  callEnded(): void {
    this.#upSince = null;
    this.#changed = {};
    this.#options.timers.stop('sessionTime');
    this.#options.timers.stop('idle');
  }

  #start(since: number): void {
    const { timers, now, end } = this.#options;
    const { sessionTime } = this.#times;
    const left = sessionTime - (now() - since) / 1000;
    if (sessionTime > 0 && left <= 0) {
      end('sessionTime', sessionTime);
      return;
    }
    timers.start('sessionTime', left, () => end('sessionTime', sessionTime));
    this.#check();
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
