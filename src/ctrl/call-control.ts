/**
 * The call of a control connection: the client's requests about it, and the reply, refusal or notice that each of them
 * gets (RFC 2637 §2.7 to §2.15). There is one call at a time; one that was cleared may be followed by another.
 */
import { RECEIVE_WINDOW } from '../gre/relay.js';
import type { ProcessIdentity } from '../host/process.js';
import type { Link, LinkEvent, Standby } from '../link/link.js';
import {
  type ControlMessage,
  findBadValue,
  GENERAL_ERROR,
  type MessageOf,
  RESULT,
  toleratedValues,
} from '../pptp/index.js';
import type { FrameTap } from '../gre/relay.js';
import { CLOSE_REASONS, type CloseReason } from '../session/close-reason.js';
import type { Handoff } from '../session/handoff.js';
import type { PeerLog } from './peer-log.js';
import { linkEnded, type SessionEnd } from './session-end.js';
import type { Timers } from './timers.js';

/** Connect speed told to the client, bits a second: the most that the field's readers show sensibly (RFC 2637 §2.8). */
const CONNECT_SPEED = 100_000_000;

/** Outgoing-Call-Reply results (RFC 2637 §2.8) with the general error codes of §2.16. */
const REFUSALS = {
  badValue: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.badValue },
  busy: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.noResource },
  failed: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.pacError },
} as const;

type CallRequest = MessageOf<'OutgoingCallRequest'>;

export interface Call {
  readonly request: CallRequest;
  readonly link: Link;
}

type State =
  /** For a call request. */
  | { readonly kind: 'waiting' }
  /** The request is unanswered: PPP is not at work yet. */
  | { readonly kind: 'starting'; readonly call: Call }
  | { readonly kind: 'connected'; readonly call: Call }
  /** The client has asked for the end of its call, and has not been told of it yet. */
  | { readonly kind: 'clearing'; readonly call: Call }
  /** The session ends: no call follows. `call`: the last one. */
  | { readonly kind: 'ended'; readonly call: Call | null };

export type CallEvent =
  /** A call has begun; the client has no answer yet. */
  | { readonly type: 'begun'; readonly call: Call }
  /** The client was told that its call stands. */
  | { readonly type: 'accepted' }
  /** The client wants its call to end, and the control connection to stay: `clear` does it. */
  | { readonly type: 'clearRequested' }
  /** The session has to end: no call came in time, or it has failed or ended by itself. */
  | { readonly type: 'ended'; readonly end: SessionEnd }
  | Extract<LinkEvent, { readonly type: 'ppp' | 'blackHole' }>;

export interface CallControlOptions {
  /** For the first call, null where there could be none; the session's from now on. */
  readonly standby: Standby | null;
  /** For later ones, and where the first is over. Throws the sentence for the log. */
  readonly newStandby: () => Standby;
  readonly handoff: Pick<Handoff, 'configuration' | 'lease' | 'peer' | 'localAddress'>;
  readonly timers: Timers;
  readonly log: PeerLog;
  /** Sends to the client. */
  readonly send: (message: ControlMessage) => void;
  readonly onEvent: (event: CallEvent) => void;
}

export class CallControl {
  readonly #options: CallControlOptions;
  #state: State = { kind: 'waiting' };
  #standby: Standby | null;
  #tap: FrameTap | null = null;

  constructor(options: CallControlOptions) {
    this.#options = options;
    this.#standby = options.standby;
  }

  /** Null while there is none. */
  get call(): Call | null {
    return this.#state.kind === 'waiting' ? null : this.#state.call;
  }

  /** The process that must not outlive the session: the call's, or before the first call the standby's. */
  get process(): ProcessIdentity | null {
    return this.call?.link.process ?? this.#standby?.process ?? null;
  }

  /** Has the frames of this call and later ones shown to `tap`; null ends it. */
  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
    this.call?.link.setTap(tap);
  }

  /** From now on the client has `timeouts.establish` to call. */
  awaitCall(after: 'start' | 'clearedCall' = 'start'): void {
    const { timers, handoff } = this.#options;
    const seconds = handoff.configuration.timeouts.establish;
    timers.start('establish', seconds, () => this.#fail({ reason: 'noCall', seconds, after }));
  }

  recvOutgoingCallRequest(request: CallRequest): void {
    const { log } = this.#options;
    if (this.#state.kind !== 'waiting') {
      log.write('warn', {}, () => 'a second call on the same control connection is refused');
      this.#refuse(request, 'busy');
      return;
    }
    const badValue = findBadValue(request);
    if (badValue !== null) {
      log.write('warn', { badValue }, () => `a call request is refused: ${badValue.detail}`);
      this.#refuse(request, 'badValue');
      return;
    }
    for (const tolerated of toleratedValues(request)) {
      log.write('debug', { tolerated }, () => `a call request is served though it has ${tolerated.detail}`);
    }
    this.#start(request);
  }

  /** A call that is not this client's is unknown here, and nothing is done to it. */
  recvCallClearRequest({ callId }: MessageOf<'CallClearRequest'>): void {
    const { handoff, log, onEvent } = this.#options;
    // The client's own id is what RFC 2637 §2.12 wants; ours means the same call.
    if (callId === this.call?.request.callId || callId === handoff.lease.callId) onEvent({ type: 'clearRequested' });
    else log.write('warn', { callId }, () => `a request to clear call ${callId}, which is none of this client's`);
  }

  recvSetLinkInfo({ peerCallId, sendAccm }: MessageOf<'SetLinkInfo'>): void {
    if (peerCallId === this.#options.handoff.lease.callId) this.call?.link.setSendAccm(sendAccm);
  }

  /**
   * Ends the call for the client that has asked for it, which may call again (RFC 2637 §2.12). Resolves with the call when
   * it is over; with null when there was none, it was cleared already, or the session has ended meanwhile.
   */
  async clear(): Promise<Call | null> {
    const { call } = this;
    if (call === null || (this.#state.kind !== 'starting' && this.#state.kind !== 'connected')) return null;
    const clearing: State = { kind: 'clearing', call };
    this.#state = clearing;
    // Also where pppd has not begun to speak, and takes its time to end.
    this.#options.timers.stop('establish');
    await call.link.close({ peerGone: CLOSE_REASONS.clientCleared.clientGone });
    if (this.#state !== clearing) return null;
    // Told when pppd is gone and not before: a client that has heard it may call again at once.
    this.#notify(call, 'clientCleared');
    this.#state = { kind: 'waiting' };
    this.awaitCall('clearedCall');
    return call;
  }

  /** The session ends: the client is told of its call, and there is no other. Resolves when the call is over. */
  async end(reason: CloseReason): Promise<void> {
    const { kind } = this.#state;
    const { call } = this;
    this.#state = { kind: 'ended', call };
    this.#options.timers.stop('establish');
    if (call !== null && (kind === 'connected' || kind === 'clearing')) this.#notify(call, reason);
    if (call !== null && kind === 'starting' && (reason === 'pppdFailed' || reason === 'relayFailed'))
      this.#refuse(call.request, 'failed');
    await Promise.all([this.#standby?.close(), call?.link.close({ peerGone: CLOSE_REASONS[reason].clientGone })]);
  }

  #start(request: CallRequest): void {
    const { handoff, timers, newStandby, onEvent } = this.#options;
    const { configuration, lease, peer, localAddress } = handoff;
    const seconds = configuration.timeouts.establish;
    timers.start('establish', seconds, () =>
      this.#fail({ reason: 'pppdFailed', cause: { kind: 'noFirstFrame', seconds } }),
    );
    let standby: Standby;
    try {
      standby = this.#standby?.isOver === false ? this.#standby : newStandby();
    } catch (error) {
      this.#refuse(request, 'failed');
      const problem = error instanceof Error ? error.message : String(error);
      const { path } = configuration.pppd;
      this.#fail({ reason: 'pppdFailed', cause: { kind: 'notStarted', program: path, problem } });
      return;
    }
    this.#standby = null;
    const link = standby.link({
      configuration,
      tunnel: lease,
      peerAddress: peer.address,
      localAddress,
      localCallId: lease.callId,
      peerCallId: request.callId,
      peerWindow: request.receiveWindowSize,
      onEvent: (event) => this.#recvLinkEvent(call, event),
    });
    const call: Call = { request, link };
    link.setTap(this.#tap);
    this.#state = { kind: 'starting', call };
    onEvent({ type: 'begun', call });
    link.start();
  }

  #recvLinkEvent(call: Call, event: LinkEvent): void {
    // A link that was cleared has no say any more.
    if (call !== this.call) return;
    switch (event.type) {
      case 'ready':
        if (this.#state.kind === 'starting') this.#accept(call);
        break;
      case 'ended':
        this.#fail(linkEnded(event.cause, this.#state.kind !== 'starting'));
        break;
      case 'ppp':
      case 'blackHole':
        this.#options.onEvent(event);
    }
  }

  #fail(end: SessionEnd): void {
    this.#options.onEvent({ type: 'ended', end });
  }

  #accept(call: Call): void {
    const { timers, send, handoff, onEvent } = this.#options;
    timers.stop('establish');
    this.#state = { kind: 'connected', call };
    send({
      type: 'OutgoingCallReply',
      callId: handoff.lease.callId,
      peerCallId: call.request.callId,
      resultCode: RESULT.OutgoingCallReply.connected,
      errorCode: GENERAL_ERROR.none,
      causeCode: 0,
      connectSpeed: CONNECT_SPEED,
      receiveWindowSize: RECEIVE_WINDOW,
      packetProcessingDelay: 0,
      physicalChannelId: 0,
    });
    onEvent({ type: 'accepted' });
  }

  #refuse(request: CallRequest, refusal: keyof typeof REFUSALS): void {
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

  #notify({ link }: Call, reason: CloseReason): void {
    const { rxPackets = 0, rxBytes = 0, txPackets = 0, txBytes = 0 } = link.counters() ?? {};
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
