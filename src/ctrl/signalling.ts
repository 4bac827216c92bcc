/**
 * The session's call as the control connection speaks of it: the client's requests about it, and the reply, refusal or
 * notice that each of them gets (RFC 2637 §2.7 to §2.15). There is one call at a time; one that was cleared may be followed
 * by another.
 */
import { RECEIVE_WINDOW } from '../gre/relay.js';
import type { ProcessIdentity } from '../host/process.js';
import type { Logger } from '../log/logger.js';
import {
  type ControlMessage,
  findBadValue,
  GENERAL_ERROR,
  type MessageOf,
  RESULT,
  toleratedValues,
} from '../pptp/index.js';
import { CLOSE_REASONS, type CloseReason } from '../session/close-reason.js';
import type { Handoff } from '../session/handoff.js';
import { Call, type CallHandlers } from './call.js';
import { Line } from './line.js';
import type { PeerLog } from './peer-log.js';
import type { Timers } from './timers.js';

/** Connect speed told to the client, bits a second: the most that the field's readers show sensibly (RFC 2637 §2.8). */
const CONNECT_SPEED = 100_000_000;

/** Outgoing-Call-Reply results (RFC 2637 §2.8) with the general error codes of §2.16. */
const REFUSALS = {
  badValue: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.badValue },
  busy: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.noResource },
  failed: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.pacError },
} as const;

export interface SignallingHandlers extends Pick<CallHandlers, 'ppp' | 'blackHole'> {
  /** A call has begun; the client has no answer yet. */
  begun(call: Call): void;
  /** The client was told that its call stands. */
  accepted(): void;
  /** The client wants its call to end, and the control connection to stay: `clear` does it. */
  clearRequest(): void;
  /** The session has to end: no call came in time, or it has failed or ended by itself. */
  ended(reason: CloseReason, detail: string): void;
}

export interface SignallingOptions {
  /** For the first call; the session's from now on. */
  readonly line: Line | null;
  readonly handoff: Pick<Handoff, 'configuration' | 'lease' | 'peer' | 'localAddress'>;
  readonly timers: Timers;
  readonly log: Logger;
  readonly peerLog: PeerLog;
  /** Sends to the client. */
  readonly send: (message: ControlMessage) => void;
  readonly handlers: SignallingHandlers;
}

export class Signalling {
  readonly #options: SignallingOptions;
  #call: Call | null = null;
  /** For the first call; another one makes its own, for a client that clears its call seldom calls again. */
  #line: Line | null;
  /** The request that the call's start will answer. */
  #unanswered: MessageOf<'OutgoingCallRequest'> | null = null;
  /** The client has been told of the call's end. */
  #disconnectSent = false;
  #ending = false;

  constructor(options: SignallingOptions) {
    this.#options = options;
    this.#line = options.line;
  }

  get call(): Call | null {
    return this.#call;
  }

  /** The call's pppd; before the first call the process that becomes it. */
  get pppd(): ProcessIdentity | null {
    return this.#call?.pppd ?? this.#line?.pppd.identity ?? null;
  }

  /** From now on the client has `timeouts.establish` to call. */
  awaitCall(): void {
    const { timers, handoff, handlers } = this.#options;
    const { establish } = handoff.configuration.timeouts;
    timers.start('establish', establish, () => handlers.ended('noCall', `none within ${establish} s`));
  }

  recvOutgoingCallRequest(request: MessageOf<'OutgoingCallRequest'>): void {
    const { handoff, timers, log, peerLog, handlers } = this.#options;
    if (this.#call !== null || this.#ending) {
      peerLog.write('warn', {}, () => 'a second call on the same control connection is refused');
      this.#refuse(request, 'busy');
      return;
    }
    const badValue = findBadValue(request);
    if (badValue !== null) {
      peerLog.write('warn', { badValue }, () => `a call request is refused: ${badValue.detail}`);
      this.#refuse(request, 'badValue');
      return;
    }
    for (const tolerated of toleratedValues(request)) {
      peerLog.write('debug', { tolerated }, () => `a call request is served though it has ${tolerated.detail}`);
    }
    const { configuration, lease, peer, localAddress } = handoff;
    const { establish } = configuration.timeouts;
    timers.start('establish', establish, () => {
      handlers.ended('pppdFailed', `it sent no PPP frame within ${establish} s`);
    });
    try {
      const line = this.#line?.pppd.isOver === false ? this.#line : new Line();
      this.#line = line;
      this.#call = new Call({
        line,
        configuration,
        lease,
        peerAddress: peer.address,
        localAddress,
        request,
        timers,
        log,
        handlers: {
          started: () => this.#accept(request),
          ppp: (event) => handlers.ppp(event),
          blackHole: (arrives, missing) => handlers.blackHole(arrives, missing),
          ended: (reason, detail) => handlers.ended(reason, detail),
        },
      });
    } catch (error) {
      this.#refuse(request, 'failed');
      handlers.ended('pppdFailed', error instanceof Error ? error.message : String(error));
      return;
    }
    this.#line = null;
    this.#unanswered = request;
    handlers.begun(this.#call);
    this.#call.open();
  }

  /** Of a call that is not this client's, nothing is known here, and nothing done to it. */
  recvCallClearRequest({ callId }: MessageOf<'CallClearRequest'>): void {
    const { handoff, peerLog, handlers } = this.#options;
    // The client's own id is what RFC 2637 §2.12 wants; ours means the same call.
    if (callId === this.#call?.peerCallId || callId === handoff.lease.callId) handlers.clearRequest();
    else peerLog.write('warn', { callId }, () => `a request to clear call ${callId}, which is none of this client's`);
  }

  recvSetLinkInfo({ peerCallId, sendAccm }: MessageOf<'SetLinkInfo'>): void {
    if (peerCallId === this.#options.handoff.lease.callId) this.#call?.setSendAccm(sendAccm);
  }

  /**
   * Ends the call for the client that has asked for it, which may call again (RFC 2637 §2.12). Resolves with the call when
   * it is over; with null when there was none, it was cleared already, or the session has ended meanwhile.
   */
  async clear(): Promise<Call | null> {
    const call = this.#call;
    if (call === null) return null;
    // It is over also where pppd has not begun to speak, and takes its time to end.
    this.#options.timers.stop('establish');
    await call.close(CLOSE_REASONS.clientCleared);
    if (this.#ending || this.#call !== call) return null;
    // Told when pppd is gone and not before: whoever has heard it may call again at once.
    this.#notify('clientCleared');
    this.#unanswered = null;
    this.#call = null;
    this.#disconnectSent = false;
    this.awaitCall();
    return call;
  }

  /** The session ends: the client is told of its call, and there is no other. Resolves when the call is over. */
  async end(reason: CloseReason): Promise<void> {
    this.#ending = true;
    this.#options.timers.stop('establish');
    if (this.#unanswered === null) this.#notify(reason);
    else if (reason === 'pppdFailed' || reason === 'relayFailed') this.#refuse(this.#unanswered, 'failed');
    await Promise.all([this.#line?.close(), this.#call?.close(CLOSE_REASONS[reason])]);
  }

  #accept(request: MessageOf<'OutgoingCallRequest'>): void {
    if (this.#ending) return;
    const { timers, send, handoff, handlers } = this.#options;
    timers.stop('establish');
    this.#unanswered = null;
    send({
      type: 'OutgoingCallReply',
      callId: handoff.lease.callId,
      peerCallId: request.callId,
      resultCode: RESULT.OutgoingCallReply.connected,
      errorCode: GENERAL_ERROR.none,
      causeCode: 0,
      connectSpeed: CONNECT_SPEED,
      receiveWindowSize: RECEIVE_WINDOW,
      packetProcessingDelay: 0,
      physicalChannelId: 0,
    });
    handlers.accepted();
  }

  #refuse(request: MessageOf<'OutgoingCallRequest'>, refusal: keyof typeof REFUSALS): void {
    if (request === this.#unanswered) this.#unanswered = null;
    this.#options.send({
      type: 'OutgoingCallReply',
      callId: 0,
      peerCallId: request.callId,
      ...REFUSALS[refusal],
      causeCode: 0,
      connectSpeed: 0,
      receiveWindowSize: 0,
      packetProcessingDelay: 0,
      physicalChannelId: 0,
    });
  }

  #notify(reason: CloseReason): void {
    if (this.#call === null || this.#disconnectSent) return;
    this.#disconnectSent = true;
    const { rxPackets = 0, rxBytes = 0, txPackets = 0, txBytes = 0 } = this.#call.counters() ?? {};
    const resultCode = CLOSE_REASONS[reason].disconnect;
    this.#options.send({
      type: 'CallDisconnectNotify',
      callId: this.#options.handoff.lease.callId,
      resultCode,
      errorCode: resultCode === RESULT.CallDisconnectNotify.generalError ? GENERAL_ERROR.pacError : GENERAL_ERROR.none,
      causeCode: 0,
      callStatistics: `rx ${rxPackets} packets ${rxBytes} bytes, tx ${txPackets} packets ${txBytes} bytes`,
    });
  }
}
