/**
 * One client's session from handoff to the last byte: what it tells of itself, its socket and record in the run directory,
 * its log, and its end in order. It stands alone: no manager is needed from `adopted` on. Control connection and call
 * have files of their own.
 */
import { hostname } from 'node:os';
import type { Socket } from 'node:net';
import { monotonicMs } from '../gre/clock.js';
import { identifyOurselves } from '../host/process.js';
import { version, versionNumber } from '../host/version.js';
import type { LogLevel } from '../log/level.js';
import type { ProcessLog } from '../log/logger.js';
import type { Addresses, PppEvent, PppState } from '../ppp/reader.js';
import { CLOSE_REASONS, type CloseReason } from '../session/close-reason.js';
import type { Handoff } from '../session/handoff.js';
import { sessionSocketPath } from '../session/paths.js';
import type { SessionRecord } from '../session/record.js';
import { hasRecord, removeSessionFiles, writeRecord } from '../session/record-writer.js';
import { SessionServer } from '../session/server.js';
import type { SessionPhase, SessionState } from '../session/state.js';
import { Account } from './account.js';
import type { Call } from './call.js';
import { ControlConnection } from './control-connection.js';
import { describeBlackHole, describeSharedCallId, explain, type Explanation } from './explain.js';
import { Limits } from './limits.js';
import type { Line } from './line.js';
import { LoginRecord } from './login-record.js';
import { PeerLog } from './peer-log.js';
import { Signalling } from './signalling.js';
import { Teller } from './teller.js';
import { Timers } from './timers.js';

/**
 * The manager connects to a session some milliseconds after its handoff. What is over sooner, a failed login as well, is not
 * forgotten before the manager has heard of it, or so much later.
 */
const UNHEARD_SECONDS = 0.1;
/** The cause of a warning (docs/failures.md). */
const CALL_ID_SHARED = 'callIdShared';

export class Session {
  readonly #handoff: Handoff;
  readonly #processLog: ProcessLog;
  readonly #timers = new Timers();
  readonly #peerLog: PeerLog;
  readonly #control: ControlConnection;
  readonly #signalling: Signalling;
  readonly #teller: Teller;
  readonly #server: SessionServer;
  /** What the record says of the call. */
  #recorded: Pick<SessionRecord, 'pppd' | 'agreedRemote'> = { pppd: null };
  readonly #since = Date.now();
  /** The same on the clock that nobody sets: what durations are told by. */
  readonly #begun = monotonicMs();
  /** null without `accounting`. */
  readonly #account: Account | null;
  readonly #limits: Limits;
  /** null without `pppd.logwtmp`. */
  readonly #loginRecord: LoginRecord | null;
  #phase: SessionPhase = 'connected';
  #closing: Promise<void> | undefined;
  #heardOrLate: Promise<void> | undefined;
  #ending: SessionState['ending'] = null;
  /** Of the call that was cleared last, until another one begins. */
  #explanation: Explanation | null = null;
  #warning: SessionState['warning'] = null;
  /** What the call's PPP has agreed last; the lease's while it has agreed nothing. */
  #tunnel: SessionState['tunnel'];
  /** Called once, when everything of the session is gone. */
  onOver: () => void = () => undefined;

  /** `line`: for the first call, null where there is none; it is the session's from now on. */
  constructor(handoff: Handoff, socket: Socket, line: Line | null, processLog: ProcessLog) {
    this.#handoff = handoff;
    this.#tunnel = handoff.lease;
    this.#processLog = processLog;
    this.#peerLog = new PeerLog(processLog.log, this.#timers);
    this.#control = new ControlConnection({
      socket,
      timeouts: handoff.configuration.timeouts,
      timers: this.#timers,
      log: this.#peerLog,
      hostName: hostname(),
      firmwareRevision: versionNumber,
      handlers: {
        outgoingCallRequest: (request) => this.#signalling.recvOutgoingCallRequest(request),
        callClearRequest: (request) => this.#signalling.recvCallClearRequest(request),
        setLinkInfo: (info) => this.#signalling.recvSetLinkInfo(info),
        ended: (reason, detail) => void this.close(reason, detail),
      },
    });
    this.#signalling = new Signalling({
      line,
      handoff,
      timers: this.#timers,
      log: processLog.log,
      peerLog: this.#peerLog,
      send: (message) => this.#control.send(message),
      handlers: {
        begun: (call) => this.#callBegun(call),
        accepted: () => this.#step('negotiating'),
        clearRequest: () => void this.#clearCall(),
        ppp: (event) => this.#recvPppEvent(event),
        blackHole: (arrives, missing) => this.#warnOfBlackHole(arrives, missing),
        ended: (reason, detail) => void this.close(reason, detail),
      },
    });
    this.#server = new SessionServer(handoff.session, version, {
      state: () => this.state(),
      disconnect: ({ reason, detail }) => this.#disconnect(reason, detail),
      probe: ({ by }) => this.#probe(by),
      reopenLog: () => processLog.reopen(),
      logLevel: ({ level }) => this.#setLogLevel(level),
    });
    this.#server.captures.onDemand = (tap) => {
      this.#control.setTap(tap);
      this.#call?.setTap(tap);
    };
    this.#teller = new Teller({
      timers: this.#timers,
      tell: () => this.#tell(),
      ppp: () => this.#call?.ppp ?? null,
    });
    this.#limits = new Limits({
      policy: handoff.configuration.policy,
      timers: this.#timers,
      now: monotonicMs,
      dataFrames: () => this.#call?.dataFrames ?? 0,
      end: (reason, detail) => void this.close(reason, detail),
    });
    const { accounting, pppd, runDirectory } = handoff.configuration;
    this.#loginRecord = pppd.logwtmp ? new LoginRecord(handoff.peer.address, processLog.log) : null;
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
    this.#writeRecord();
    await this.#server.listen(sessionSocketPath(this.#runDirectory, this.#handoff.session));
  }

  /** Starts to speak with the client, from the bytes that the manager has read. */
  start(): void {
    this.#account?.open();
    this.#signalling.awaitCall();
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
      tunnel: { local: this.#tunnel.local, remote: this.#tunnel.remote },
      user: ppp?.user ?? null,
      pid: process.pid,
      pppdPid: this.#call?.pppdPid ?? null,
      log: { level: this.#processLog.log.level, file: this.#processLog.file },
      ppp: ppp === null ? null : { ...ppp },
      counters: this.#call?.counters() ?? null,
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

  get #call(): Call | null {
    return this.#signalling.call;
  }

  get #runDirectory(): string {
    return this.#handoff.configuration.runDirectory;
  }

  async #end(reason: CloseReason, detail: string | undefined): Promise<void> {
    const { log } = this.#processLog;
    const ppp = this.#call?.ppp;
    const user = ppp?.user ?? undefined;
    const counters = this.#call?.counters();
    this.#setPhase('ending');
    // What the client is told of its call goes before the stop.
    await Promise.all([this.#signalling.end(reason), this.#control.close(reason)]);
    await this.#heard();
    this.#loginRecord?.callEnded();
    this.#peerLog.close();
    if (this.#explanation === null && this.#ending !== null) this.#logFailure(this.#ending, ppp);
    this.#timers.stopAll();
    log.info(
      { reason, detail, user, seconds: Math.round((monotonicMs() - this.#begun) / 1000), counters },
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
      seconds: (monotonicMs() - this.#begun) / 1000,
      ppp: this.#call?.ppp ?? null,
      configuration,
    });
  }

  /** The one final word on what went wrong. */
  #logFailure({ cause, text }: { readonly cause: string | null; readonly text: string | null }, ppp?: PppState): void {
    if (cause === null || text === null) return;
    const was = ppp?.times.up ? 'session' : 'login';
    // A client may call and hang up again and again.
    this.#peerLog.write(
      'warn',
      { cause, user: ppp?.user ?? undefined, failure: ppp?.failure ?? undefined },
      () => `${was} failed: ${text}`,
    );
  }

  #warnOfBlackHole(arrives: number, missing: number): void {
    const { peer, localAddress } = this.#handoff;
    const text = describeBlackHole(localAddress, peer.address, arrives, missing);
    this.#warning = { cause: 'mtuBlackHole', text };
    this.#processLog.log.warn({ cause: 'mtuBlackHole', arrives, missing }, text);
    this.#teller.now();
  }

  #callBegun(call: Call): void {
    const { peer, lease } = this.#handoff;
    call.setTap(this.#server.captures.tap);
    this.#explanation = null;
    this.#warning = null;
    this.#updateRecord();
    const hex = (callId: number): string => callId.toString(16).toUpperCase().padStart(4, '0');
    // The title that scripts around pptpd look for.
    process.title = `pptpd [${peer.address}:${hex(call.peerCallId)} - ${hex(lease.callId)}]`;
    this.#step('starting');
  }

  async #clearCall(): Promise<void> {
    this.#teller.flush();
    await this.#heard();
    const explanation = this.#explain('clientCleared', null);
    this.#limits.callEnded();
    const call = await this.#signalling.clear();
    if (call === null) return;
    this.#peerLog.write('info', { counters: call.counters() }, () => `call ended: ${CLOSE_REASONS.clientCleared.text}`);
    if (explanation !== null) this.#logFailure(explanation, call.ppp);
    this.#explanation = explanation;
    this.#account?.callEnded(call.counters());
    this.#loginRecord?.callEnded();
    this.#tunnel = this.#handoff.lease;
    this.#updateRecord();
    this.#setPhase('connected');
  }

  async #heard(): Promise<void> {
    this.#heardOrLate ??= new Promise((resolve) => {
      this.#timers.start('unheard', UNHEARD_SECONDS, resolve);
      void this.#server.heard.then(resolve);
    });
    await this.#heardOrLate;
  }

  #disconnect(reason: CloseReason, detail: string | undefined): void {
    if (reason === 'madeRoom' && this.#call !== null) throw new Error('it has a call');
    void this.close(reason, detail);
  }

  /**
   * Session `by` has the client address and the call id of this one. Until the client shows that it is there, what pppd sends
   * would reach the other session: it waits.
   */
  #probe(by: string): void {
    const call = this.#call;
    if (call === null || this.#ending !== null) return;
    // Whoever calls again and again from there does not stop this session each time.
    if (this.#warning?.cause !== CALL_ID_SHARED) call.holdBack(true);
    this.#control.askForSignOfLife(() => {
      call.holdBack(false);
      if (this.#call === call) this.#warnOfSharedCallId(call.peerCallId, by);
    });
  }

  #warnOfSharedCallId(peerCallId: number, other: string): void {
    if (this.#warning?.cause === CALL_ID_SHARED) return;
    const { peer, localAddress } = this.#handoff;
    const text = describeSharedCallId(localAddress, peer.address, peerCallId, other);
    this.#warning = { cause: CALL_ID_SHARED, text };
    this.#processLog.log.warn({ cause: CALL_ID_SHARED, peerCallId, other }, text);
    this.#teller.now();
  }

  #recvPppEvent(event: PppEvent): void {
    this.#peerLog.write('info', { ppp: event }, () => `PPP: ${event.type}`);
    // pppd may still finish a login while it is told to end: it is none any more.
    if (this.#ending !== null) return;
    if (event.type === 'up') {
      if (this.#call !== null) this.#loginRecord?.up(this.#call.pppdPid, this.#call.ppp.user ?? '');
      this.#limits.up();
      if (event.addresses !== null) this.#agreed(event.addresses);
    }
    if (event.type === 'up' && this.#phase !== 'up') this.#setPhase('up');
    else this.#teller.step();
    if (event.type === 'up') this.#updateRecord();
  }

  /** pppd may know better than the lease: chap-secrets and RADIUS give users addresses of their own. */
  #agreed({ local, remote }: Addresses): void {
    const { lease } = this.#handoff;
    this.#tunnel = { local: local ?? lease.local, remote: remote ?? lease.remote };
  }

  #setPhase(phase: SessionPhase): void {
    this.#phase = phase;
    this.#teller.now();
  }

  /** To a phase that the next one may follow at once. */
  #step(phase: SessionPhase): void {
    this.#phase = phase;
    this.#teller.step();
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
    this.#teller.now();
    return { level: next };
  }

  /** Also where somebody has removed the record. On a full disk the session goes on with the record that it has. */
  #updateRecord(): void {
    const { pppd, agreedRemote } = this.#callInRecord();
    const isSame = this.#recorded.pppd === pppd && this.#recorded.agreedRemote === agreedRemote;
    if (isSame && hasRecord(this.#runDirectory, this.#handoff.session)) return;
    try {
      this.#writeRecord();
    } catch (error) {
      this.#processLog.log.error(
        { err: error },
        "the session's record in the run directory cannot be written: should this worker die, its pppd or its address may be overlooked",
      );
    }
  }

  #writeRecord(): void {
    const { session, lease } = this.#handoff;
    const call = this.#callInRecord();
    writeRecord(this.#runDirectory, { session, lease, worker: identifyOurselves(), ...call });
    this.#recorded = call;
  }

  #callInRecord(): Pick<SessionRecord, 'pppd' | 'agreedRemote'> {
    const { remote } = this.#tunnel;
    const { pppd } = this.#signalling;
    return remote === null || remote === this.#handoff.lease.remote ? { pppd } : { pppd, agreedRemote: remote };
  }
}
