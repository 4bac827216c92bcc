/**
 * When a session's state is published. A state costs accounting a file and every follower a line, and a client can have
 * the PPP negotiation begin anew as often as it likes: so steps of the call are published together, the first ones when the
 * client has had its answer, later ones some times a second. The result of a login is published at once, because the next
 * login could hide it and the manager counts by the states alone (manager/policy).
 */
import type { PppState } from '../ppp/reader.js';
import type { Timers } from './timers.js';

/** The first steps of a call follow each other within a few milliseconds, in which the client waits for us. */
const FIRST_SECONDS = 0.02;
/** Between two states with nothing but steps. */
const INTERVAL_SECONDS = 0.25;

export interface StatePublisherOptions {
  readonly timers: Timers;
  /** Publishes the state as it is now. */
  readonly publish: () => void;
  readonly ppp: () => Pick<PppState, 'user' | 'authentication'> | null;
}

export class StatePublisher {
  readonly #options: StatePublisherOptions;
  /** Of the state that was published last. */
  #result: string | null = null;
  /** `resting`: published a moment ago; `pending`: the same, and a step has come since. */
  #state: 'ready' | 'resting' | 'pending' = 'ready';

  constructor(options: StatePublisherOptions) {
    this.#options = options;
  }

  /** Something is new that cannot come often. */
  now(): void {
    this.#result = loginResult(this.#options.ppp());
    this.#options.publish();
    this.#rest('resting', INTERVAL_SECONDS);
  }

  /** A step of the call, which may have ended a login. */
  step(): void {
    const result = loginResult(this.#options.ppp());
    if (result !== null && result !== this.#result) this.now();
    else if (this.#state === 'ready') this.#rest('pending', FIRST_SECONDS);
    else this.#state = 'pending';
  }

  /** Publishes what is pending, before the call that it is about goes. */
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

/** Equal for the same result of the same login; null: there is none. */
function loginResult(ppp: ReturnType<StatePublisherOptions['ppp']>): string | null {
  const { result, responses } = ppp?.authentication ?? {};
  if (result === 'succeeded') return `succeeded ${ppp?.user}`;
  return result === 'failed' ? `failed ${responses}` : null;
}
