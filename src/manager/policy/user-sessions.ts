/**
 * The sessions of each user, and which of them must end if there are too many (`policy.sessionsPerUser`,
 * `policy.whenExceeded`). Checked only at each login: lowering the limit does not disconnect existing sessions. Pure.
 */
import type { Configuration } from '../../config/schema.js';

type Limit = Pick<Configuration['policy'], 'sessionsPerUser' | 'whenExceeded'>;

export class UserSessions {
  /** The user of each session that is logged in, in the order of their logins. */
  readonly #users = new Map<string, string>();

  /** Adds a login that an earlier manager accepted. */
  add(session: string, user: string): void {
    this.#users.delete(session);
    this.#users.set(session, user);
  }

  /** Adds a new login. Returns the sessions that must end because of it; they are no longer counted. */
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

  /** The session is over, or no longer logged in. */
  remove(session: string): void {
    this.#users.delete(session);
  }
}
