/** What `pptpd-ts watch` says: the steps of a session's life, told from one state to the next. Pure. */
import { CLOSE_REASONS } from '../session/close-reason.js';
import type { SessionState } from '../session/state.js';
import { encryptionText, failureText, pppOf } from './ppp.js';

export type Step = 'connected' | 'authenticated' | 'up' | 'warning' | 'failed' | 'ended';

export interface Happening {
  readonly event: Step;
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  /** In the tunnel. */
  readonly address: string | null;
  /** What else is to be said, in words. */
  readonly detail: string | null;
  /** Of `warning` and `failed`: the name that docs/failures.md has for it; null from an older worker. */
  readonly cause?: string | null;
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

/** What has failed, as a sentence, once the session ends for it: before that nothing is settled. */
function failureOf(state: SessionState): string | null {
  if (state.ending === null) return null;
  // A worker of an older version leaves it to its readers to explain what they see.
  const { failure = null } = pppOf(state);
  return state.ending.text ?? (failure === null ? null : failureText(failure));
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
