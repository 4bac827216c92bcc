/**
 * When the worker acknowledges a call whose data the kernel carries. The kernel acknowledges with the data that it sends, and
 * not otherwise (drivers/net/ppp/pptp.c), so a client that only sends and keeps to its window (RFC 2637 §4.2) would stall. The
 * worker therefore sees every n-th packet of the client and acknowledges it; while the kernel sends enough it sees none.
 *
 * - sampling: n follows the rate, so that a fast client costs little. If no sample comes for LOOK_MS, those packets since the
 *   last one that the interface has counted are acknowledged. A client that only then goes on has a shorter window than n
 *   needs, so n stays smaller. Where n is 1 nothing runs between packets: an idle session has no wake-up.
 * - resting: the kernel acknowledges. The interface's counters are read now and then, as long as something passes.
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
/** n is doubled when samples come faster than this, ms, and halved when they come slower than LOOK_MS. */
const FAST_MS = 5;

export type Sampling = { readonly kind: 'sampling'; readonly every: number } | { readonly kind: 'resting' };

export class Acknowledging {
  readonly #most: number;
  readonly #traffic: () => Traffic;
  #state: Sampling = { kind: 'sampling', every: 1 };
  #seen: Traffic;
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
    if (this.#state.kind === 'resting') return;
    const since = now - this.#sampledAt;
    this.#sampledAt = now;
    this.#judgeWindow(since);
    if (now - this.#seenAt >= LOOK_MS && this.#look(now) === 'carried') {
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
    if (this.#look(now) === 'carried') this.#rest(now);
    else {
      this.#sampledAt = now;
      this.#sample(1, now);
    }
    return 0;
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
    if (this.#state.kind !== 'resting') this.#state = { kind: 'resting' };
    this.#deadline = now + LOOK_MS;
  }

  /** `carried`: since the last look the kernel has sent enough to acknowledge what came. */
  #look(now: number): 'carried' | 'notCarried' {
    const seen = this.#traffic();
    const [came, went] = [seen.fromClient - this.#seen.fromClient, seen.toClient - this.#seen.toClient];
    this.#seen = seen;
    this.#seenAt = now;
    return came > 0 && went * this.#most >= came ? 'carried' : 'notCarried';
  }
}
