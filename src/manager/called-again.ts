/**
 * A client that lost its connection may call again under the same call id while its old session still exists (older versions of
 * pptp-linux use 0 for every call). Packets of the old session, its termination too, then reach the new one. So if two sessions
 * have the same addresses and client call id, the older one is asked to probe its client.
 */
import type { SessionState } from '../session/state.js';
import type { SessionWatcher } from './registry.js';

/** A client distinguishes its calls by the server's address and its own call id. */
const isSameCall = (one: SessionState, other: SessionState): boolean =>
  one.peer.address === other.peer.address &&
  one.localAddress === other.localAddress &&
  one.peerCallId === other.peerCallId;

export class CalledAgain implements SessionWatcher {
  readonly #sessions: () => readonly SessionState[];
  readonly #probe: (session: string, by: string) => void;
  /** An earlier manager's sessions that have not reported yet: which of them called first is not known. */
  readonly #found = new Set<string>();

  /** `sessions`: the last reported state of each; `probe` asks `session` to probe its client because of session `by`. */
  constructor(sessions: () => readonly SessionState[], probe: (session: string, by: string) => void) {
    this.#sessions = sessions;
    this.#probe = probe;
  }

  entered(id: string, found: boolean): void {
    if (found) this.#found.add(id);
  }

  changed(state: SessionState, before: SessionState | null): void {
    const { session, peerCallId, since } = state;
    const isOld = this.#found.delete(session);
    if (peerCallId === null || peerCallId === before?.peerCallId || state.ending !== null) return;
    for (const other of this.#sessions()) {
      if (other.session === session || other.ending !== null || !isSameCall(other, state)) continue;
      if (isOld && since < other.since) this.#probe(session, other.session);
      else this.#probe(other.session, session);
    }
  }

  over(id: string): void {
    this.#found.delete(id);
  }
}
