/** How long to wait before a process that died is started again: longer each time, unless it ran for a while. Pure. */

export interface RestartDelays {
  /** Delay after the first death, ms; doubled each time. */
  readonly first: number;
  /** The longest, ms. */
  readonly last: number;
  /** A process that ran this long did not die of what it was started with: the delay begins anew, ms. */
  readonly stable: number;
}

export class RestartDelay {
  readonly #delays: RestartDelays;
  #deaths = 0;

  constructor(delays: RestartDelays) {
    this.#delays = delays;
  }

  /** ms. `ran`: how long the process ran, ms. */
  next(ran: number): number {
    const { first, last, stable } = this.#delays;
    if (ran >= stable) this.#deaths = 0;
    const delay = Math.min(first * 2 ** this.#deaths, last);
    this.#deaths += 1;
    return delay;
  }

  /** The next process is started for another reason than a death. */
  reset(): void {
    this.#deaths = 0;
  }
}
