/**
 * Enforces the configuration's `policy` on the logins that sessions report: how many sessions a user may have, and which
 * addresses are blocked after failed logins. The workers enforce time limits themselves (ctrl/limits).
 */
import * as z from 'zod';
import type { Configuration } from '../../config/schema.js';
import type { Logger } from '../../log/logger.js';
import type { Block } from '../../session/manager-status.js';
import type { DisconnectReason } from '../../session/request.js';
import type { SessionState } from '../../session/state.js';
import type { SessionWatcher } from '../registry.js';
import { readBlocks, writeBlocks } from './blocks-file.js';
import { FailedLogins } from './failed-logins.js';
import { UserSessions } from './user-sessions.js';

/** The part of the reader's state (src/ppp) that shows a login; the rest is ignored. */
const login = z.object({
  user: z.string().nullable(),
  authentication: z.object({
    result: z.enum(['none', 'pending', 'succeeded', 'failed']),
    responses: z.number(),
  }),
});

interface LoginState {
  /** null: no user has logged in. */
  readonly user: string | null;
  /** The number of the client's answers when the last login failed; null: none failed. */
  readonly failedAt: number | null;
}

const NO_LOGIN: LoginState = { user: null, failedAt: null };

/** A login that another version reports in another form is ignored. */
function loginOf(state: SessionState | null): LoginState {
  const parsed = login.safeParse(state?.ppp);
  if (!parsed.success) return NO_LOGIN;
  const { user, authentication } = parsed.data;
  return {
    user: authentication.result === 'succeeded' ? user : null,
    failedAt: authentication.result === 'failed' ? authentication.responses : null,
  };
}

export interface PolicyOptions {
  /** The file that keeps the blocks. */
  readonly blocksFile: string;
  /** Asks a session to end; `detail` is for its log. */
  readonly disconnect: (session: string, reason: DisconnectReason, detail: string) => void;
  /** The last reported state of each session. */
  readonly sessions: () => readonly SessionState[];
  /** An address was blocked. */
  readonly onBlocked?: (block: Block) => void;
  readonly log: Logger;
}

export class Policy implements SessionWatcher {
  #policy: Configuration['policy'];
  readonly #options: PolicyOptions;
  readonly #users = new UserSessions();
  readonly #failedLogins: FailedLogins;
  /** An earlier manager's sessions that have not reported yet: their logins are not judged again. */
  readonly #found = new Set<string>();

  constructor(policy: Configuration['policy'], options: PolicyOptions) {
    this.#policy = policy;
    this.#options = options;
    this.#failedLogins = new FailedLogins(policy, () => performance.now());
  }

  /** Restores the blocks of the previous manager. */
  recover(): void {
    const { blocksFile, log } = this.#options;
    try {
      this.#failedLogins.restore(readBlocks(blocksFile, Date.now()));
    } catch (error) {
      log.warn({ err: error }, `cannot read ${blocksFile}; the addresses that were blocked are no longer blocked`);
    }
  }

  reconfigure(policy: Configuration['policy']): void {
    this.#policy = policy;
    this.#failedLogins.reconfigure(policy);
    this.#keepBlocks();
  }

  isBlocked(address: string): boolean {
    return this.#failedLogins.isBlocked(address);
  }

  blocks(): Block[] {
    return this.#failedLogins.blocks();
  }

  /** Ends the block of this address, or all blocks with null; returns the addresses that were blocked. */
  unblock(address: string | null): string[] {
    const cleared = this.#failedLogins.clear(address);
    if (cleared.length === 0) return cleared;
    this.#options.log.info({ addresses: cleared }, 'addresses unblocked by the administrator');
    this.#keepBlocks();
    return cleared;
  }

  entered(id: string, found: boolean): void {
    if (found) this.#found.add(id);
  }

  changed(state: SessionState, before: SessionState | null): void {
    const { session, peer } = state;
    const isOld = this.#found.delete(session);
    const [was, is] = [loginOf(before), loginOf(state)];
    // A session that is ending does not count against the limit.
    if (is.user === null || state.ending !== null) this.#users.remove(session);
    else if (isOld) this.#users.add(session, is.user);
    else if (is.user !== was.user) this.#loggedIn(state, is.user);
    if (!isOld && is.failedAt !== null && is.failedAt !== was.failedAt) this.#loginFailed(session, peer.address);
  }

  over(id: string): void {
    this.#found.delete(id);
    this.#users.remove(id);
  }

  #loggedIn({ session, limits }: SessionState, user: string): void {
    const { whenExceeded } = this.#policy;
    const own = limits?.sessions ?? null;
    const sessionsPerUser = own ?? this.#policy.sessionsPerUser;
    const key = own === null ? 'policy.sessionsPerUser' : 'sessions of the account';
    for (const loser of this.#users.login(session, user, { sessionsPerUser, whenExceeded })) {
      const text =
        loser === session
          ? `"${user}" already has ${sessionsPerUser === 1 ? 'a session' : `${sessionsPerUser} sessions`}`
          : `"${user}" has logged in again, as session ${session}`;
      this.#options.log.warn({ session: loser, user, whenExceeded }, `${key}: ${text}`);
      this.#options.disconnect(loser, loser === session ? 'userLimit' : 'replaced', text);
    }
  }

  #loginFailed(session: string, address: string): void {
    // The client connected before the block, and its session had not reported when the block began.
    if (this.isBlocked(address)) {
      this.#options.disconnect(session, 'blocked', `${address} is blocked`);
      return;
    }
    const block = this.#failedLogins.failed(address);
    if (block === null) return;
    const { failedLogins, remaining } = block;
    const text = `${address} is blocked for ${remaining} s; failed logins from it: ${failedLogins}`;
    this.#options.log.warn({ address, failedLogins, seconds: remaining }, text);
    this.#keepBlocks();
    this.#options.onBlocked?.(block);
    // End its other sessions without a login too: one control connection can call again and again.
    for (const state of this.#options.sessions()) {
      if (state.peer.address === address && loginOf(state).user === null)
        this.#options.disconnect(state.session, 'blocked', text);
    }
  }

  #keepBlocks(): void {
    const { blocksFile, log } = this.#options;
    try {
      writeBlocks(blocksFile, this.blocks(), Date.now());
    } catch (error) {
      log.warn({ err: error }, 'cannot write the blocked addresses; the next manager will not know them');
    }
  }
}
