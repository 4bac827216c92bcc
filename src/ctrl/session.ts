/**
 * One client's session from handoff to the last byte: its control connection, at most one call, its socket and record
 * in the run directory, its log. It stands alone: no manager is needed from `adopted` on.
 */
import { hostname } from 'node:os';
import type { Socket } from 'node:net';
import { RECEIVE_WINDOW } from '../gre/relay.js';
import { type Login, recordLogin, recordLogout } from '../host/login-records.js';
import { interfaceOfPppd } from '../host/ppp-interface.js';
import { identify, type ProcessIdentity } from '../host/process.js';
import { version, versionNumber } from '../host/version.js';
import type { LogLevel } from '../log/level.js';
import type { ProcessLog } from '../log/logger.js';
import type { PppEvent, PppState } from '../ppp/reader.js';
import { findBadValue, GENERAL_ERROR, type MessageOf, RESULT } from '../pptp/index.js';
import { CLOSE_REASONS, type CloseReason } from '../session/close-reason.js';
import type { Handoff } from '../session/handoff.js';
import { sessionSocketPath } from '../session/paths.js';
import { removeSessionFiles, writeRecord } from '../session/record-writer.js';
import { SessionServer } from '../session/server.js';
import type { SessionPhase, SessionState } from '../session/state.js';
import { Account } from './account.js';
import { Call, CallFailed } from './call.js';
import { ControlConnection } from './control-connection.js';
import { describeBlackHole, explain, type Explanation } from './explain.js';
import { Limits } from './limits.js';
import { PeerLog } from './peer-log.js';
import { Timers } from './timers.js';

/** Connect speed told to the client, bits a second: the most that the field's readers show sensibly (RFC 2637 §2.8). */
const CONNECT_SPEED = 100_000_000;

/** Outgoing-Call-Reply results (RFC 2637 §2.8) with the general error codes of §2.16. */
const REFUSALS = {
  badValue: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.badValue },
  busy: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.noResource },
  pppdFailed: { resultCode: RESULT.OutgoingCallReply.generalError, errorCode: GENERAL_ERROR.pacError },
} as const;

export class Session {
  readonly #handoff: Handoff;
  readonly #processLog: ProcessLog;
  readonly #timers = new Timers();
  readonly #peerLog: PeerLog;
  readonly #control: ControlConnection;
  readonly #server: SessionServer;
  readonly #worker: ProcessIdentity;
  readonly #since = Date.now();
  /** The same on the clock that nobody sets, ms of this process: what durations are told by. */
  readonly #begun = performance.now();
  /** null without `accounting`. */
  readonly #account: Account | null;
  readonly #limits: Limits;
  #call: Call | null = null;
  /** The client has been told of the call's end. */
  #disconnectSent = false;
  /** The request that the call's start will answer. */
  #unanswered: MessageOf<'OutgoingCallRequest'> | null = null;
  /** Written to utmp and wtmp at login, with `pppd.logwtmp`. */
  #login: Login | null = null;
  #phase: SessionPhase = 'connected';
  #closing: Promise<void> | undefined;
  #ending: SessionState['ending'] = null;
  /** Of the call that was cleared last, until another one begins. */
  #explanation: Explanation | null = null;
  #warning: SessionState['warning'] = null;
  /** Called once, when everything of the session is gone. */
  onOver: () => void = () => undefined;

  constructor(handoff: Handoff, socket: Socket, processLog: ProcessLog) {
    this.#handoff = handoff;
    this.#processLog = processLog;
    const worker = identify(process.pid);
    if (worker === null) throw new Error('/proc is not mounted: the worker cannot identify itself');
    this.#worker = worker;
    this.#peerLog = new PeerLog(processLog.log, this.#timers);
    this.#control = new ControlConnection({
      socket,
      timeouts: handoff.configuration.timeouts,
      timers: this.#timers,
      log: this.#peerLog,
      hostName: hostname(),
      firmwareRevision: versionNumber,
      handlers: {
        outgoingCallRequest: (request) => this.#recvOutgoingCallRequest(request),
        callClearRequest: (request) => this.#recvCallClearRequest(request),
        setLinkInfo: (info) => this.#recvSetLinkInfo(info),
        ended: (reason, detail) => void this.close(reason, detail),
      },
    });
    this.#server = new SessionServer(handoff.session, version, {
      state: () => this.state(),
      disconnect: ({ reason, detail }) => this.#disconnect(reason, detail),
      reopenLog: () => processLog.reopen(),
      logLevel: ({ level }) => this.#setLogLevel(level),
    });
    this.#server.captures.onDemand = (tap) => {
      this.#control.setTap(tap);
      this.#call?.setTap(tap);
    };
    this.#limits = new Limits({
      policy: handoff.configuration.policy,
      timers: this.#timers,
      now: () => performance.now(),
      dataFrames: () => this.#call?.dataFrames ?? 0,
      end: (reason, detail) => void this.close(reason, detail),
    });
    const { accounting, runDirectory } = handoff.configuration;
    this.#account =
      accounting === undefined
        ? null
        : new Account({
            accounting,
            runDirectory,
            state: () => this.state(),
            ppp: () => this.#call?.ppp ?? null,
            timers: this.#timers,
            log: processLog.log,
          });
  }

  /** Makes the session known in the run directory. Rejects with what the system says. */
  async register(): Promise<void> {
    this.#writeRecord(null);
    await this.#server.listen(sessionSocketPath(this.#runDirectory, this.#handoff.session));
  }

  /** Starts to speak with the client, from the bytes that the manager has read. */
  start(): void {
    this.#account?.open();
    this.#awaitCall();
    this.#control.recvBytes(Buffer.from(this.#handoff.firstBytes, 'base64'));
  }

  state(): SessionState {
    const { session, peer, localAddress, lease } = this.#handoff;
    const ppp = this.#call?.ppp ?? null;
    return {
      session,
      version,
      since: this.#since,
      phase: this.#phase,
      ending: this.#ending,
      warning: this.#warning,
      peer,
      localAddress,
      callId: lease.callId,
      peerCallId: this.#call?.peerCallId ?? null,
      // With `addresses.delegate` it is pppd who knows the addresses.
      tunnel: {
        local: lease.local ?? ppp?.addresses?.local ?? null,
        remote: lease.remote ?? ppp?.addresses?.remote ?? null,
      },
      user: ppp?.user ?? null,
      pid: process.pid,
      pppdPid: this.#call?.pppdPid ?? null,
      log: { level: this.#processLog.log.level, file: this.#processLog.file },
      ppp: ppp === null ? null : { ...ppp },
      counters: this.#call === null ? null : { ...this.#call.counters() },
    };
  }

  /** Ends call, control connection and session in order; idempotent, the first reason stands. */
  async close(reason: CloseReason, detail?: string): Promise<void> {
    if (this.#ending === null) {
      const { cause = null, text = null } = this.#explanation ?? this.#explain(reason, detail ?? null) ?? {};
      this.#ending = { reason, detail: detail ?? null, cause, text };
    }
    this.#closing ??= this.#end(reason, detail);
    return this.#closing;
  }

  get #runDirectory(): string {
    return this.#handoff.configuration.runDirectory;
  }

  async #end(reason: CloseReason, detail: string | undefined): Promise<void> {
    const { log } = this.#processLog;
    this.#timers.stop('establish');
    const ppp = this.#call?.ppp;
    const user = ppp?.user ?? undefined;
    const counters = this.#call?.counters();
    this.#setPhase('ending');
    if (this.#unanswered === null) this.#sendCallDisconnectNotify(reason);
    else if (reason === 'pppdFailed') this.#refuseCall(this.#unanswered, 'pppdFailed');
    await Promise.all([this.#control.close(reason), this.#call?.close(CLOSE_REASONS[reason])]);
    this.#peerLog.close();
    this.#timers.stopAll();
    this.#recordLogout();
    if (this.#explanation === null && this.#ending !== null) this.#logFailure(this.#ending, ppp);
    log.info(
      { reason, detail, user, seconds: Math.round((performance.now() - this.#begun) / 1000), counters },
      `session ended: ${CLOSE_REASONS[reason].text}${detail === undefined ? '' : ` (${detail})`}`,
    );
    await this.#account?.close();
    removeSessionFiles(this.#runDirectory, this.#handoff.session);
    this.#server.close();
    this.onOver();
  }

  #explain(reason: CloseReason, detail: string | null): Explanation | null {
    const { peer, localAddress, configuration } = this.#handoff;
    return explain({
      reason,
      detail,
      peer: peer.address,
      local: localAddress,
      seconds: (performance.now() - this.#begun) / 1000,
      ppp: this.#call?.ppp ?? null,
      configuration,
    });
  }

  /** The one final word on what went wrong. */
  #logFailure({ cause, text }: { readonly cause: string | null; readonly text: string | null }, ppp?: PppState): void {
    if (cause === null || text === null) return;
    const was = ppp?.times.up ? 'session' : 'login';
    this.#processLog.log.warn(
      { cause, user: ppp?.user ?? undefined, failure: ppp?.failure ?? undefined },
      `${was} failed: ${text}`,
    );
  }

  #warnOfBlackHole(arrives: number, missing: number): void {
    const { peer, localAddress } = this.#handoff;
    const text = describeBlackHole(localAddress, peer.address, arrives, missing);
    this.#warning = { cause: 'mtuBlackHole', text };
    this.#processLog.log.warn({ cause: 'mtuBlackHole', arrives, missing }, text);
    this.#tell();
  }

  #recvOutgoingCallRequest(request: MessageOf<'OutgoingCallRequest'>): void {
    const { log } = this.#processLog;
    if (this.#call !== null || this.#closing !== undefined) {
      this.#peerLog.write('warn', {}, () => 'a second call on the same control connection is refused');
      this.#refuseCall(request, 'busy');
      return;
    }
    const badValue = findBadValue(request);
    if (badValue !== null) {
      this.#peerLog.write('warn', { badValue }, () => `a call request is refused: ${badValue.detail}`);
      this.#refuseCall(request, 'badValue');
      return;
    }
    const { configuration, lease, peer, localAddress } = this.#handoff;
    const { establish } = configuration.timeouts;
    this.#timers.start('establish', establish, () => {
      void this.close('pppdFailed', `it sent no PPP frame within ${establish} s`);
    });
    try {
      this.#call = new Call({
        configuration,
        lease,
        peerAddress: peer.address,
        localAddress,
        request,
        timers: this.#timers,
        log,
        handlers: {
          started: () => this.#acceptCall(request),
          ppp: (event) => this.#recvPppEvent(event),
          blackHole: (arrives, missing) => this.#warnOfBlackHole(arrives, missing),
          ended: (reason, detail) => void this.close(reason, detail),
        },
      });
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      this.#refuseCall(request, 'pppdFailed');
      void this.close(error.reason, error.message);
      return;
    }
    this.#call.setTap(this.#server.captures.tap);
    this.#unanswered = request;
    this.#explanation = null;
    this.#warning = null;
    this.#recordPppd(identify(this.#call.pppdPid));
    const hex = (callId: number): string => callId.toString(16).toUpperCase().padStart(4, '0');
    // The title that scripts around pptpd look for.
    process.title = `pptpd [${peer.address}:${hex(request.callId)} - ${hex(lease.callId)}]`;
    this.#setPhase('starting');
  }

  #acceptCall(request: MessageOf<'OutgoingCallRequest'>): void {
    if (this.#closing !== undefined) return;
    this.#timers.stop('establish');
    this.#unanswered = null;
    this.#control.send({
      type: 'OutgoingCallReply',
      callId: this.#handoff.lease.callId,
      peerCallId: request.callId,
      resultCode: RESULT.OutgoingCallReply.connected,
      errorCode: GENERAL_ERROR.none,
      causeCode: 0,
      connectSpeed: CONNECT_SPEED,
      receiveWindowSize: RECEIVE_WINDOW,
      packetProcessingDelay: 0,
      physicalChannelId: 0,
    });
    this.#setPhase('negotiating');
  }

  #refuseCall(request: MessageOf<'OutgoingCallRequest'>, refusal: keyof typeof REFUSALS): void {
    if (request === this.#unanswered) this.#unanswered = null;
    this.#control.send({
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

  /** Of a call that is not this client's, nothing is known here, and nothing done to it. */
  #recvCallClearRequest({ callId }: MessageOf<'CallClearRequest'>): void {
    // The client's own id is what RFC 2637 §2.12 wants; ours means the same call.
    if (callId === this.#call?.peerCallId || callId === this.#handoff.lease.callId) void this.#clearCall();
    else
      this.#peerLog.write(
        'warn',
        { callId },
        () => `a request to clear call ${callId}, which is none of this client's`,
      );
  }

  #recvSetLinkInfo({ peerCallId, sendAccm }: MessageOf<'SetLinkInfo'>): void {
    if (peerCallId === this.#handoff.lease.callId) this.#call?.setSendAccm(sendAccm);
  }

  /** The client hangs up; the control connection stays, and may call again (RFC 2637 §2.12). */
  async #clearCall(): Promise<void> {
    const call = this.#call;
    if (call === null) return;
    const { ppp } = call;
    const explanation = this.#explain('clientCleared', null);
    await call.close(CLOSE_REASONS.clientCleared);
    if (this.#closing !== undefined || this.#call !== call) return;
    // Told when pppd is gone and not before: whoever has heard it may call again at once.
    this.#sendCallDisconnectNotify('clientCleared');
    this.#unanswered = null;
    this.#processLog.log.info({ counters: call.counters() }, `call ended: ${CLOSE_REASONS.clientCleared.text}`);
    if (explanation !== null) this.#logFailure(explanation, ppp);
    this.#explanation = explanation;
    this.#account?.callEnded();
    this.#limits.callEnded();
    this.#call = null;
    this.#disconnectSent = false;
    this.#recordLogout();
    this.#recordPppd(null);
    this.#setPhase('connected');
    this.#awaitCall();
  }

  #disconnect(reason: CloseReason, detail: string | undefined): void {
    if (reason === 'madeRoom' && this.#call !== null) throw new Error('it has a call');
    void this.close(reason, detail);
  }

  #awaitCall(): void {
    const { establish } = this.#handoff.configuration.timeouts;
    this.#timers.start('establish', establish, () => void this.close('noCall', `none within ${establish} s`));
  }

  #sendCallDisconnectNotify(reason: CloseReason): void {
    if (this.#call === null || this.#disconnectSent) return;
    this.#disconnectSent = true;
    const { rxPackets, rxBytes, txPackets, txBytes } = this.#call.counters();
    const resultCode = CLOSE_REASONS[reason].disconnect;
    this.#control.send({
      type: 'CallDisconnectNotify',
      callId: this.#handoff.lease.callId,
      resultCode,
      errorCode: resultCode === RESULT.CallDisconnectNotify.generalError ? GENERAL_ERROR.pacError : GENERAL_ERROR.none,
      causeCode: 0,
      callStatistics: `rx ${rxPackets} packets ${rxBytes} bytes, tx ${txPackets} packets ${txBytes} bytes`,
    });
  }

  #recvPppEvent(event: PppEvent): void {
    this.#processLog.log.info({ ppp: event }, `PPP: ${event.type}`);
    if (event.type === 'up') {
      this.#recordLogin();
      this.#setPhase('up');
      this.#limits.up();
    } else {
      this.#tell();
    }
  }

  #recordLogin(): void {
    if (!this.#handoff.configuration.pppd.logwtmp || this.#call === null || this.#login !== null) return;
    const pid = this.#call.pppdPid;
    const line = interfaceOfPppd(pid);
    if (line === null) {
      this.#processLog.log.warn(
        { pppd: pid },
        'no login record: pppd has no /run/pppN.pid, so that its interface is not known',
      );
      return;
    }
    this.#login = { line, user: this.#call.ppp.user ?? '', host: this.#handoff.peer.address, pid };
    recordLogin(this.#login, Date.now());
  }

  #recordLogout(): void {
    if (this.#login !== null) recordLogout(this.#login, Date.now());
    this.#login = null;
  }

  #setPhase(phase: SessionPhase): void {
    this.#phase = phase;
    this.#tell();
  }

  /** To all who have subscribed, and to the account: the state is another one. */
  #tell(): void {
    this.#server.publish(this.state());
    this.#account?.update();
  }

  #setLogLevel(level: LogLevel | null): { level: LogLevel } {
    const { log } = this.#processLog;
    const next = level ?? this.#handoff.configuration.log.level;
    log.info({ from: log.level, to: next }, 'the level of this log changes');
    log.level = next;
    this.#tell();
    return { level: next };
  }

  /** On a full disk the session goes on with the record that it has. */
  #recordPppd(pppd: ProcessIdentity | null): void {
    try {
      this.#writeRecord(pppd);
    } catch (error) {
      this.#processLog.log.error(
        { err: error },
        "pppd could not be noted in the session's record; the session goes on",
      );
    }
  }

  #writeRecord(pppd: ProcessIdentity | null): void {
    const { session, lease } = this.#handoff;
    writeRecord(this.#runDirectory, { session, lease, worker: this.#worker, pppd });
  }
}
