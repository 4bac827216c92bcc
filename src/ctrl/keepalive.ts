/**
 * Whether the client is still there (RFC 2637 §3.1.4): asks a silent client by an Echo-Request, and on demand one that may
 * have called again elsewhere.
 */
import type { SessionEnd } from './session-end.js';
import type { Timers } from './timers.js';

/**
 * Time for a sign of life from a client that may be gone: a round trip, and two retransmissions by TCP on a path of half a
 * second. Until then the tunnel's packets may disturb the client's next session.
 */
const SIGN_OF_LIFE_SECONDS = 3;

export type KeepaliveEvent =
  /** The client has sent nothing for `timeouts.echoInterval`; an Echo-Request was sent. */
  | { readonly type: 'silent' }
  /** The client has sent a message after `ask`. */
  | { readonly type: 'signOfLife' }
  /** The client is gone. The last event. */
  | { readonly type: 'ended'; readonly end: SessionEnd };

export interface KeepaliveOptions {
  /** Seconds. */
  readonly timeouts: { readonly echoInterval: number; readonly echoReply: number };
  readonly timers: Timers;
  readonly sendEchoRequest: (identifier: number) => void;
  /** The client takes nothing of what is sent to it. */
  readonly readsNothing: () => boolean;
  readonly onEvent: (event: KeepaliveEvent) => void;
}

export class Keepalive {
  readonly #options: KeepaliveOptions;
  #identifier = 0;
  /** `ask` was called, and nothing has come since. */
  #isAsked = false;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  /**
   * A whole message of any kind has come, which is a sign of life: after an Echo-Request the RFC wants the reply, but a
   * client that sends other messages is there as well.
   */
  recvMessage(): void {
    const { timers, timeouts, onEvent } = this.#options;
    const wasAsked = this.#isAsked;
    this.stop();
    timers.start('echoInterval', timeouts.echoInterval, () => {
      this.#sendEchoRequest();
      timers.start('echoReply', timeouts.echoReply, () => this.#noReply());
      onEvent({ type: 'silent' });
    });
    if (wasAsked) onEvent({ type: 'signOfLife' });
  }

  /**
   * Asks a client that may have called again elsewhere. Emits `signOfLife` when it sends any message within
   * SIGN_OF_LIFE_SECONDS, and `ended` otherwise.
   */
  ask(): void {
    this.#isAsked = true;
    this.#sendEchoRequest();
    const end: SessionEnd = { reason: 'calledAgain', silence: 'noEchoReply', seconds: SIGN_OF_LIFE_SECONDS };
    this.#options.timers.start('signOfLife', SIGN_OF_LIFE_SECONDS, () => this.#end(end));
  }

  /** The reason for the end of a broken connection: if the client's machine was restarted, it answers `ask` by a reset. */
  connectionFailed(problem: string): SessionEnd {
    return this.#isAsked
      ? { reason: 'calledAgain', silence: 'connectionFailed', problem }
      : { reason: 'connectionFailed', problem };
  }

  /** Asks nothing any more; idempotent. */
  stop(): void {
    const { timers } = this.#options;
    this.#isAsked = false;
    timers.stop('echoInterval');
    timers.stop('echoReply');
    timers.stop('signOfLife');
  }

  #sendEchoRequest(): void {
    this.#identifier = (this.#identifier + 1) >>> 0;
    this.#options.sendEchoRequest(this.#identifier);
  }

  #noReply(): void {
    const { timeouts, readsNothing } = this.#options;
    this.#end(
      readsNothing()
        ? { reason: 'clientSilent', silence: 'readsNothing' }
        : { reason: 'clientSilent', silence: 'noEchoReply', seconds: timeouts.echoReply },
    );
  }

  #end(end: SessionEnd): void {
    this.stop();
    this.#options.onEvent({ type: 'ended', end });
  }
}
