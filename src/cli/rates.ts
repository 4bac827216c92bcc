/** What `pptpd-ts top` shows: how much passes through each session, from two looks at its counters. Pure. */
import type { SessionState } from '../session/state.js';

/** All sessions at one moment. */
export interface Sample {
  /** Milliseconds of a clock that nobody sets. */
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
  /** Bits and packets a second, from and to the client. */
  readonly rxBits: number;
  readonly txBits: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** Of the client's packets, those that never came, 0 to 1; null when none were due. */
  readonly loss: number | null;
  /** Milliseconds; null when none was measured. */
  readonly roundTrip: number | null;
}

/** The busiest first. A session that is new in `after` has its rates from the next look on. */
export function ratesBetween(before: Sample, after: Sample): SessionRates[] {
  const seconds = (after.at - before.at) / 1000;
  const earlier = new Map(before.sessions.map((state) => [state.session, state]));
  return after.sessions
    .map((state) => rates(earlier.get(state.session) ?? state, state, seconds))
    .toSorted((a, b) => b.rxBits + b.txBits - a.rxBits - a.txBits || a.since - b.since);
}

function rates(before: SessionState, after: SessionState, seconds: number): SessionRates {
  // A call that was cleared takes its counters along, and the next one begins at 0.
  const grown = (name: string): number => {
    const [was, is] = [before.counters?.[name] ?? 0, after.counters?.[name] ?? 0];
    return is < was ? is : is - was;
  };
  const a = (name: string): number => (seconds > 0 ? grown(name) / seconds : 0);
  const [came, lost] = [grown('rxPackets'), grown('rxLost')];
  return {
    session: after.session,
    user: after.user,
    client: after.peer.address,
    address: after.tunnel.remote,
    phase: after.phase,
    since: after.since,
    rxBits: a('rxBytes') * 8,
    txBits: a('txBytes') * 8,
    rxPackets: a('rxPackets'),
    txPackets: a('txPackets'),
    loss: came + lost === 0 ? null : lost / (came + lost),
    roundTrip: (after.counters?.['roundTrip'] ?? 0) || null,
  };
}

const UNITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'] as const;

/** Bits a second in three digits or so: `1.4 Mbit/s`. */
export function bitRate(bits: number): string {
  let [value, unit] = [bits, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
