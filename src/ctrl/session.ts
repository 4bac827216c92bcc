/**
 * One client's session, from the handoff until nothing of it is left: it connects the parts and ends them in order. Once
 * registered it needs no manager.
 */
import { hostname } from 'node:os';
import { versionNumber } from '../host/version.js';
import type { Direction } from '../gre/relay.js';
import type { LinkKind, Standby } from '../link/link.js';
import type { LogLevel } from '../log/level.js';
import type { ProcessLog } from '../log/logger.js';
import type { Addresses, PppEvent } from '../ppp/reader.js';
import type { Captured } from '../session/captures.js';
import { CLOSE_REASONS } from '../session/close-reason.js';
import type { Handoff } from '../session/handoff.js';
import { sessionSocketPath } from '../session/paths.js';
import type { SessionHandlers, SessionServer } from '../session/server.js';
import type { SessionState } from '../session/state.js';
import { monotonicMs } from '../sys/clock.js';
import { CalledAgainProbe } from './called-again-probe.js';
import { type Call, CallControl, type CallEvent } from './call-control.js';
import { type CallMessage, type ClientSocket, ControlConnection, type ControlEvent } from './control-connection.js';
import { FailureReport } from './failure-report.js';
import { type ChangedTimes, Limits } from './limits.js';
import { LoginRecord } from './login-record.js';
import { PeerLog } from './peer-log.js';
import type { CallRecord, RecordFile } from './record-file.js';
import { SessionAccounting } from './session-accounting.js';
import { describeDetail, type SessionEnd } from './session-end.js';
import { type CallStep, SessionStatus } from './session-status.js';
import { SessionWarning } from './session-warning.js';
import { StatePublisher } from './state-publisher.js';
import { Timers } from './timers.js';

const CAPTURED_PPP = { fromClient: 'pppFromClient', toClient: 'pppToClient' } as const satisfies Record<
  Direction,
  Captured
>;

export interface SessionOptions {
  readonly handoff: Handoff;
  readonly socket: ClientSocket;
  /** Of all calls of this worker. */
  readonly linkKind: LinkKind;
  /** For the first call; null: none could be made. The session owns it. */
  readonly standby: Standby | null;
  /** For later calls. Throws an error for the log. */
  readonly newStandby: () => Standby;
  readonly processLog: ProcessLog;
  /** The session's entry in the run directory. */
  readonly record: Pick<RecordFile, 'write' | 'update' | 'remove'>;
  /** Makes the session's socket, whose requests `handlers` answer; `register` makes it listen. */
  readonly newServer: (handlers: SessionHandlers) => SessionServer;
  /** Receives each state that is published, the last one included. */
  readonly onState: (state: SessionState) => void;
  /** Called once, when nothing of the session is left. */
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
  /** On the monotonic clock, ms. */
  readonly #startedAt = monotonicMs();
  /** null without `accounting`. */
  readonly #accounting: SessionAccounting | null;
  readonly #limits: Limits;
  /** null without `pppd.logwtmp`. */
  readonly #loginRecord: LoginRecord | null;
  readonly #warning: SessionWarning;
  readonly #probe: CalledAgainProbe;
  readonly #status: SessionStatus;
  /** Resolves when nothing of the session is left. */
  readonly #over: Promise<void>;
  #resolveOver: () => void = () => undefined;

  constructor(options: SessionOptions) {
    const { handoff, socket, linkKind, standby, newStandby, processLog, record, newServer } = options;
    const { configuration, peer } = handoff;
    const timers = this.#timers;
    this.#options = options;
    this.#over = new Promise((resolve) => (this.#resolveOver = resolve));
    this.#handoff = handoff;
    this.#processLog = processLog;
    this.#peerLog = new PeerLog(processLog.log, timers);
    this.#record = record;
    this.#failures = new FailureReport({ handoff, linkKind, log: this.#peerLog, startedAt: this.#startedAt });
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
      linkKind,
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
      probe: ({ by }) => this.#probeClient(by),
      reopenLog: () => processLog.reopen(),
      logLevel: ({ level }) => this.#setLogLevel(level),
      limits: (changed) => this.#changeLimits(changed),
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
    this.#warning = new SessionWarning({
      handoff,
      log: processLog.log,
      linkKind,
      publish: () => this.#publisher.now(),
    });
    this.#status = new SessionStatus({
      handoff,
      processLog,
      call: () => this.#call,
      warning: () => this.#warning.last,
      limits: () => this.#limits.account,
    });
    this.#probe = new CalledAgainProbe({ control: this.#control, warning: this.#warning });
    this.#limits = new Limits({
      policy: configuration.policy,
      account: () => this.#call?.link.limits ?? null,
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

  /** Writes the record and listens on the session's socket. Rejects with the system's error. */
  async register(): Promise<void> {
    this.#record.write(this.#callRecord());
    await this.#server.listen(sessionSocketPath(this.#handoff.configuration.runDirectory, this.#handoff.session));
  }

  /** Starts the control connection with the bytes that the manager has read. */
  start(): void {
    this.#accounting?.open();
    this.#callControl.awaitCall();
    this.#control.recvBytes(Buffer.from(this.#handoff.firstBytes, 'base64'));
    this.#publisher.step();
  }

  state(): SessionState {
    return this.#status.snapshot();
  }

  /**
   * Ends call, control connection and session in order; resolves when nothing is left. Idempotent; the first reason counts.
   */
  async close(end: SessionEnd): Promise<void> {
    if (!this.#status.isEnding) void this.#end(end);
    return this.#over;
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
    const { cause = null, text = null, remedy = null } = explanation ?? {};
    this.#status.end({ reason, detail, cause, text, remedy });
    this.#publisher.now();
    // The client must get its Call-Disconnect-Notify before the stop request.
    await Promise.all([this.#callControl.end(reason), this.#control.close(reason)]);
    await this.#loginRecord?.callEnded();
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
    this.#resolveOver();
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
        this.#probe.recvSignOfLife(this.#call);
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
        this.#step('accepted');
        break;
      case 'clearRequested':
        void this.#clearCall();
        break;
      case 'ppp':
        this.#recvPppEvent(event.event);
        break;
      case 'blackHole':
        this.#warning.mtuBlackHole(event.arrives, event.missing);
        break;
      case 'ended':
        void this.close(event.end);
    }
  }

  #callBegun({ request }: Call): void {
    const { peer, lease } = this.#handoff;
    this.#failures.callBegun();
    this.#warning.clear();
    this.#record.update(this.#callRecord());
    const hex = (callId: number): string => callId.toString(16).toUpperCase().padStart(4, '0');
    // The title by which scripts made for pptpd find the process.
    process.title = `pptpd [${peer.address}:${hex(request.callId)} - ${hex(lease.callId)}]`;
    this.#step('begun');
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
    // A new call may follow at once.
    void this.#loginRecord?.callEnded();
    this.#status.step('cleared');
    this.#record.update(this.#callRecord());
    this.#publisher.now();
  }

  #disconnect(end: Extract<SessionEnd, { readonly words?: string | undefined }>): void {
    if (end.reason === 'madeRoom' && this.#call !== null) throw new Error('it has a call');
    void this.close(end);
  }

  /** A CoA-Request changes the limits. */
  #changeLimits({ sessionTime, idleTime }: ChangedTimes): void {
    if (this.#call === null) throw new Error('it has no call');
    this.#processLog.log.info({ sessionTime, idleTime }, 'the limits of this session change');
    this.#limits.change({ sessionTime, idleTime });
    this.#publisher.now();
  }

  /** Session `by` has the client address and the call id of this one. */
  #probeClient(by: string): void {
    const call = this.#call;
    if (call !== null && !this.#status.isEnding) this.#probe.ask(call, by);
  }

  #recvPppEvent(event: PppEvent): void {
    this.#peerLog.write('info', { ppp: event }, () => `PPP: ${event.type}`);
    // A login that pppd finishes while it is being ended does not count.
    if (this.#status.isEnding) return;
    if (event.type === 'mppeKeysDiffer') this.#warning.mppeKeysDiffer(event.by);
    if (event.type === 'up') this.#recvUp(event.addresses);
    else this.#publisher.step();
  }

  #recvUp(addresses: Addresses | null): void {
    if (this.#call !== null) this.#loginRecord?.up(this.#call.link);
    this.#limits.up();
    if (addresses !== null) this.#status.agreed(addresses);
    this.#step('up');
    this.#record.update(this.#callRecord());
  }

  #callRecord(): CallRecord {
    const { agreedRemote } = this.#status;
    const pppd = this.#callControl.process;
    return agreedRemote === null ? { pppd } : { pppd, agreedRemote };
  }

  #step(step: CallStep): void {
    // The phases before 'up' follow each other within milliseconds.
    if (this.#status.step(step) === 'up') this.#publisher.now();
    else this.#publisher.step();
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

/** Number of frames from the client that carry network packets, encrypted or not. */
const dataFrames = (call: Call | null): number =>
  call === null ? 0 : (call.link.counters()?.rxPackets ?? 0) - call.link.ppp.frames.fromClient;
