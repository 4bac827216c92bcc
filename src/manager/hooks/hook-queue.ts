/**
 * The events that one hook has not got yet. They are delivered one at a time, so that a session's end comes after its
 * beginning. Nothing waits for the delivery: events that come while the queue is full are dropped and counted.
 */
import type { Logger } from '../../log/logger.js';
import { messageOf } from '../../sys/thrown.js';
import type { Deliver, Delivered } from './delivery.js';
import type { HookEvent } from './hook-event.js';

/** Events that may wait. */
export const MAX_WAITING = 200;
/** Before the second attempt and the following ones, ms. */
export const RETRY_MS: readonly number[] = [1000, 5000, 25_000];

export interface HookQueueOptions {
  /** As the log names the hook. */
  readonly name: string;
  readonly deliver: Deliver;
  readonly log: Logger;
  /** Called for each event that is given up. */
  readonly onDropped: () => void;
}

export class HookQueue {
  readonly #options: HookQueueOptions;
  readonly #waiting: HookEvent[] = [];
  readonly #ending = new AbortController();
  #working: Promise<void> | null = null;
  /** Since the queue was last full. */
  #overflowed = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(options: HookQueueOptions) {
    this.#options = options;
  }

  offer(event: HookEvent): void {
    const { name, log, onDropped } = this.#options;
    if (this.#ending.signal.aborted) {
      onDropped();
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      if (this.#overflowed === 0) log.warn({ hook: name }, `${name}: ${MAX_WAITING} events wait; dropping new ones`);
      this.#overflowed += 1;
      onDropped();
      return;
    }
    this.#waiting.push(event);
    this.#working ??= this.#work().finally(() => (this.#working = null));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#working;
  }

  /** Gives up what waits, and ends what runs; idempotent. */
  close(): void {
    this.#ending.abort();
    clearTimeout(this.#retryTimer);
    this.#stopWaiting?.();
  }

  async #work(): Promise<void> {
    for (let event = this.#waiting[0]; event !== undefined; event = this.#waiting[0]) {
      await this.#tell(event);
      this.#waiting.shift();
      if (this.#overflowed > 0 && this.#waiting.length === 0) this.#reportOverflow();
    }
  }

  #reportOverflow(): void {
    const { name, log } = this.#options;
    log.warn({ hook: name, dropped: this.#overflowed }, `${name}: dropped ${this.#overflowed} events; none wait now`);
    this.#overflowed = 0;
  }

  async #tell(event: HookEvent): Promise<void> {
    const { name, deliver, log, onDropped } = this.#options;
    for (let attempt = 0; !this.#ending.signal.aborted; attempt += 1) {
      const result = await deliver(event, this.#ending.signal).catch(
        (error: unknown): Delivered => ({ ok: false, why: messageOf(error), again: false }),
      );
      if (result.ok) return;
      const pause = result.again ? RETRY_MS[attempt] : undefined;
      if (pause === undefined) {
        const { event: what, session } = event;
        log.warn(
          { hook: name, event: what, session, why: result.why },
          `${name} did not get the event "${what}": ${result.why}`,
        );
        break;
      }
      await this.#wait(pause);
    }
    onDropped();
  }

  async #wait(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
      this.#retryTimer = setTimeout(resolve, milliseconds);
    });
  }
}
