/**
 * A client that has lost its connection without a word may call again while its last session is still there, under the same
 * call id (older pptp-linux use 0 for every call). What the old session sends then reaches the new one, its end too. So of two
 * sessions that have both addresses and the client's call id in common, the one that called first is asked whether its client
 * is there.
 */
import type { SessionState } from '../session/state.js';
import type { SessionWatcher } from './registry.js';

/** A client tells its calls apart by the server's address and its own call id. */
const isSameCall = (one: SessionState, other: SessionState): boolean =>
  one.peer.address === other.peer.address &&
  one.localAddress === other.localAddress &&
  one.peerCallId === other.peerCallId;

export class CalledAgain implements SessionWatcher {
  readonly #sessions: () => readonly SessionState[];
  readonly #probe: (session: string, by: string) => void;
  /** An earlier manager's sessions that have not told of themselves yet: which of them called first is not known. */
  readonly #found = new Set<string>();

  /** `sessions`: all of them as they last told of themselves; `probe` asks one because of another. */
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
