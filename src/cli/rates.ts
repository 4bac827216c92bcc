/** Traffic rates of the sessions for `pptpd-ts top`, computed from two samples of their counters. Pure. */
import type { SessionState } from '../session/state.js';

/** All sessions at one moment. */
export interface Sample {
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
  readonly sessions: readonly SessionState[];
}

export interface SessionRates {
  readonly session: string;
  readonly user: string | null;
  readonly client: string;
  readonly address: string | null;
  readonly phase: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Bits and packets per second, received from and sent to the client. */
  readonly rxBits: number;
  readonly txBits: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** Share of the client's packets that were lost, 0 to 1; null if none were expected, or the link does not measure it. */
  readonly loss: number | null;
  /** Milliseconds; null if it was not measured. */
  readonly roundTrip: number | null;
}

/** The busiest first. A session that is only in `after` has rates of 0. */
export function ratesBetween(before: Sample, after: Sample): SessionRates[] {
  const seconds = (after.at - before.at) / 1000;
  const earlier = new Map(before.sessions.map((state) => [state.session, state]));
  return after.sessions
    .map((state) => rates(earlier.get(state.session) ?? state, state, seconds))
    .toSorted((a, b) => b.rxBits + b.txBits - a.rxBits - a.txBits || a.since - b.since);
}

function rates(before: SessionState, after: SessionState, seconds: number): SessionRates {
  // The counters start at 0 again with each call.
  const grown = (name: string): number => {
    const [was, is] = [before.counters?.[name] ?? 0, after.counters?.[name] ?? 0];
    return is < was ? is : is - was;
  };
  const perSecond = (name: string): number => (seconds > 0 ? grown(name) / seconds : 0);
  const [received, lost] = [grown('rxPackets'), grown('rxLost')];
  const measuresLoss = after.counters?.['rxLost'] !== undefined;
  return {
    session: after.session,
    user: after.user,
    client: after.peer.address,
    address: after.tunnel.remote,
    phase: after.phase,
    since: after.since,
    rxBits: perSecond('rxBytes') * 8,
    txBits: perSecond('txBytes') * 8,
    rxPackets: perSecond('rxPackets'),
    txPackets: perSecond('txPackets'),
    loss: measuresLoss && received + lost > 0 ? lost / (received + lost) : null,
    roundTrip: (after.counters?.['roundTrip'] ?? 0) || null,
  };
}
