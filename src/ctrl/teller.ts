/**
 * When a session's state is told. A state costs its account a file and everybody who follows the session a line, and a
 * client can have the PPP negotiation begin anew as often as it likes: so steps of the call are told together, the first
 * ones when the client has had its answer, those behind them some times a second. How a login ended is told at once, or the
 * next one could hide it: the manager counts by the states alone (manager/policy).
 */
import type { PppState } from '../ppp/reader.js';
import type { Timers } from './timers.js';

/** The first steps of a call follow each other within a few milliseconds, in which the client waits for us. */
const FIRST_SECONDS = 0.02;
/** Between two states that tell nothing but steps. */
const INTERVAL_SECONDS = 0.25;

export interface TellerOptions {
  readonly timers: Timers;
  /** Tells the state as it is now. */
  readonly tell: () => void;
  readonly ppp: () => Pick<PppState, 'user' | 'authentication'> | null;
}

export class Teller {
  readonly #options: TellerOptions;
  /** Of the state that was told last. */
  #result: string | null = null;
  #isResting = false;
  #isOwed = false;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** Something is new that cannot come often. */
  now(): void {
    this.#isOwed = false;
    this.#result = loginResult(this.#options.ppp());
    this.#options.tell();
    this.#rest(INTERVAL_SECONDS);
  }

  /** A step of the call, which may have ended a login. */
  step(): void {
    const result = loginResult(this.#options.ppp());
    if (result !== null && result !== this.#result) {
      this.now();
      return;
    }
    this.#isOwed = true;
    if (!this.#isResting) this.#rest(FIRST_SECONDS);
  }

  /** Tells what is owed, if anything: before the call goes of which it tells. */
  flush(): void {
    if (this.#isOwed) this.now();
  }

  #rest(seconds: number): void {
    this.#isResting = true;
    this.#options.timers.start('tell', seconds, () => {
      this.#isResting = false;
      this.flush();
    });
  }
}

/** Equal for the same result of the same login; null: there is none. */
function loginResult(ppp: ReturnType<TellerOptions['ppp']>): string | null {
  const { result, responses } = ppp?.authentication ?? {};
  if (result === 'succeeded') return `succeeded ${ppp?.user}`;
  return result === 'failed' ? `failed ${responses}` : null;
}
