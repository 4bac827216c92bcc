/**
 * Decides when a session's state is published. Each state costs a file for accounting and a line for every follower, and a
 * client can restart the PPP negotiation as often as it likes. So steps of the call are published together: the first ones
 * after the client has its answer, later ones four times a second. The result of a login is published at once, because the
 * next login could hide it, and the manager counts logins by the states alone (manager/policy).
 */
import type { PppState } from '../ppp/reader.js';
import type { Timers } from './timers.js';

/** The first steps of a call follow each other within a few milliseconds, while the client waits for the answer. */
const FIRST_SECONDS = 0.02;
/** Between two states with nothing but steps of the call. */
const INTERVAL_SECONDS = 0.25;

export interface StatePublisherOptions {
  readonly timers: Timers;
  /** Publishes the state as it is now. */
  readonly publish: () => void;
  readonly ppp: () => Pick<PppState, 'user' | 'authentication'> | null;
}

export class StatePublisher {
  readonly #options: StatePublisherOptions;
  /** In the state that was published last. */
  #result: string | null = null;
  /** `resting`: a state was published a moment ago; `pending`: and a step has come since. */
  #state: 'ready' | 'resting' | 'pending' = 'ready';

  constructor(options: StatePublisherOptions) {
    this.#options = options;
  }

  /** Publishes a change that cannot come often. */
  now(): void {
    this.#result = loginResult(this.#options.ppp());
    this.#options.publish();
    this.#rest('resting', INTERVAL_SECONDS);
  }

  /** Publishes a step of the call, soon, or at once if a login has ended. */
  step(): void {
    const result = loginResult(this.#options.ppp());
    if (result !== null && result !== this.#result) this.now();
    else if (this.#state === 'ready') this.#rest('pending', FIRST_SECONDS);
    else this.#state = 'pending';
  }

  /** Publishes a pending step, before its call is removed from the state. */
  flush(): void {
    if (this.#state === 'pending') this.now();
  }

  #rest(state: 'resting' | 'pending', seconds: number): void {
    this.#state = state;
    this.#options.timers.start('publish', seconds, () => {
      const isPending = this.#state === 'pending';
      this.#state = 'ready';
      if (isPending) this.now();
    });
  }
}

/** The same text for the same result of the same login; null: no login has ended. */
function loginResult(ppp: ReturnType<StatePublisherOptions['ppp']>): string | null {
  const { result, responses } = ppp?.authentication ?? {};
  if (result === 'succeeded') return `succeeded ${ppp?.user}`;
  return result === 'failed' ? `failed ${responses}` : null;
}
