/**
 * What the configuration's `policy` asks of the manager, from what the sessions tell of their logins: how often a user may
 * be on, and which addresses may come. Time limits are the workers' own to keep (ctrl/limits).
 */
import { z } from 'zod';
import type { Configuration } from '../../config/schema.js';
import type { Logger } from '../../log/logger.js';
import type { Block } from '../../session/manager-status.js';
import type { DisconnectReason } from '../../session/request.js';
import type { SessionState } from '../../session/state.js';
import type { SessionWatcher } from '../registry.js';
import { readBlocks, writeBlocks } from './blocks-file.js';
import { FailedLogins } from './failed-logins.js';
import { UserSessions } from './user-sessions.js';

/** What of the reader's state (src/ppp) tells of a login; anything else in it is not looked at. */
const login = z.object({
  user: z.string().nullable(),
  authentication: z.object({
    result: z.enum(['none', 'pending', 'succeeded', 'failed']),
    responses: z.number(),
  }),
});

interface Login {
  /** null: nobody has logged in. */
  readonly user: string | null;
  /** How many answers of the client had come when the last login failed; null: none has failed. */
  readonly failedAt: number | null;
}

const NO_LOGIN: Login = { user: null, failedAt: null };

/** What another version calls otherwise is no login. */
function loginOf(state: SessionState | null): Login {
  const told = login.safeParse(state?.ppp);
  if (!told.success) return NO_LOGIN;
  const { user, authentication } = told.data;
  return {
    user: authentication.result === 'succeeded' ? user : null,
    failedAt: authentication.result === 'failed' ? authentication.responses : null,
  };
}

export interface PolicyOptions {
  /** Where blocks are kept. */
  readonly blocksFile: string;
  /** Asks a session to end; `detail` is for its log. */
  readonly disconnect: (session: string, reason: DisconnectReason, detail: string) => void;
  /** The sessions as they last told of themselves. */
  readonly sessions: () => readonly SessionState[];
  readonly log: Logger;
}

export class Policy implements SessionWatcher {
  #policy: Configuration['policy'];
  readonly #options: PolicyOptions;
  readonly #users = new UserSessions();
  readonly #failedLogins: FailedLogins;
  /** An earlier manager's sessions that have not told of themselves yet: their logins are not judged again. */
  readonly #found = new Set<string>();

  constructor(policy: Configuration['policy'], options: PolicyOptions) {
    this.#policy = policy;
    this.#options = options;
    this.#failedLogins = new FailedLogins(policy, () => performance.now());
  }

  /** Takes over the blocks of the manager before. */
  recover(): void {
    const { blocksFile, log } = this.#options;
    try {
      this.#failedLogins.restore(readBlocks(blocksFile, Date.now()));
    } catch (error) {
      log.warn({ err: error }, `${blocksFile} cannot be read: addresses that were blocked are blocked no more`);
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

  /** Ends the block of this address, of all with null; the addresses that were blocked. */
  unblock(address: string | null): string[] {
    const cleared = this.#failedLogins.clear(address);
    if (cleared.length === 0) return cleared;
    this.#options.log.info({ addresses: cleared }, 'blocked no more, by the administrator');
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
    // One that is about to end keeps nobody out.
    if (is.user === null || state.ending !== null) this.#users.remove(session);
    else if (isOld) this.#users.add(session, is.user);
    else if (is.user !== was.user) this.#loggedIn(session, is.user);
    if (!isOld && is.failedAt !== null && is.failedAt !== was.failedAt) this.#loginFailed(session, peer.address);
  }

  over(id: string): void {
    this.#found.delete(id);
    this.#users.remove(id);
  }

  #loggedIn(session: string, user: string): void {
    const { sessionsPerUser, whenExceeded } = this.#policy;
    for (const loser of this.#users.login(session, user, this.#policy)) {
      const text =
        loser === session
          ? `"${user}" is on already${sessionsPerUser === 1 ? '' : `, ${sessionsPerUser} times`}`
          : `"${user}" has logged in again, as session ${session}`;
      this.#options.log.warn({ session: loser, user, whenExceeded }, `policy.sessionsPerUser: ${text}`);
      this.#options.disconnect(loser, loser === session ? 'userLimit' : 'replaced', text);
    }
  }

  #loginFailed(session: string, address: string): void {
    // It came before the block, and had not told of itself when that began.
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
    // One control connection can call again and again.
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
      log.warn({ err: error }, 'the blocked addresses cannot be written: the next manager will not know them');
    }
  }
}
