/**
 * Who is logged in how often, and who has to go when that is too often (`policy.sessionsPerUser`, `policy.whenExceeded`).
 * Judged at each login and not later: a limit that is lowered ends nobody. Pure.
 */
import type { Configuration } from '../../config/schema.js';

type Limit = Pick<Configuration['policy'], 'sessionsPerUser' | 'whenExceeded'>;

export class UserSessions {
  /** The user of each session that is logged in, in the order of their logins. */
  readonly #users = new Map<string, string>();

  /** A login that is only counted: an earlier manager has let it in. */
  add(session: string, user: string): void {
    this.#users.delete(session);
    this.#users.set(session, user);
  }

  /** A login now. The sessions that have to go for it, none of which counts any more. */
  login(session: string, user: string, { sessionsPerUser, whenExceeded }: Limit): string[] {
    this.add(session, user);
    if (sessionsPerUser === 0) return [];
    const ofUser = [...this.#users].flatMap(([each, its]) => (its === user ? each : []));
    const excess = Math.max(0, ofUser.length - sessionsPerUser);
    if (excess === 0) return [];
    const losers = whenExceeded === 'deny' ? [session] : ofUser.slice(0, excess);
    for (const loser of losers) this.#users.delete(loser);
    return losers;
  }

  /** It is over, or logged in no more. */
  remove(session: string): void {
    this.#users.delete(session);
  }
}
