/**
 * How logins end, one result a call: up, or why not. A failure is counted when its call is over and not before: until
 * then the reader's word on it is a guess that may be taken back.
 */
import { z } from 'zod';
import type { SessionState } from '../../session/state.js';

/** What of the reader's state (src/ppp) tells a login's result; anything else in it is not looked at. */
const link = z.object({
  times: z.object({ up: z.number().nullable() }),
  failure: z.object({ reason: z.string().regex(/^[A-Za-z]{1,40}$/) }).nullable(),
});

/** `up`, a `reason` of src/ppp's failures, or `unfinished`: it ended, and nothing shows why. */
export type LoginResult = string;

export class Logins {
  /** The last result of each session's call so far; null: it was counted. */
  readonly #pending = new Map<string, LoginResult | null>();

  /** The result that is certain with this state, if one is. */
  changed(state: SessionState): LoginResult | null {
    if (state.ppp === null) return this.over(state.session);
    if (this.#pending.get(state.session) === null) return null;
    const parsed = link.safeParse(state.ppp);
    const { times, failure } = parsed.success ? parsed.data : { times: { up: null }, failure: null };
    const isUp = state.phase === 'up' || times.up !== null;
    this.#pending.set(state.session, isUp ? null : (failure?.reason ?? 'unfinished'));
    return isUp ? 'up' : null;
  }

  /** A session that was there before this process: if it is up, that was counted then. */
  found(id: string): void {
    this.#pending.set(id, null);
  }

  /** The call is over: its result, if it has not been told. */
  over(id: string): LoginResult | null {
    const result = this.#pending.get(id) ?? null;
    this.#pending.delete(id);
    return result;
  }
}
