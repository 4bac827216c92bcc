/** What a session reports about itself: the phase it is in, why it ends, its addresses, and what its call knows. */
import { version } from '../host/version.js';
import type { ProcessLog } from '../log/logger.js';
import type { LinkLimits } from '../link/link.js';
import type { Addresses } from '../ppp/reader.js';
import type { Handoff } from '../session/handoff.js';
import type { SessionPhase, SessionState } from '../session/state.js';
import type { Call } from './call-control.js';

/** A change of the call, which changes the phase of a session that is not ending. */
export type CallStep = 'begun' | 'accepted' | 'up' | 'cleared';
type LivePhase = Exclude<SessionPhase, 'ending'>;
type Ending = NonNullable<SessionState['ending']>;
type State =
  | { readonly phase: LivePhase; readonly ending: null }
  | { readonly phase: 'ending'; readonly ending: Ending };

/** The next phase. A step that is not listed changes nothing: PPP may come up again. Only `end` leads to 'ending'. */
const NEXT: Readonly<Record<SessionPhase, Readonly<Partial<Record<CallStep, LivePhase>>>>> = {
  connected: { begun: 'starting' },
  starting: { accepted: 'negotiating', cleared: 'connected' },
  negotiating: { up: 'up', cleared: 'connected' },
  up: { cleared: 'connected' },
  ending: {},
};

export interface SessionStatusOptions {
  readonly handoff: Pick<Handoff, 'session' | 'lease' | 'peer' | 'localAddress'>;
  readonly processLog: ProcessLog;
  readonly call: () => Call | null;
  readonly warning: () => SessionState['warning'];
  readonly limits: () => LinkLimits | null;
}

export class SessionStatus {
  readonly #options: SessionStatusOptions;
  readonly #since = Date.now();
  #state: State = { phase: 'connected', ending: null };
  /** The addresses that the call's PPP agreed last, or those of the lease. */
  #tunnel: SessionState['tunnel'];

  constructor(options: SessionStatusOptions) {
    this.#options = options;
    this.#tunnel = options.handoff.lease;
  }

  get isEnding(): boolean {
    return this.#state.phase === 'ending';
  }

  /** The client's address in the tunnel if it is not the lease's; chap-secrets and RADIUS can give users their own. */
  get agreedRemote(): string | null {
    const { remote } = this.#tunnel;
    return remote === this.#options.handoff.lease.remote ? null : remote;
  }

  /** Returns the phase if it is a new one. */
  step(step: CallStep): SessionPhase | null {
    const phase = NEXT[this.#state.phase][step];
    if (phase === undefined) return null;
    this.#state = { phase, ending: null };
    if (step === 'cleared') this.#tunnel = this.#options.handoff.lease;
    return phase;
  }

  /** From now on the session is ending. */
  end(ending: Ending): void {
    this.#state = { phase: 'ending', ending };
  }

  /** PPP has agreed these addresses; null: the lease's. */
  agreed({ local, remote }: Addresses): void {
    const { lease } = this.#options.handoff;
    this.#tunnel = { local: local ?? lease.local, remote: remote ?? lease.remote };
  }

  snapshot(): SessionState {
    const { handoff, processLog, call: currentCall, warning, limits } = this.#options;
    const { session, peer, localAddress, lease } = handoff;
    const call = currentCall();
    const ppp = call?.link.ppp ?? null;
    const own = limits();
    return {
      session,
      version,
      since: this.#since,
      phase: this.#state.phase,
      ending: this.#state.ending,
      warning: warning(),
      peer,
      localAddress,
      callId: lease.callId,
      peerCallId: call?.request.callId ?? null,
      tunnel: { local: this.#tunnel.local, remote: this.#tunnel.remote },
      user: ppp?.user ?? null,
      pid: process.pid,
      pppdPid: call?.link.process?.pid ?? null,
      link: call?.link.kind ?? null,
      // pppd's interface is found by its process when somebody asks (cli/commands/show): that reads a folder.
      interface: call?.link.kind === 'pppd' ? null : (call?.link.interfaceName() ?? null),
      limits: own && { ...own, filter: own.filter ?? null },
      speed: call?.link.speed() ?? null,
      log: { level: processLog.log.level, file: processLog.file },
      ppp: ppp === null ? null : { ...ppp },
      counters: call?.link.counters() ?? null,
    };
  }
}
