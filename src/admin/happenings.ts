/** Events for `pptpd-ts watch`, derived from two successive states of a session. Pure. */
import { CLOSE_REASONS } from '../session/close-reason.js';
import type { SessionState } from '../session/state.js';
import { encryptionText, failureText, pppOf } from './ppp-texts.js';

export type Step = 'connected' | 'authenticated' | 'up' | 'warning' | 'failed' | 'ended';

export interface Happening {
  readonly event: Step;
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  /** The client's address in the tunnel. */
  readonly address: string | null;
  /** Further details in words. */
  readonly detail: string | null;
  /** Of `warning` and `failed`: its name in docs/failures.md; null from an older worker. */
  readonly cause?: string | null;
  /** Of `ended`: the close reason; null if the worker died without reporting one. */
  readonly reason?: string | null;
}

/** The events between the two states; all events so far if `before` is null. */
export function happenings(before: SessionState | null, after: SessionState): Happening[] {
  const [was, is] = [before === null ? {} : pppOf(before), pppOf(after)];
  const found: Happening[] = [];
  if (before === null) found.push(happening('connected', after, null));
  if (is.authentication?.result === 'succeeded' && was.authentication?.result !== 'succeeded') {
    found.push(happening('authenticated', after, is.authentication.protocol));
  }
  if (after.phase === 'up' && before?.phase !== 'up') {
    // Encryption may be negotiated a moment later.
    const encryption = encryptionText(is.encryption);
    found.push(happening('up', after, encryption === null ? null : `encryption ${encryption}`));
  }
  const { warning } = after;
  if (warning !== null && warning.cause !== before?.warning?.cause) {
    found.push({ ...happening('warning', after, warning.text), cause: warning.cause });
  }
  const failure = failureOf(after);
  if (failure !== null && (before === null || failureOf(before) === null)) {
    found.push({ ...happening('failed', after, failure), cause: after.ending?.cause ?? null });
  }
  return found;
}

/** The failure as a sentence; null until the session ends, because until then the login may still succeed. */
function failureOf(state: SessionState): string | null {
  if (state.ending === null) return null;
  // A worker of an older version sends no text.
  const { failure = null } = pppOf(state);
  return state.ending.text ?? (failure === null ? null : failureText(failure, state.link));
}

/** The `ended` event of a session whose last state was `last`. */
export function ending(last: SessionState): Happening {
  if (last.ending === null) {
    return { ...happening('ended', last, 'its worker died without reporting a reason'), reason: null };
  }
  const { reason, detail } = last.ending;
  return { ...happening('ended', last, reasonText(reason, detail)), reason };
}

/** `reason` in words; as it is if this version does not know it. */
export function reasonText(reason: string, detail: string | null): string {
  const texts: Readonly<Record<string, { readonly text: string }>> = CLOSE_REASONS;
  const text = texts[reason]?.text ?? reason;
  return detail === null ? text : `${text} (${detail})`;
}

const happening = (event: Step, { session, user, peer, tunnel }: SessionState, detail: string | null): Happening => ({
  event,
  session,
  user,
  client: peer.address,
  address: tunnel.remote,
  detail,
});
