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
  /** Of the end that came first: of the call that was cleared, until another one begins, or of the session. */
  #explained: { readonly explanation: Explanation | null } | null = null;
  #isLogged = false;
  /** How many packets of the tunnel had come when the client was last asked whether it is there. */
  #packetsWhenAsked = 0;

  constructor(options: FailureReportOptions) {
    this.#options = options;
  }

  callBegun(): void {
    this.#explained = null;
    this.#isLogged = false;
    this.#packetsWhenAsked = 0;
  }

  /** The client is asked on its control connection whether it is there. */
  clientAsked(link: Link | null): void {
    this.#packetsWhenAsked = packetsReceived(link);
  }

  /** The explanation of a call's or session's end, or of the cleared call before it; null when nothing has failed. */
  explain(end: SessionEnd, link: Link | null): Explanation | null {
    const { handoff, startedAt } = this.#options;
    link?.countStrays();
    this.#explained ??= {
      explanation: explain({
        end,
        peer: handoff.peer.address,
        local: handoff.localAddress,
        seconds: (monotonicMs() - startedAt) / 1000,
        ppp: link?.ppp ?? null,
        counters: link?.counters() ?? null,
        tunnelPackets: packetsReceived(link) - this.#packetsWhenAsked,
        configuration: handoff.configuration,
      }),
    };
    return this.#explained.explanation;
  }

  /** Through the client's log: a client may call and hang up again and again. */
  logOnce(ppp: PppState | null): void {
    const { explanation = null } = this.#explained ?? {};
    if (explanation === null || this.#isLogged) return;
    this.#isLogged = true;
    const { cause, text } = explanation;
    // A link that was up for a moment, and not as one side must have it, was no session.
    const what = ppp?.times.up && ppp.failure === null ? 'session' : 'login';
    this.#options.log.write(
      'warn',
      { cause, user: ppp?.user ?? undefined, failure: ppp?.failure ?? undefined },
      () => `${what} failed: ${text}`,
    );
  }
}

/** In the tunnel, with data or with an acknowledgment alone. */
function packetsReceived(link: Link | null): number {
  const { rxPackets = 0, acksReceived = 0 } = link?.counters() ?? {};
  return rxPackets + acksReceived;
}
