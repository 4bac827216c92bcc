/**
 * Warns when two sessions are up with the same address. Fixed addresses and lent ones can meet: what pppd gives a user by
 * chap-secrets or RADIUS may have been lent to another client just before.
 */
import type { Logger } from '../log/logger.js';
import type { SessionState } from '../session/state.js';
import type { SessionWatcher } from './registry.js';

const named = ({ session, user }: SessionState): string => `${session}${user === null ? '' : ` ("${user}")`}`;

export class SameAddress implements SessionWatcher {
  readonly #sessions: () => readonly SessionState[];
  readonly #log: Logger;

  /** `sessions`: all of them as they last told of themselves. */
  constructor(sessions: () => readonly SessionState[], log: Logger) {
    this.#sessions = sessions;
    this.#log = log;
  }

  changed(state: SessionState, before: SessionState | null): void {
    const { session, tunnel, phase } = state;
    if (phase !== 'up' || tunnel.remote === null) return;
    if (before?.phase === 'up' && before.tunnel.remote === tunnel.remote) return;
    for (const other of this.#sessions()) {
      if (other.session === session || other.phase !== 'up' || other.tunnel.remote !== tunnel.remote) continue;
      this.#log.warn(
        { session, user: state.user, otherSession: other.session, otherUser: other.user, address: tunnel.remote },
        `sessions ${named(other)} and ${named(state)} have the same address, ${tunnel.remote}, and only one of them gets its ` +
          'packets: end one by pptpd-ts kick; if chap-secrets or RADIUS gives that address to a user, take it out of addresses.remote',
      );
    }
  }
}
