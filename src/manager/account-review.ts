/**
 * Ends sessions that their accounts no longer permit: disabled, expired, removed or beyond their quota while a client is
 * connected. The monitor knows the accounts, and is asked again and again, because time and traffic end accounts too.
 */
import type { Logger } from '../log/logger.js';
import type { MonitorRegistrar } from '../monitor/monitor-registrar.js';
import type { AccountEnd } from '../monitor/protocol.js';
import type { DisconnectReason } from '../session/request.js';
import type { SessionState } from '../session/state.js';

/** By which an end may be late, ms. */
export const REVIEW_MS = 1000;

const ENDS: Readonly<Record<AccountEnd, string>> = {
  disabled: 'is disabled',
  expired: 'has expired',
  quota: 'has used up its quota',
  removed: 'was removed',
};

export interface AccountReviewOptions {
  readonly registrar: Pick<MonitorRegistrar, 'review'>;
  /** The last reported state of each session. */
  readonly sessions: () => readonly SessionState[];
  readonly disconnect: (session: string, reason: DisconnectReason, detail: string) => void;
  readonly log: Logger;
}

export class AccountReview {
  readonly #options: AccountReviewOptions;
  readonly #timer: NodeJS.Timeout;
  #isAsking = false;
  /** The monitor did not answer, which has been logged. */
  #isOut = false;

  constructor(options: AccountReviewOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#review(), REVIEW_MS);
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #review(): Promise<void> {
    const { registrar, sessions, disconnect, log } = this.#options;
    if (this.#isAsking || sessions().length === 0) return;
    this.#isAsking = true;
    try {
      for (const { session, why } of await registrar.review()) {
        const state = sessions().find((each) => each.session === session);
        if (state?.ending !== null) continue;
        const text = `${JSON.stringify(state.limits?.account ?? state.user)} ${ENDS[why]}`;
        log.info({ session }, `ending a session: its account ${text}`);
        disconnect(session, 'accountEnded', text);
      }
      this.#isOut = false;
    } catch (error) {
      if (!this.#isOut) log.warn({ err: error }, 'cannot ask the monitor whether accounts are still in force');
      this.#isOut = true;
    } finally {
      this.#isAsking = false;
    }
  }
}
