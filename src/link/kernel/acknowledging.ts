/**
 * When the worker acknowledges a call whose data the kernel carries. The kernel acknowledges with the data that it sends, and
 * not otherwise (drivers/net/ppp/pptp.c), so a client that only sends and keeps to its window (RFC 2637 §4.2) would stall. The
 * worker therefore sees every n-th packet of the client and acknowledges it; while the kernel sends enough it sees none.
 *
 * - sampling: n follows the rate, so that a fast client costs little. If no sample comes for LOOK_MS, those packets since the
 *   last one that the interface has counted are acknowledged. A client that only then goes on has a shorter window than n
 *   needs, so n stays smaller. Where n is 1 nothing runs between packets: an idle session has no wake-up.
 * - resting: the kernel acknowledges. The interface's counters are read now and then, as long as something passes. If it
 *   sends less than the client, which may be too seldom for the client's window, resting is a trial: when the client sends less than
 *   with samples they come back, and now and then all the same, ever more seldom, to see how much it sends with them.
 * - deaf: resting, while the client sends so fast that the worker's socket alone would cost the kernel a tenth of its time. The
 *   worker then sees nothing of the client's data, not even CCP packets. A client that negotiates encryption anew sends no
 *   data meanwhile, and repeats its request.
 *
 * Pure.
 */

/** What has passed the interface, packets. */
export interface Traffic {
  readonly fromClient: number;
  readonly toClient: number;
}

/** How often traffic is looked at while there is some, ms: so long may a client wait that stops getting data. */
export const LOOK_MS = 50;
/** After this many samples, n may again grow beyond what the client's window allowed. */
const TRY_MORE_AFTER = 256;
/**
 * How long a trial lasts, and how long there is none after one that has failed, ms: at first, and at most. Each is doubled when
 * the trial before ended in the same way.
 */
export const TRIAL_MS = 1000;
const LONGEST_MS = 32 * TRIAL_MS;
/**
 * The part of its rate that a client must keep in each TRIAL_MS of a trial, and the time before that is judged, ms: TCP's rate is
 * not constant.
 */
const KEPT = 1 / 2;
const JUDGED_AFTER_MS = 4 * LOOK_MS;
/** The worker is deaf to a client that sends more than this, packets per ms. */
export const DEAF_RATE = 2;
/** n is doubled when samples come faster than this, ms, and halved when they come slower than LOOK_MS. */
const FAST_MS = 5;

export type Sampling = { readonly kind: 'sampling'; readonly every: number } | { readonly kind: 'resting' | 'deaf' };

interface Trial {
  /** The client's with samples, packets per ms. */
  readonly rate: number;
  readonly until: number;
  /** The beginning of what is judged, and the client's packets until then. */
  readonly since: number;
  readonly fromClient: number;
}

/** How many of the client's packets the kernel acknowledges one by one. */
type Acknowledged = 'all' | 'some' | 'none';

export class Acknowledging {
  readonly #most: number;
  readonly #traffic: () => Traffic;
  #state: Sampling = { kind: 'sampling', every: 1 };
  #seen: Traffic;
  /** The client's packets per ms between the last two looks. */
  #rate = 0;
  /** While resting although the kernel sends less than the client. */
  #trial: Trial | null = null;
  #trialMs = TRIAL_MS;
  #pauseMs = TRIAL_MS;
  #noTrialUntil = Number.NEGATIVE_INFINITY;
  /** When traffic was looked at last, and when the last sample came; ms. */
  #seenAt: number;
  #sampledAt: number;
  #deadline: number | null = null;
  /** The client's packets that the interface had counted at the last sample, if n is not 1. */
  #countedAtSample = 0;
  /** The highest n for this client's window, and the samples at it. */
  #limit: number;
  #samplesAtLimit = 0;
  /** n at the last `tick` that found packets without a sample; null: a sample has come since. */
  #waitedAt: number | null = null;

  /**
   * `window`: how many packets the client may send unacknowledged, a power of two; at most a quarter of them passes between two
   * samples. `traffic` is called for each sample, unless n is 1, and at most every LOOK_MS else. `now`, here and below: ms of any one clock.
   */
  constructor({ window, traffic, now }: { window: number; traffic: () => Traffic; now: number }) {
    this.#most = Math.max(1, window / 4);
    this.#limit = this.#most;
    this.#traffic = traffic;
    this.#seen = traffic();
    this.#seenAt = now;
    this.#sampledAt = now;
  }

  get state(): Sampling {
    return this.#state;
  }

  /** When `tick` wants to be called; null: not at all. */
  get deadline(): number | null {
    return this.#deadline;
  }

  /** A sample has come; it is acknowledged next. */
  recvSample(now: number): void {
    if (this.#state.kind !== 'sampling') return;
    const since = now - this.#sampledAt;
    this.#sampledAt = now;
    this.#judgeWindow(since);
    if (now - this.#seenAt >= LOOK_MS && this.#mayRest(now)) {
      this.#rest(now);
      return;
    }
    const { every } = this.#state;
    if (since < FAST_MS) this.#sample(Math.min(every * 2, this.#limit), now);
    else if (since > LOOK_MS) this.#sample(Math.max(every / 2, 1), now);
    else this.#sample(Math.min(every, this.#limit), now);
    if (this.#deadline !== null) this.#countedAtSample = this.#traffic().fromClient;
  }

  /** At the deadline. Returns how many packets after the last sample are to be acknowledged. */
  tick(now: number): number {
    if (this.#state.kind === 'sampling') return this.#expire(this.#state.every, now);
    if (this.#mayGoOnResting(now)) this.#rest(now);
    else {
      this.#sampledAt = now;
      this.#sample(1, now);
    }
    return 0;
  }

  #mayRest(now: number): boolean {
    const acknowledged = this.#look(now);
    if (acknowledged !== 'some') return acknowledged === 'all';
    if (now < this.#noTrialUntil) return false;
    const { fromClient } = this.#seen;
    this.#trial = { rate: this.#rate, until: now + this.#trialMs, since: now, fromClient };
    return true;
  }

  #mayGoOnResting(now: number): boolean {
    const trial = this.#trial;
    const acknowledged = this.#look(now);
    this.#trial = null;
    if (acknowledged === 'all') return true;
    if (acknowledged === 'none' || trial === null) return false;
    const { fromClient } = this.#seen;
    const lasted = now - trial.since;
    if (lasted > JUDGED_AFTER_MS && fromClient - trial.fromClient < trial.rate * KEPT * lasted) {
      this.#noTrialUntil = now + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_MS);
      this.#trialMs = TRIAL_MS;
      return false;
    }
    if (now < trial.until) {
      this.#trial = lasted < TRIAL_MS ? trial : { ...trial, since: now, fromClient };
      return true;
    }
    this.#trialMs = Math.min(this.#trialMs * 2, LONGEST_MS);
    this.#pauseMs = TRIAL_MS;
    return false;
  }

  /** The client is waiting for its window, or has no more to send. */
  #expire(every: number, now: number): number {
    const unseen = Math.max(0, this.#traffic().fromClient - this.#countedAtSample);
    this.#waitedAt = unseen > 0 ? every : null;
    this.#sampledAt = now;
    this.#sample(1, now);
    return unseen;
  }

  /** A client that goes on once it is acknowledged was waiting. */
  #judgeWindow(since: number): void {
    if (this.#waitedAt !== null && since < LOOK_MS) {
      this.#limit = Math.max(1, this.#waitedAt / 2);
      this.#samplesAtLimit = 0;
    }
    this.#waitedAt = null;
    if (this.#limit === this.#most) return;
    this.#samplesAtLimit += 1;
    if (this.#samplesAtLimit <= TRY_MORE_AFTER) return;
    this.#limit *= 2;
    this.#samplesAtLimit = 0;
  }

  #sample(every: number, now: number): void {
    if (this.#state.kind !== 'sampling' || this.#state.every !== every) this.#state = { kind: 'sampling', every };
    this.#deadline = every === 1 ? null : now + LOOK_MS;
  }

  #rest(now: number): void {
    const kind = this.#rate > DEAF_RATE ? 'deaf' : 'resting';
    if (this.#state.kind !== kind) this.#state = { kind };
    this.#deadline = now + LOOK_MS;
  }

  /** Since the last look. */
  #look(now: number): Acknowledged {
    const seen = this.#traffic();
    const [came, went] = [seen.fromClient - this.#seen.fromClient, seen.toClient - this.#seen.toClient];
    this.#rate = came / Math.max(1, now - this.#seenAt);
    this.#seen = seen;
    this.#seenAt = now;
    if (came === 0 || went === 0) return 'none';
    return went >= came ? 'all' : 'some';
  }
}
