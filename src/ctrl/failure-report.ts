/** Why the call or the session failed: found out once, at its end, and logged once as the final word on it. */
import type { Link } from '../link/link.js';
import type { PppState } from '../ppp/reader.js';
import type { Handoff } from '../session/handoff.js';
import { monotonicMs } from '../sys/clock.js';
import { explain, type Explanation } from './explain.js';
import type { PeerLog } from './peer-log.js';
import type { SessionEnd } from './session-end.js';

export interface FailureReportOptions {
  readonly handoff: Pick<Handoff, 'configuration' | 'peer' | 'localAddress'>;
  readonly log: PeerLog;
  /** When the session began, by `monotonicMs`. */
  readonly startedAt: number;
}

export class FailureReport {
  readonly #options: FailureReportOptions;
  /** Of the call that was cleared last, until another one begins. */
  #explanation: Explanation | null = null;
  #isLogged = false;

  constructor(options: FailureReportOptions) {
    this.#options = options;
  }

  callBegun(): void {
    this.#explanation = null;
    this.#isLogged = false;
  }

  /** The explanation of a call's or session's end, or of the cleared call before it; null when nothing has failed. */
  explain(end: SessionEnd, link: Link | null): Explanation | null {
    const { handoff, startedAt } = this.#options;
    link?.countStrays();
    this.#explanation ??= explain({
      end,
      peer: handoff.peer.address,
      local: handoff.localAddress,
      seconds: (monotonicMs() - startedAt) / 1000,
      ppp: link?.ppp ?? null,
      counters: link?.counters() ?? null,
      configuration: handoff.configuration,
    });
    return this.#explanation;
  }

  /** Through the client's log: a client may call and hang up again and again. */
  logOnce(ppp: PppState | null): void {
    if (this.#explanation === null || this.#isLogged) return;
    this.#isLogged = true;
    const { cause, text } = this.#explanation;
    const what = ppp?.times.up ? 'session' : 'login';
    this.#options.log.write(
      'warn',
      { cause, user: ppp?.user ?? undefined, failure: ppp?.failure ?? undefined },
      () => `${what} failed: ${text}`,
    );
  }
}
