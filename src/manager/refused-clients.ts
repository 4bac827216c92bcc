/**
 * Logs clients that were turned away: the first of each kind at once, the others as a count once a minute. So a flood does not
 * fill the log, and no refused client is missing from it.
 */
import type { Logger } from '../log/logger.js';

const REPORT_INTERVAL_MS = 60_000;

/** Why clients are turned away before they have a session, and the text for the log. */
export const REFUSAL_CAUSES = {
  accessDenied: 'disconnected: its address is not allowed (access.allow, access.deny)',
  notAccepted: 'could not be accepted',
  blocked: 'disconnected: its address is blocked after failed logins (policy.failedLogins; pptpd-ts blocks)',
  perSource: 'disconnected: its address has as many connections as limits.perSource allows',
  evicted: 'disconnected: limits.pending was reached, and it had waited longest without a start request',
  noFirstMessage: 'disconnected: it sent no complete start request within timeouts.firstMessage',
  left: 'left before it had a session',
  notPptp: 'disconnected: it did not send a PPTP start request',
  full: 'refused: no address or connection is free (addresses.remote, limits.connections)',
  noWorker: 'disconnected: no ctrl worker could serve it',
} as const;

export type RefusalCause = keyof typeof REFUSAL_CAUSES;

export class RefusedClients {
  readonly #log: Logger;
  readonly #counts = new Map<RefusalCause, { count: number; peer: string }>();
  readonly #totals = new Map<RefusalCause, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Counts a client; `detail` is the particular cause, in words. */
  count(cause: RefusalCause, peer: string, detail?: string): void {
    this.#totals.set(cause, this.total(cause) + 1);
    const entry = this.#counts.get(cause);
    if (entry !== undefined) {
      entry.count += 1;
      entry.peer = peer;
      return;
    }
    this.#counts.set(cause, { count: 0, peer });
    this.#log.warn(
      { peer, cause, ...(detail === undefined ? {} : { detail }) },
      `client ${REFUSAL_CAUSES[cause]}${cause === 'full' && detail !== undefined ? `: ${detail}` : ''}`,
    );
    this.#timer ??= setInterval(() => this.#report(), REPORT_INTERVAL_MS).unref();
  }

  /** How many since the manager started. */
  total(cause: RefusalCause): number {
    return this.#totals.get(cause) ?? 0;
  }

  /** Logs what has not been logged yet. */
  close(): void {
    this.#report();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    for (const [cause, { count, peer }] of this.#counts) {
      if (count > 0)
        this.#log.warn({ cause, count, peer }, `client ${REFUSAL_CAUSES[cause]}: ${count} more in the last minute`);
    }
    this.#counts.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
