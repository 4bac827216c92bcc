/** What `pptpd-ts watch` says: the steps of a session's life, told from one state to the next. Pure. */
import { CLOSE_REASONS } from '../session/close-reason.js';
import type { SessionState } from '../session/state.js';
import { encryptionText, failureText, pppOf } from './ppp.js';

export type Step = 'connected' | 'authenticated' | 'up' | 'failed' | 'ended';

export interface Happening {
  readonly event: Step;
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  /** In the tunnel. */
  readonly address: string | null;
  /** What else is to be said, in words. */
  readonly detail: string | null;
  /** Of `ended`: the name of the reason; null when its worker went without a word. */
  readonly reason?: string | null;
}

/** What is new in `after`; everything that has been, when there was nothing `before`. */
export function happenings(before: SessionState | null, after: SessionState): Happening[] {
  const [was, is] = [before === null ? {} : pppOf(before), pppOf(after)];
  const found: Happening[] = [];
  if (before === null) found.push(happening('connected', after, null));
  if (is.authentication?.result === 'succeeded' && was.authentication?.result !== 'succeeded') {
    found.push(happening('authenticated', after, is.authentication.protocol));
  }
  if (after.phase === 'up' && before?.phase !== 'up') {
    // It may be agreed on a moment later.
    const encryption = encryptionText(is.encryption);
    found.push(happening('up', after, encryption === null ? null : `encryption ${encryption}`));
  }
  const { failure = null } = is;
  if (failure !== null && (was.failure ?? null) === null) found.push(happening('failed', after, failureText(failure)));
  return found;
}

/** The end of a session whose last word was `last`. */
export function ending(last: SessionState): Happening {
  if (last.ending === null) {
    return { ...happening('ended', last, 'its worker went without a word'), reason: null };
  }
  const { reason, detail } = last.ending;
  const texts: Readonly<Record<string, { readonly text: string }>> = CLOSE_REASONS;
  const text = texts[reason]?.text ?? reason;
  return { ...happening('ended', last, detail === null ? text : `${text} (${detail})`), reason };
}

const happening = (event: Step, { session, user, peer, tunnel }: SessionState, detail: string | null): Happening => ({
  event,
  session,
  user,
  client: peer.address,
  address: tunnel.remote,
  detail,
});
