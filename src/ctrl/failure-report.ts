/** Why a call or a session failed: explained once, at its end, and logged once. */
import type { Link, LinkKind } from '../link/link.js';
import type { PppState } from '../ppp/reader.js';
import type { Handoff } from '../session/handoff.js';
import { monotonicMs } from '../sys/clock.js';
import { explain, type Explanation } from './explain.js';
import type { PeerLog } from './peer-log.js';
import type { SessionEnd } from './session-end.js';

export interface FailureReportOptions {
  readonly handoff: Pick<Handoff, 'configuration' | 'peer' | 'localAddress'>;
  readonly linkKind: LinkKind;
  readonly log: PeerLog;
  /** When the session began, on the clock of `monotonicMs`. */
  readonly startedAt: number;
}

export class FailureReport {
  readonly #options: FailureReportOptions;
  /** Of the first end: that of a cleared call, until another call begins, or the session's. */
  #explained: { readonly explanation: Explanation | null } | null = null;
  #isLogged = false;
  /** GRE packets of the tunnel that had arrived when the last Echo-Request was sent. */
  #packetsWhenAsked = 0;

  constructor(options: FailureReportOptions) {
    this.#options = options;
  }

  callBegun(): void {
    this.#explained = null;
    this.#isLogged = false;
    this.#packetsWhenAsked = 0;
  }

  /** An Echo-Request was sent to a silent client. */
  clientAsked(link: Link | null): void {
    this.#packetsWhenAsked = packetsReceived(link);
  }

  /** The explanation of a call's or session's end, or of the cleared call before it; null if nothing failed. */
  explain(end: SessionEnd, link: Link | null): Explanation | null {
    const { handoff, linkKind, startedAt } = this.#options;
    link?.countStrays();
    this.#explained ??= {
      explanation: explain({
        end,
        peer: handoff.peer.address,
        local: handoff.localAddress,
        seconds: (monotonicMs() - startedAt) / 1000,
        link: linkKind,
        ppp: link?.ppp ?? null,
        counters: link?.counters() ?? null,
        tunnelPackets: packetsReceived(link) - this.#packetsWhenAsked,
        configuration: handoff.configuration,
      }),
    };
    return this.#explained.explanation;
  }

  /** Writes through the peer log, which limits its lines: a client may call and hang up again and again. */
  logOnce(ppp: PppState | null): void {
    const { explanation = null } = this.#explained ?? {};
    if (explanation === null || this.#isLogged) return;
    this.#isLogged = true;
    const { cause, text } = explanation;
    // If one side tore the link down over what was negotiated, it is a failed login.
    const what = ppp?.times.up && ppp.failure === null ? 'session' : 'login';
    this.#options.log.write(
      'warn',
      { cause, user: ppp?.user ?? undefined, failure: ppp?.failure ?? undefined },
      () => `${what} failed: ${text}`,
    );
  }
}

/** GRE packets of the tunnel, with data or with only an acknowledgment. */
function packetsReceived(link: Link | null): number {
  const { rxPackets = 0, acksReceived = 0 } = link?.counters() ?? {};
  return rxPackets + acksReceived;
}
