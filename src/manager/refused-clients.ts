/**
 * Clients that were turned away, told once a minute with a count each: a flood must not fill the log, and one
 * refused client must not go unsaid. The first of a kind is logged at once, the rest with the minute's sum.
 */
import type { Logger } from '../log/logger.js';

const REPORT_INTERVAL_MS = 60_000;

/** Every way to be turned away before a session exists, and its sentence. */
export const REFUSAL_CAUSES = {
  accessDenied: 'closed: its address is not allowed (access.allow, access.deny)',
  notAccepted: 'could not be accepted',
  blocked: 'closed: its address is blocked after failed logins (policy.failedLogins; pptpd-ts blocks)',
  perSource: 'closed: its address has as many connections as limits.perSource allows',
  evicted: 'closed: limits.pending was reached and it had waited longest without a start request',
  noFirstMessage: 'closed: no whole start request within timeouts.firstMessage',
  left: 'left before it had a session',
  notPptp: 'closed: what it sent is no PPTP start request',
  full: 'refused: no address or connection is free (addresses.remote, limits.connections)',
  noWorker: 'closed: no ctrl worker could take it',
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

  /** Counts a client; `detail` is what it did, in words. */
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

  /** How many since the manager's start. */
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
        this.#log.warn({ cause, count, peer }, `${count} more clients in the last minute ${REFUSAL_CAUSES[cause]}`);
    }
    this.#counts.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
