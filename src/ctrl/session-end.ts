/** Why a session ends: the reason and its data, which describeDetail and explain turn into words. */
import { describeEndCause, type EndCause } from '../link/end-cause.js';
import type { CloseReason } from '../session/close-reason.js';
import type { DisconnectReason } from '../session/request.js';

export type SessionEnd =
  | {
      readonly reason: 'pppdFailed' | 'pppdExited' | 'pppEnded' | 'deviceFailed' | 'linkEnded' | 'relayFailed';
      readonly cause: EndCause;
    }
  | { readonly reason: 'clientSilent'; readonly silence: 'readsNothing' }
  | { readonly reason: 'clientSilent'; readonly silence: 'noEchoReply'; readonly seconds: number }
  /** The client did not answer an Echo-Request, or the connection failed meanwhile. */
  | { readonly reason: 'calledAgain'; readonly silence: 'noEchoReply'; readonly seconds: number }
  | { readonly reason: 'calledAgain'; readonly silence: 'connectionFailed'; readonly problem: string }
  /** `after`: what the seconds are counted from, the start or the end of a call that the client cleared. */
  | { readonly reason: 'noCall'; readonly seconds: number; readonly after: 'start' | 'clearedCall' }
  | { readonly reason: 'sessionTime' | 'idle'; readonly seconds: number }
  /** `problem`: the system's message, or what the client sent. */
  | { readonly reason: 'connectionFailed' | 'protocolError'; readonly problem: string }
  | { readonly reason: 'versionRefused'; readonly version: number }
  | { readonly reason: 'clientStopped' | 'clientClosed' | 'clientCleared' }
  /** `words`: why, from whoever ended it, for the log. */
  | { readonly reason: DisconnectReason; readonly words?: string | undefined };

/** The end of a session whose link ended; `isReady`: PPP had started. */
export function endOfLink(cause: EndCause, isReady: boolean): SessionEnd {
  switch (cause.kind) {
    case 'gre':
    case 'ptyClosed':
    case 'ptyUnreadable':
      return { reason: 'relayFailed', cause };
    case 'noNewLink':
      return { reason: 'linkEnded', cause };
    case 'ppp':
    case 'login':
    case 'undecryptable':
      return { reason: 'pppEnded', cause };
    case 'device':
      return { reason: 'deviceFailed', cause };
    case 'exit':
    case 'signal':
    case 'notStarted':
    case 'synchronous':
    case 'noFirstFrame':
      return { reason: isReady ? 'pppdExited' : 'pppdFailed', cause };
  }
}

/** The reason's data in words, for `detail` in the log, in the session's state and in accounting; null: there is none. */
export function describeDetail(end: SessionEnd): string | null {
  switch (end.reason) {
    case 'pppdFailed':
    case 'pppdExited':
    case 'pppEnded':
    case 'deviceFailed':
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
      return end.after === 'start'
        ? `no call within ${end.seconds} s`
        : `no new call within ${end.seconds} s after clearing the last one`;
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
    case 'radiusDisconnect':
    case 'serverShutdown':
    case 'madeRoom':
    case 'userLimit':
    case 'replaced':
    case 'blocked':
    case 'accountEnded':
      return end.words ?? null;
  }
}

/** Every reason is declared above except `workerFailed`, which a worker cannot give itself. */
type Missing = Exclude<CloseReason, SessionEnd['reason'] | 'workerFailed'>;
const NONE_MISSING: [Missing] extends [never] ? true : never = true;
void NONE_MISSING;
