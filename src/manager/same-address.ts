/**
 * Warns if two sessions are up with the same address. This happens if chap-secrets or RADIUS gives a user an address that has
 * just been leased to another client.
 */
import type { Logger } from '../log/logger.js';
import type { SessionState } from '../session/state.js';
import type { SessionWatcher } from './registry.js';

const named = ({ session, user }: SessionState): string => `${session}${user === null ? '' : ` ("${user}")`}`;

export class SameAddress implements SessionWatcher {
  readonly #sessions: () => readonly SessionState[];
  readonly #log: Logger;

  /** `sessions`: the last reported state of each. */
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
          'packets; remedy: end one with pptpd-ts kick; if chap-secrets or RADIUS assigns that address to a user, remove it from addresses.remote',
      );
    }
  }
}
