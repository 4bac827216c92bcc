/**
 * The call of a control connection: the client's requests about it, and the reply, refusal or notice for each (RFC 2637
 * §2.7 to §2.15). There is one call at a time; after it was cleared another may follow.
 */
import { RECEIVE_WINDOW } from '../gre/relay.js';
import type { ProcessIdentity } from '../host/process.js';
import type { Link, LinkClose, LinkEvent, LinkKind, Standby } from '../link/link.js';
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
import { messageOf } from '../sys/thrown.js';
import type { PeerLog } from './peer-log.js';
import { endOfLink, type SessionEnd } from './session-end.js';
import { TERMINATE_CAUSES } from './terminate-cause.js';
import type { Timers } from './timers.js';

/** Connect speed in the reply, bits per second: the highest that clients display correctly (RFC 2637 §2.8). */
const CONNECT_SPEED = 100_000_000;

/** Outgoing-Call-Reply results (RFC 2637 §2.8) with the general error codes of §2.16. */
const REFUSALS = {
  badValue: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.badValue },
  busy: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.noResource },
  failed: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.pacError },
} as const;

/** A link falls back from the kernel alone. */
const FELL_BACK = 'the kernel cannot carry this call, so it goes through a TUN device';

/** Reasons to refuse a call that is not answered yet. */
const NO_LINK: readonly CloseReason[] = ['pppdFailed', 'deviceFailed', 'relayFailed'];

const noDevice = (seconds: number): SessionEnd => ({
  reason: 'deviceFailed',
  cause: { kind: 'device', problem: `it was not open within ${seconds} s` },
});

/** A link was not ready within so many seconds. */
const NOT_READY: Readonly<Record<LinkKind, (seconds: number) => SessionEnd>> = {
  pppd: (seconds) => ({ reason: 'pppdFailed', cause: { kind: 'noFirstFrame', seconds } }),
  tun: noDevice,
  kernel: noDevice,
};

const noDataPath = (problem: string): SessionEnd => ({
  reason: 'deviceFailed',
  cause: { kind: 'device', problem: `cannot prepare its data path: ${problem}` },
});

/** Nothing could be prepared for a link. */
const NO_STANDBY: Readonly<Record<LinkKind, (problem: string, program: string) => SessionEnd>> = {
  pppd: (problem, program) => ({ reason: 'pppdFailed', cause: { kind: 'notStarted', program, problem } }),
  tun: noDataPath,
  kernel: noDataPath,
};

const closing = (reason: CloseReason): LinkClose => ({
  peerGone: CLOSE_REASONS[reason].clientGone,
  terminateCause: TERMINATE_CAUSES[reason],
});

type CallRequest = MessageOf<'OutgoingCallRequest'>;

export interface Call {
  readonly request: CallRequest;
  readonly link: Link;
}

type State =
  | { readonly kind: 'waiting' }
  /** The request is not answered yet: PPP is not running. */
  | { readonly kind: 'starting'; readonly call: Call }
  | { readonly kind: 'connected'; readonly call: Call }
  /** The client has asked for the end of its call; Call-Disconnect-Notify was not sent yet. */
  | { readonly kind: 'clearing'; readonly call: Call }
  /** The session ends: no other call is accepted. `call`: the last one. */
  | { readonly kind: 'ended'; readonly call: Call | null };

export type CallEvent =
  /** A call has begun; the request is not answered yet. */
  | { readonly type: 'begun'; readonly call: Call }
  /** The client was told that its call is connected. */
  | { readonly type: 'accepted' }
  /** The client wants to end its call and keep the control connection: `clear` is due. */
  | { readonly type: 'clearRequested' }
  /** The session has to end: no call came in time, or the call failed or ended by itself. */
  | { readonly type: 'ended'; readonly end: SessionEnd }
  | Extract<LinkEvent, { readonly type: 'ppp' | 'blackHole' }>;

export interface CallControlOptions {
  /** Of all its calls. */
  readonly linkKind: LinkKind;
  /** For the first call; null: none could be made. CallControl owns it. */
  readonly standby: Standby | null;
  /** For later calls, and if the first standby has ended. Throws an error for the log. */
  readonly newStandby: () => Standby;
  readonly handoff: Pick<Handoff, 'configuration' | 'session' | 'lease' | 'peer' | 'localAddress'>;
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

  /** null: there is no call. */
  get call(): Call | null {
    return this.#state.kind === 'waiting' ? null : this.#state.call;
  }

  /** The process that must not outlive the session: the call's, or the standby's before the first call. */
  get process(): ProcessIdentity | null {
    return this.call?.link.process ?? this.#standby?.process ?? null;
  }

  /** Passes the frames of this call and later ones to `tap`; null removes the tap. */
  setTap(tap: FrameTap | null): void {
    this.#tap = tap;
    this.call?.link.setTap(tap);
  }

  /** Ends the session if the client does not call within `timeouts.establish`. */
  awaitCall(after: 'start' | 'clearedCall' = 'start'): void {
    const { timers, handoff } = this.#options;
    const seconds = handoff.configuration.timeouts.establish;
    timers.start('establish', seconds, () => this.#fail({ reason: 'noCall', seconds, after }));
  }

  recvOutgoingCallRequest(request: CallRequest): void {
    const { log } = this.#options;
    if (this.#state.kind !== 'waiting') {
      log.write('warn', {}, () => 'call request refused: this control connection has a call');
      this.#refuse(request, 'busy');
      return;
    }
    const badValue = findBadValue(request);
    if (badValue !== null) {
      log.write('warn', { badValue }, () => `call request refused: ${badValue.detail}`);
      this.#refuse(request, 'badValue');
      return;
    }
    for (const tolerated of toleratedValues(request)) {
      log.write('debug', { tolerated }, () => `a call request is accepted although it has ${tolerated.detail}`);
    }
    this.#start(request);
  }

  /** Ignores a call id that is not this client's. */
  recvCallClearRequest({ callId }: MessageOf<'CallClearRequest'>): void {
    const { handoff, log, onEvent } = this.#options;
    // RFC 2637 §2.12 wants the client's call id; some clients send ours.
    if (callId === this.call?.request.callId || callId === handoff.lease.callId) onEvent({ type: 'clearRequested' });
    else
      log.write(
        'warn',
        { callId },
        () => `ignoring a request to clear call ${callId}, which is not a call of this client`,
      );
  }

  recvSetLinkInfo({ peerCallId, sendAccm }: MessageOf<'SetLinkInfo'>): void {
    if (peerCallId === this.#options.handoff.lease.callId) this.call?.link.setSendAccm(sendAccm);
  }

  /**
   * Ends the call on the client's request; the client may call again (RFC 2637 §2.12). Resolves when the call is over:
   * with the call, or with null if there was none, it is being cleared already, or the session has ended meanwhile.
   */
  async clear(): Promise<Call | null> {
    const { call } = this;
    if (call === null || (this.#state.kind !== 'starting' && this.#state.kind !== 'connected')) return null;
    const clearing: State = { kind: 'clearing', call };
    this.#state = clearing;
    // The establish timer may still be running: pppd may have sent no frame yet, and may take long to exit.
    this.#options.timers.stop('establish');
    await call.link.close(closing('clientCleared'));
    if (this.#state !== clearing) return null;
    // Not before pppd is gone: the client may call again as soon as it gets this message.
    this.#notify(call, 'clientCleared');
    this.#state = { kind: 'waiting' };
    this.awaitCall('clearedCall');
    return call;
  }

  /** Ends the call with the session, and tells the client. Resolves when the call is over. */
  async end(reason: CloseReason): Promise<void> {
    const { kind } = this.#state;
    const { call } = this;
    this.#state = { kind: 'ended', call };
    this.#options.timers.stop('establish');
    if (call !== null && (kind === 'connected' || kind === 'clearing')) this.#notify(call, reason);
    if (call !== null && kind === 'starting' && NO_LINK.includes(reason)) this.#refuse(call.request, 'failed');
    await Promise.all([this.#standby?.close(), call?.link.close(closing(reason))]);
  }

  #start(request: CallRequest): void {
    const { handoff, timers, linkKind, newStandby, onEvent } = this.#options;
    const { configuration, session, lease, peer, localAddress } = handoff;
    let standby: Standby;
    try {
      standby = this.#standby?.isOver === false ? this.#standby : newStandby();
    } catch (error) {
      this.#refuse(request, 'failed');
      const problem = messageOf(error);
      this.#fail(NO_STANDBY[linkKind](problem, configuration.pppd.path));
      return;
    }
    this.#standby = null;
    const link = standby.link({
      configuration,
      session,
      tunnel: lease,
      peerAddress: peer.address,
      localAddress,
      localCallId: lease.callId,
      peerCallId: request.callId,
      peerWindow: request.receiveWindowSize,
      onEvent: (event) => this.#recvLinkEvent(call, event),
    });
    const call: Call = { request, link };
    const seconds = configuration.timeouts.establish;
    timers.start('establish', seconds, () => this.#fail(NOT_READY[link.kind](seconds)));
    link.setTap(this.#tap);
    this.#state = { kind: 'starting', call };
    onEvent({ type: 'begun', call });
    link.start();
  }

  #recvLinkEvent(call: Call, event: LinkEvent): void {
    // Events of a call that was cleared are ignored.
    if (call !== this.call) return;
    switch (event.type) {
      case 'ready':
        if (this.#state.kind === 'starting') this.#accept(call);
        break;
      case 'fellBack': {
        const { from, to, because } = event;
        this.#options.log.write('warn', { from, to }, () => `${FELL_BACK}: ${because}`);
        break;
      }
      case 'ended':
        this.#fail(endOfLink(event.cause, this.#state.kind !== 'starting'));
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
