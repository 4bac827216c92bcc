/**
 * Why a session ends, with what belongs to each reason, as data from the place where it arises to the one where a sentence
 * is made of it (describeDetail, explain).
 */
import { describeEndCause, type EndCause } from '../link/end-cause.js';
import type { CloseReason } from '../session/close-reason.js';
import type { DisconnectReason } from '../session/request.js';

export type SessionEnd =
  | { readonly reason: 'pppdFailed' | 'pppdExited' | 'linkEnded' | 'relayFailed'; readonly cause: EndCause }
  | { readonly reason: 'clientSilent'; readonly silence: 'readsNothing' }
  | { readonly reason: 'clientSilent'; readonly silence: 'noEchoReply'; readonly seconds: number }
  /** It gave no sign of life when it was asked, or the connection failed meanwhile. */
  | { readonly reason: 'calledAgain'; readonly silence: 'noEchoReply'; readonly seconds: number }
  | { readonly reason: 'calledAgain'; readonly silence: 'connectionFailed'; readonly problem: string }
  | { readonly reason: 'noCall' | 'sessionTime' | 'idle'; readonly seconds: number }
  /** `problem`: what the system said, or what the client has sent. */
  | { readonly reason: 'connectionFailed' | 'protocolError'; readonly problem: string }
  | { readonly reason: 'versionRefused'; readonly version: number }
  | { readonly reason: 'clientStopped' | 'clientClosed' | 'clientCleared' }
  /** `words`: of whoever has ended it, for the log. */
  | { readonly reason: DisconnectReason; readonly words?: string | undefined };

/** Which reason the end of a link is; `isReady`: PPP was at work. */
export function linkEnded(cause: EndCause, isReady: boolean): SessionEnd {
  switch (cause.kind) {
    case 'gre':
    case 'ptyClosed':
    case 'ptyUnreadable':
      return { reason: 'relayFailed', cause };
    case 'linkEnded':
      return { reason: 'linkEnded', cause };
    case 'exit':
    case 'signal':
    case 'notStarted':
    case 'synchronous':
    case 'noFirstFrame':
      return { reason: isReady ? 'pppdExited' : 'pppdFailed', cause };
  }
}

/** What there is to say besides the reason itself, for `detail` in the log, in the session's state and in accounting. */
export function describeDetail(end: SessionEnd): string | null {
  switch (end.reason) {
    case 'pppdFailed':
    case 'pppdExited':
    case 'linkEnded':
    case 'relayFailed':
      return describeEndCause(end.cause);
    case 'clientSilent':
      return end.silence === 'readsNothing'
        ? 'it reads nothing of what is sent to it'
        : `no Echo-Reply within ${end.seconds} s`;
    case 'calledAgain':
      return end.silence === 'connectionFailed' ? end.problem : `no Echo-Reply within ${end.seconds} s`;
    case 'noCall':
      return `none within ${end.seconds} s`;
    case 'sessionTime':
    case 'idle':
      return `${end.seconds} s`;
    case 'connectionFailed':
    case 'protocolError':
      return end.problem;
    case 'versionRefused':
      return `version 0x${end.version.toString(16)}`;
    case 'clientStopped':
    case 'clientClosed':
    case 'clientCleared':
      return null;
    case 'kicked':
    case 'serverShutdown':
    case 'madeRoom':
    case 'userLimit':
    case 'replaced':
    case 'blocked':
      return end.words ?? null;
  }
}

/** Every reason has its data here, but the one that a worker cannot give itself. */
type Missing = Exclude<CloseReason, SessionEnd['reason'] | 'workerFailed'>;
const NONE_MISSING: [Missing] extends [never] ? true : never = true;
void NONE_MISSING;
