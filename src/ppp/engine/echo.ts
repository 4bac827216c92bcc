/** LCP Echo-Requests that tell whether the client is still there (RFC 1661 §5.8), as pppd's lcp-echo-interval and -failure. */
import type { Clock } from './control-protocol.js';

export interface EchoOptions {
  /** Seconds between requests; 0: none. */
  readonly interval: number;
  /** After this many unanswered requests in a row the client counts as gone. */
  readonly failures: number;
  readonly clock: Clock;
  readonly send: () => void;
  readonly onGone: () => void;
}

export class Echo {
  readonly #options: EchoOptions;
  #deadline: number | null = null;
  #unanswered = 0;

  constructor(options: EchoOptions) {
    this.#options = options;
  }

  get deadline(): number | null {
    return this.#deadline;
  }

  /** The first request goes at once. */
  start(): void {
    this.#unanswered = 0;
    if (this.#options.interval > 0) this.#send();
  }

  stop(): void {
    this.#deadline = null;
  }

  recvReply(): void {
    this.#unanswered = 0;
  }

  tick(): void {
    if (this.#deadline === null || this.#deadline > this.#options.clock.now) return;
    if (this.#unanswered >= this.#options.failures) {
      this.stop();
      this.#options.onGone();
      return;
    }
    this.#send();
  }

  #send(): void {
    this.#unanswered++;
    this.#deadline = this.#options.clock.now + this.#options.interval * 1000;
    this.#options.send();
  }
}
