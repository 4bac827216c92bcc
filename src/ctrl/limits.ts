/**
 * What the configuration's `policy` asks of a call once it is up: how long it may last, and how long the client may send no
 * data. Data is what carries network packets, encrypted or not; LCP echoes and other negotiation are none, and what is
 * sent to the client does not count: a client that only listens has gone.
 */
import type { Configuration } from '../config/schema.js';
import type { CloseReason } from '../session/close-reason.js';
import type { Timers } from './timers.js';

/** How often is looked whether data has come: a tenth of `idleTime`, so much later may an end be, and this at most, seconds. */
const LONGEST_LOOK = 30;

export interface LimitsOptions {
  readonly policy: Pick<Configuration['policy'], 'sessionTime' | 'idleTime'>;
  readonly timers: Timers;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** How many frames with data have come from the client. */
  readonly dataFrames: () => number;
  /** `seconds`: the limit. */
  readonly end: (reason: Extract<CloseReason, 'sessionTime' | 'idle'>, seconds: number) => void;
}

export class Limits {
  readonly #options: LimitsOptions;
  #isUp = false;
  #frames = 0;
  /** When `#frames` was new, by `now`. */
  #lastData = 0;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** The call is up; said again, it changes nothing. */
  up(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    const { policy, timers, end } = this.#options;
    timers.start('sessionTime', policy.sessionTime, () => end('sessionTime', policy.sessionTime));
    this.#frames = this.#options.dataFrames();
    this.#lastData = this.#options.now();
    this.#look();
  }

  /** The call is over; another may come up. */
  callEnded(): void {
    this.#isUp = false;
    this.#options.timers.stop('sessionTime');
    this.#options.timers.stop('idle');
  }

  #look(): void {
    const { policy, timers, dataFrames, end } = this.#options;
    const now = this.#options.now();
    const frames = dataFrames();
    if (frames !== this.#frames) {
      this.#frames = frames;
      this.#lastData = now;
    }
    if (policy.idleTime > 0 && now - this.#lastData >= policy.idleTime * 1000) end('idle', policy.idleTime);
    else timers.start('idle', Math.min(policy.idleTime / 10, LONGEST_LOOK), () => this.#look());
  }
}
