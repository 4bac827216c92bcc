/**
 * One client's session from handoff to the last byte: what it tells of itself, its socket and record in the run directory,
 * its log, and its end in order. It stands alone: no manager is needed from `adopted` on. Control connection and call
 * have files of their own.
 */
import { hostname } from 'node:os';
import type { Socket } from 'node:net';
import { monotonicMs } from '../gre/clock.js';
import { identifyOurselves, type ProcessIdentity } from '../host/process.js';
import { version, versionNumber } from '../host/version.js';
import type { LogLevel } from '../log/level.js';
import type { ProcessLog } from '../log/logger.js';
import type { PppEvent, PppState } from '../ppp/reader.js';
import { CLOSE_REASONS, type CloseReason } from '../session/close-reason.js';
import type { Handoff } from '../session/handoff.js';
import { sessionSocketPath } from '../session/paths.js';
import { hasRecord, removeSessionFiles, writeRecord } from '../session/record-writer.js';
import { SessionServer } from '../session/server.js';
import type { SessionPhase, SessionState } from '../session/state.js';
import { Account } from './account.js';
import type { Call } from './call.js';
import { ControlConnection } from './control-connection.js';
import { describeBlackHole, describeMppeKeys, explain, type Explanation } from './explain.js';
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

export class Session {
  readonly #handoff: Handoff;
  readonly #processLog: ProcessLog;
  readonly #timers = new Timers();
  readonly #peerLog: PeerLog;
  readonly #control: ControlConnection;
  readonly #signalling: Signalling;
  readonly #teller: Teller;
  readonly #server: SessionServer;
  /** The pppd that the record names. */
  #recorded: ProcessIdentity | null = null;
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
  /** What went wrong with the call that was cleared last, until another one begins: its end was told then. */
  #cleared: { readonly explanation: Explanation | null } | null = null;
  /** How many packets of the tunnel had come when the client was last asked whether it is there. */
  #packetsWhenAsked = 0;
  #warning: SessionState['warning'] = null;
  /** Called once, when everything of the session is gone. */
  onOver: () => void = () => undefined;

  /** `line`: for the first call, null where there is none; it is the session's from now on. */
  constructor(handoff: Handoff, socket: Socket, line: Line | null, processLog: ProcessLog) {
    this.#handoff = handoff;
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
        silent: () => (this.#packetsWhenAsked = this.#packetsReceived()),
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
        blackHole: (arrives, missing) => this.#recvBlackHole(arrives, missing),
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
      counters: this.#call?.counters() ?? null,
    };
  }

  /** Ends call, control connection and session in order; idempotent, the first reason stands. */
  async close(reason: CloseReason, detail?: string): Promise<void> {
    if (this.#ending === null) {
      const { explanation } = this.#cleared ?? { explanation: this.#explain(reason, detail ?? null) };
      const { cause = null, text = null } = explanation ?? {};
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
    if (this.#cleared === null && this.#ending !== null) this.#logFailure(this.#ending, ppp);
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
      pppdEnd: this.#call?.pppdEnd ?? null,
      pppdIsSynchronous: this.#call?.isSynchronous ?? false,
      tunnelPackets: this.#packetsReceived() - this.#packetsWhenAsked,
      configuration,
    });
  }

  /** In the tunnel, with data or with an acknowledgment alone. */
  #packetsReceived(): number {
    const { rxPackets = 0, acksReceived = 0 } = this.#call?.counters() ?? {};
    return rxPackets + acksReceived;
  }

  /** The one final word on what went wrong. */
  #logFailure({ cause, text }: { readonly cause: string | null; readonly text: string | null }, ppp?: PppState): void {
    if (cause === null || text === null) return;
    // A link that was up for a moment, and not as one side must have it, was no session.
    const was = ppp?.times.up && ppp.failure === null ? 'session' : 'login';
    // A client may call and hang up again and again.
    this.#peerLog.write(
      'warn',
      { cause, user: ppp?.user ?? undefined, failure: ppp?.failure ?? undefined },
      () => `${was} failed: ${text}`,
    );
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
    this.#teller.now();
  }

  #callBegun(call: Call): void {
    const { peer, lease } = this.#handoff;
    call.setTap(this.#server.captures.tap);
    this.#cleared = null;
    this.#packetsWhenAsked = 0;
    this.#warning = null;
    this.#recordPppd();
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
    this.#cleared = { explanation };
    this.#account?.callEnded(call.counters());
    this.#loginRecord?.callEnded();
    this.#recordPppd();
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

  #recvPppEvent(event: PppEvent): void {
    this.#peerLog.write('info', { ppp: event }, () => `PPP: ${event.type}`);
    // pppd may still finish a login while it is told to end: it is none any more.
    if (this.#ending !== null) return;
    if (event.type === 'up') {
      if (this.#call !== null) this.#loginRecord?.up(this.#call.pppdPid, this.#call.ppp.user ?? '');
      this.#limits.up();
    }
    if (event.type === 'mppeKeysDiffer') {
      const { peer } = this.#handoff;
      this.#warn('mppeKeysDiffer', { by: event.by }, describeMppeKeys(peer.address, event.by));
    }
    if (event.type === 'up' && this.#phase !== 'up') this.#setPhase('up');
    else this.#teller.step();
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
  #recordPppd(): void {
    if (this.#recorded === this.#signalling.pppd && hasRecord(this.#runDirectory, this.#handoff.session)) return;
    try {
      this.#writeRecord();
    } catch (error) {
      this.#processLog.log.error(
        { err: error },
        "pppd could not be noted in the session's record; the session goes on",
      );
    }
  }

  #writeRecord(): void {
    const { session, lease } = this.#handoff;
    const { pppd } = this.#signalling;
    writeRecord(this.#runDirectory, { session, lease, worker: identifyOurselves(), pppd });
    this.#recorded = pppd;
  }
}
