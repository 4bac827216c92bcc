/**
 * One client's session from handoff to the last byte: its parts put together, its state, and its end in order. It stands
 * alone: no manager is needed once it is registered. Control connection, call, record and accounting have files of their own.
 */
import { hostname } from 'node:os';
import { version, versionNumber } from '../host/version.js';
import type { Direction } from '../gre/relay.js';
import type { Standby } from '../link/link.js';
import type { LogLevel } from '../log/level.js';
import type { ProcessLog } from '../log/logger.js';
import type { Addresses, PppEvent } from '../ppp/reader.js';
import type { Captured } from '../session/captures.js';
import { CLOSE_REASONS } from '../session/close-reason.js';
import type { Handoff } from '../session/handoff.js';
import { sessionSocketPath } from '../session/paths.js';
import type { SessionHandlers, SessionServer } from '../session/server.js';
import type { SessionPhase, SessionState } from '../session/state.js';
import { monotonicMs } from '../sys/clock.js';
import { type Call, CallControl, type CallEvent } from './call-control.js';
import { type CallMessage, type ClientSocket, ControlConnection, type ControlEvent } from './control-connection.js';
import { describeBlackHole, describeMppeKeys, describeSharedCallId } from './explain.js';
import { FailureReport } from './failure-report.js';
import { Limits } from './limits.js';
import { LoginRecord } from './login-record.js';
import { PeerLog } from './peer-log.js';
import type { CallRecord, RecordFile } from './record-file.js';
import { SessionAccounting } from './session-accounting.js';
import { describeDetail, type SessionEnd } from './session-end.js';
import { StatePublisher } from './state-publisher.js';
import { Timers } from './timers.js';

const CAPTURED_PPP = { fromClient: 'pppFromClient', toClient: 'pppToClient' } as const satisfies Record<
  Direction,
  Captured
>;

/** Why it ends, for the state; null while it lives. */
type Ending = SessionState['ending'];

export interface SessionOptions {
  readonly handoff: Handoff;
  readonly socket: ClientSocket;
  /** For the first call, null where there could be none; the session's from now on. */
  readonly standby: Standby | null;
  /** For later calls. Throws the sentence for the log. */
  readonly newStandby: () => Standby;
  readonly processLog: ProcessLog;
  /** The session's entry in the run directory. */
  readonly record: Pick<RecordFile, 'write' | 'update' | 'remove'>;
  /** Makes the session's socket, which does what it is asked by `handlers`; `register` has it listen. */
  readonly newServer: (handlers: SessionHandlers) => SessionServer;
  /** Is told each state that is published, the last one included. */
  readonly onState: (state: SessionState) => void;
  /** Is called once, when nothing of the session is left. */
  readonly onOver: () => void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #handoff: Handoff;
  readonly #processLog: ProcessLog;
  readonly #timers = new Timers();
  readonly #peerLog: PeerLog;
  readonly #record: SessionOptions['record'];
  readonly #control: ControlConnection;
  readonly #callControl: CallControl;
  readonly #failures: FailureReport;
  readonly #publisher: StatePublisher;
  readonly #server: SessionServer;
  readonly #since = Date.now();
  /** The same on the clock that nobody sets: what durations are measured by. */
  readonly #startedAt = monotonicMs();
  /** null without `accounting`. */
  readonly #accounting: SessionAccounting | null;
  readonly #limits: Limits;
  /** null without `pppd.logwtmp`. */
  readonly #loginRecord: LoginRecord | null;
  #phase: SessionPhase = 'connected';
  #ending: Ending = null;
  #closing: Promise<void> | undefined;
  #warning: SessionState['warning'] = null;
  /** The call whose client is asked for a sign of life, because of session `by`. */
  #probed: { readonly call: Call; readonly by: string } | null = null;
  /** What the call's PPP has agreed last; the lease's while it has agreed nothing. */
  #tunnel: SessionState['tunnel'];

  constructor(options: SessionOptions) {
    const { handoff, socket, standby, newStandby, processLog, record, newServer } = options;
    const { configuration, peer } = handoff;
    const timers = this.#timers;
    this.#options = options;
    this.#handoff = handoff;
    this.#tunnel = handoff.lease;
    this.#processLog = processLog;
    this.#peerLog = new PeerLog(processLog.log, timers);
    this.#record = record;
    this.#failures = new FailureReport({ handoff, log: this.#peerLog, startedAt: this.#startedAt });
    this.#control = new ControlConnection({
      socket,
      timeouts: configuration.timeouts,
      timers,
      log: this.#peerLog,
      hostName: hostname(),
      firmwareRevision: versionNumber,
      onEvent: (event) => this.#recvControlEvent(event),
    });
    this.#callControl = new CallControl({
      standby,
      newStandby,
      handoff,
      timers,
      log: this.#peerLog,
      send: (message) => this.#control.send(message),
      onEvent: (event) => this.#recvCallEvent(event),
    });
    this.#server = newServer({
      state: () => this.state(),
      disconnect: ({ reason, detail }) => this.#disconnect({ reason, words: detail }),
      probe: ({ by }) => this.#probe(by),
      reopenLog: () => processLog.reopen(),
      logLevel: ({ level }) => this.#setLogLevel(level),
    });
    this.#server.captures.onDemand = (tap) => {
      this.#control.setTap(tap);
      this.#callControl.setTap(tap === null ? null : (direction, frame) => tap(CAPTURED_PPP[direction], frame));
    };
    this.#publisher = new StatePublisher({
      timers,
      publish: () => this.#publish(),
      ppp: () => this.#call?.link.ppp ?? null,
    });
    this.#limits = new Limits({
      policy: configuration.policy,
      timers,
      now: monotonicMs,
      dataFrames: () => dataFrames(this.#call),
      end: (reason, seconds) => void this.close({ reason, seconds }),
    });
    const { accounting, pppd, runDirectory } = configuration;
    this.#loginRecord = pppd.logwtmp ? new LoginRecord(peer.address, processLog.log) : null;
    this.#accounting =
      accounting === undefined
        ? null
        : new SessionAccounting({
            accounting,
            runDirectory,
            state: () => this.state(),
            ppp: () => this.#call?.link.ppp ?? null,
            timers,
            log: processLog.log,
          });
  }

  /** Makes the session known in the run directory. Rejects with what the system says. */
  async register(): Promise<void> {
    this.#record.write(this.#callRecord());
    await this.#server.listen(sessionSocketPath(this.#handoff.configuration.runDirectory, this.#handoff.session));
  }

  /** Starts to speak with the client, from the bytes that the manager has read. */
  start(): void {
    this.#accounting?.open();
    this.#callControl.awaitCall();
    this.#control.recvBytes(Buffer.from(this.#handoff.firstBytes, 'base64'));
    this.#publisher.step();
  }

  state(): SessionState {
    const { session, peer, localAddress, lease } = this.#handoff;
    const call = this.#call;
    const ppp = call?.link.ppp ?? null;
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
      peerCallId: call?.request.callId ?? null,
      tunnel: { local: this.#tunnel.local, remote: this.#tunnel.remote },
      user: ppp?.user ?? null,
      pid: process.pid,
      pppdPid: call?.link.process?.pid ?? null,
      log: { level: this.#processLog.log.level, file: this.#processLog.file },
      ppp: ppp === null ? null : { ...ppp },
      counters: call?.link.counters() ?? null,
    };
  }

  /** Ends call, control connection and session in order; idempotent, the first reason stands. */
  async close(end: SessionEnd): Promise<void> {
    this.#closing ??= this.#end(end);
    return this.#closing;
  }

  get #call(): Call | null {
    return this.#callControl.call;
  }

  async #end(end: SessionEnd): Promise<void> {
    const { log } = this.#processLog;
    const { reason } = end;
    const detail = describeDetail(end);
    const ppp = this.#call?.link.ppp ?? null;
    const explanation = this.#failures.explain(end, this.#call?.link ?? null);
    const counters = this.#call?.link.counters();
    this.#ending = { reason, detail, cause: explanation?.cause ?? null, text: explanation?.text ?? null };
    this.#setPhase('ending');
    // What the client is told of its call goes before the stop.
    await Promise.all([this.#callControl.end(reason), this.#control.close(reason)]);
    this.#loginRecord?.callEnded();
    this.#peerLog.close();
    this.#failures.logOnce(ppp);
    this.#timers.stopAll();
    log.info(
      {
        reason,
        detail: detail ?? undefined,
        user: ppp?.user ?? undefined,
        seconds: Math.round((monotonicMs() - this.#startedAt) / 1000),
        counters,
      },
      `session ended: ${CLOSE_REASONS[reason].text}${detail === null ? '' : ` (${detail})`}`,
    );
    await this.#accounting?.close();
    this.#record.remove();
    this.#server.close();
    this.#options.onOver();
  }

  #recvControlEvent(event: ControlEvent): void {
    switch (event.type) {
      case 'call':
        this.#recvCallMessage(event.message);
        break;
      case 'silent':
        this.#failures.clientAsked(this.#call?.link ?? null);
        break;
      case 'signOfLife':
        this.#recvSignOfLife();
        break;
      case 'ended':
        void this.close(event.end);
    }
  }

  #recvCallMessage(message: CallMessage): void {
    switch (message.type) {
      case 'OutgoingCallRequest':
        this.#callControl.recvOutgoingCallRequest(message);
        break;
      case 'CallClearRequest':
        this.#callControl.recvCallClearRequest(message);
        break;
      case 'SetLinkInfo':
        this.#callControl.recvSetLinkInfo(message);
    }
  }

  #recvCallEvent(event: CallEvent): void {
    switch (event.type) {
      case 'begun':
        this.#callBegun(event.call);
        break;
      case 'accepted':
        this.#step('negotiating');
        break;
      case 'clearRequested':
        void this.#clearCall();
        break;
      case 'ppp':
        this.#recvPppEvent(event.event);
        break;
      case 'blackHole':
        this.#recvBlackHole(event.arrives, event.missing);
        break;
      case 'ended':
        void this.close(event.end);
    }
  }

  #callBegun({ request }: Call): void {
    const { peer, lease } = this.#handoff;
    this.#failures.callBegun();
    this.#warning = null;
    this.#record.update(this.#callRecord());
    const hex = (callId: number): string => callId.toString(16).toUpperCase().padStart(4, '0');
    // The title that scripts around pptpd look for.
    process.title = `pptpd [${peer.address}:${hex(request.callId)} - ${hex(lease.callId)}]`;
    this.#step('starting');
  }

  async #clearCall(): Promise<void> {
    this.#publisher.flush();
    this.#failures.explain({ reason: 'clientCleared' }, this.#call?.link ?? null);
    this.#limits.callEnded();
    const call = await this.#callControl.clear();
    if (call === null) return;
    const counters = call.link.counters();
    this.#peerLog.write('info', { counters }, () => `call ended: ${CLOSE_REASONS.clientCleared.text}`);
    this.#failures.logOnce(call.link.ppp);
    this.#accounting?.callEnded(counters);
    this.#loginRecord?.callEnded();
    this.#tunnel = this.#handoff.lease;
    this.#record.update(this.#callRecord());
    this.#setPhase('connected');
  }

  #disconnect(end: Extract<SessionEnd, { readonly words?: string | undefined }>): void {
    if (end.reason === 'madeRoom' && this.#call !== null) throw new Error('it has a call');
    void this.close(end);
  }

  /**
   * Session `by` has the client address and the call id of this one. Until the client shows that it is there, what pppd sends
   * would reach the other session: it waits.
   */
  #probe(by: string): void {
    const call = this.#call;
    if (call === null || this.#ending !== null) return;
    // A client that calls again and again from there does not stop this session each time.
    if (this.#warning?.cause !== 'callIdShared') call.link.holdBack(true);
    this.#probed = { call, by };
    this.#control.askForSignOfLife();
  }

  #recvSignOfLife(): void {
    const probed = this.#probed;
    this.#probed = null;
    if (probed === null) return;
    const { call, by } = probed;
    call.link.holdBack(false);
    if (this.#call !== call) return;
    const { peer, localAddress } = this.#handoff;
    const { callId } = call.request;
    const text = describeSharedCallId(localAddress, peer.address, callId, by);
    this.#warn('callIdShared', { peerCallId: callId, other: by }, text);
  }

  #recvPppEvent(event: PppEvent): void {
    this.#peerLog.write('info', { ppp: event }, () => `PPP: ${event.type}`);
    // pppd may still finish a login while it is told to end, which does not count.
    if (this.#ending !== null) return;
    if (event.type === 'up') {
      if (this.#call !== null) this.#loginRecord?.up(this.#call.link);
      this.#limits.up();
      if (event.addresses !== null) this.#agreed(event.addresses);
    }
    if (event.type === 'mppeKeysDiffer') {
      const text = describeMppeKeys(this.#handoff.peer.address, event.by);
      this.#warn('mppeKeysDiffer', { by: event.by }, text);
    }
    if (event.type === 'up' && this.#phase !== 'up') this.#setPhase('up');
    else this.#publisher.step();
    if (event.type === 'up') this.#record.update(this.#callRecord());
  }

  /** pppd may know better than the lease: chap-secrets and RADIUS give users addresses of their own. */
  #agreed({ local, remote }: Addresses): void {
    const { lease } = this.#handoff;
    this.#tunnel = { local: local ?? lease.local, remote: remote ?? lease.remote };
  }

  #callRecord(): CallRecord {
    const { remote } = this.#tunnel;
    const pppd = this.#callControl.process;
    return remote === null || remote === this.#handoff.lease.remote ? { pppd } : { pppd, agreedRemote: remote };
  }

  #recvBlackHole(arrives: number, missing: number): void {
    const { peer, localAddress } = this.#handoff;
    this.#warn('mtuBlackHole', { arrives, missing }, describeBlackHole(localAddress, peer.address, arrives, missing));
  }

  /** Of a session that lives on; a client can have the same come again. */
  #warn(cause: string, fields: object, text: string): void {
    if (this.#warning?.cause === cause) return;
    this.#warning = { cause, text };
    this.#processLog.log.warn({ cause, ...fields }, text);
    this.#publisher.now();
  }

  #setPhase(phase: SessionPhase): void {
    this.#phase = phase;
    this.#publisher.now();
  }

  /** To a phase that the next one may follow at once. */
  #step(phase: SessionPhase): void {
    this.#phase = phase;
    this.#publisher.step();
  }

  #publish(): void {
    const state = this.state();
    this.#server.publish(state);
    this.#options.onState(state);
    this.#accounting?.update();
  }

  #setLogLevel(level: LogLevel | null): { level: LogLevel } {
    const { log } = this.#processLog;
    const next = level ?? this.#handoff.configuration.log.level;
    log.info({ from: log.level, to: next }, 'the level of this log changes');
    log.level = next;
    this.#publisher.now();
    return { level: next };
  }
}

/** How many frames have come from the client that carry network packets, encrypted or not. */
const dataFrames = (call: Call | null): number =>
  call === null ? 0 : (call.link.counters()?.rxPackets ?? 0) - call.link.ppp.frames.fromClient;
