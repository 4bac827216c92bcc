/**
 * The results of logins, one per call: up, or why it failed. `up` is final only after a while: one side may still reject what
 * IPCP agreed on, such as an address. A failure is final at the end of its call: until then the reader's diagnosis is a guess.
 */
import * as z from 'zod';
import type { SessionState } from '../../session/state.js';

/** The part of the reader's state (src/ppp) that shows a login's result; the rest is ignored. */
const link = z.object({
  times: z.object({ up: z.number().nullable() }),
  failure: z.object({ reason: z.string().regex(/^[A-Za-z]{1,40}$/) }).nullable(),
});

/**
 * Milliseconds after which a link that is up counts as a login. A side that rejects the result of IPCP ends the link at once, or
 * with lost packets after two Terminate-Requests of IPCP, for which pppd waits 3 s each.
 */
export const SETTLED_MS = 10_000;

/** `up`, a `reason` of src/ppp's failures, or `unfinished`: the call ended without a visible cause. */
export type LoginResult = string;

interface Pending {
  /** The result if the call ended now. */
  readonly result: LoginResult;
  /** When the link came up, in the caller's time; null: it is not up. */
  readonly upSince: number | null;
}

export class Logins {
  /** By session, the result of its call; null: it was counted. */
  readonly #pending = new Map<string, Pending | null>();

  /** Notes a session's new state. `now`: milliseconds on a monotonic clock. Returns the result if its call is over. */
  changed(state: SessionState, now: number): LoginResult | null {
    const { session, ppp, phase } = state;
    if (ppp === null) return this.over(session);
    const before = this.#pending.get(session);
    if (before === null) return null;
    const parsed = link.safeParse(ppp);
    const { times, failure } = parsed.success ? parsed.data : { times: { up: null }, failure: null };
    const isUp = phase === 'up' || times.up !== null;
    this.#pending.set(session, {
      result: failure?.reason ?? (isUp ? 'up' : 'unfinished'),
      upSince: isUp ? (before?.upSince ?? now) : null,
    });
    return null;
  }

  /** How many links have been up long enough since the last call to count as `up`. */
  settle(now: number): number {
    let count = 0;
    for (const [session, pending] of this.#pending) {
      if (pending?.result !== 'up' || pending.upSince === null || now - pending.upSince < SETTLED_MS) continue;
      this.#pending.set(session, null);
      count += 1;
    }
    return count;
  }

  /** A session that an earlier manager started: its login was counted there. */
  found(id: string): void {
    this.#pending.set(id, null);
  }

  /** The call is over: returns its result, unless it was counted. */
  over(id: string): LoginResult | null {
    const { result = null } = this.#pending.get(id) ?? {};
    this.#pending.delete(id);
    return result;
  }
}
