/**
 * The rates of all tunnels, from one file, /proc/net/dev, so that no session is asked: what each interface has carried since
 * the last measurement. Keeps the sums of the last hour. Pure.
 */
import type { AmountsByName } from '../../host/interface-amounts.js';
import type { TrafficPoint } from '../api/schemas.js';

/** Seconds between two points of the last hour. */
export const STEP_SECONDS = 10;
const POINTS = 360;

/** A session's octets and bits per second, from the client and to it; null: measured only once so far. */
export interface Carried {
  readonly rxRate: number | null;
  readonly txRate: number | null;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export const NOTHING_CARRIED: Carried = { rxRate: null, txRate: null, rxBytes: 0, txBytes: 0 };

interface Look extends Carried {
  readonly interface: string;
  /** ms of the monotonic clock. */
  readonly at: number;
}

const SUMS = { rx: 0, tx: 0, rxBytes: 0, txBytes: 0 };

export class TrafficMeter {
  #looks = new Map<string, Look>();
  #points: TrafficPoint[] = [];
  /** Octets of all tunnels since this process began, and at the last point. */
  #total = { rx: 0, tx: 0 };
  #atPoint = { rx: 0, tx: 0, at: Number.NEGATIVE_INFINITY };

  /**
   * `interfaces`: by session. Returns the sessions whose rates or octets have changed. `at`: ms of the monotonic
   * clock.
   */
  look(interfaces: ReadonlyMap<string, string>, amounts: AmountsByName, at: number): Map<string, Carried> {
    const looks = new Map<string, Look>();
    const changed = new Map<string, Carried>();
    for (const [session, name] of interfaces) {
      const now = amounts.get(name);
      if (now === undefined) continue;
      const before = this.#looks.get(session);
      const look = this.#lookAt(before, { name, rxBytes: now.received.octets, txBytes: now.sent.octets, at });
      looks.set(session, look);
      if (isOther(before, look)) changed.set(session, look);
    }
    this.#looks = looks;
    return changed;
  }

  #lookAt(
    before: Look | undefined,
    { name, rxBytes, txBytes, at }: { name: string; rxBytes: number; txBytes: number; at: number },
  ): Look {
    const isFirst =
      before === undefined || before.interface !== name || rxBytes < before.rxBytes || txBytes < before.txBytes;
    if (isFirst) return { interface: name, rxRate: null, txRate: null, rxBytes, txBytes, at };
    const [rx, tx, seconds] = [rxBytes - before.rxBytes, txBytes - before.txBytes, (at - before.at) / 1000];
    this.#total.rx += rx;
    this.#total.tx += tx;
    const rate = (octets: number): number | null => (seconds > 0 ? Math.round((octets * 8) / seconds) : null);
    return { interface: name, rxRate: rate(rx), txRate: rate(tx), rxBytes, txBytes, at };
  }

  of(session: string): Carried {
    const { rxRate, txRate, rxBytes, txBytes } = this.#looks.get(session) ?? NOTHING_CARRIED;
    return { rxRate, txRate, rxBytes, txBytes };
  }

  /** Of all sessions that are there now. */
  get sums(): typeof SUMS {
    const sums = { ...SUMS };
    for (const { rxRate, txRate, rxBytes, txBytes } of this.#looks.values()) {
      sums.rx += rxRate ?? 0;
      sums.tx += txRate ?? 0;
      sums.rxBytes += rxBytes;
      sums.txBytes += txBytes;
    }
    return sums;
  }

  /** A new point if it is time for one. `time`: ms since the epoch; `at`: ms of the monotonic clock. */
  point(sessions: number, time: number, at: number): TrafficPoint | null {
    const { rx, tx, at: last } = this.#atPoint;
    const seconds = (at - last) / 1000;
    // A timer may be early by a little.
    if (seconds < STEP_SECONDS - 0.5) return null;
    this.#atPoint = { ...this.#total, at };
    if (last === Number.NEGATIVE_INFINITY) return null;
    const rate = (octets: number): number => Math.round((octets * 8) / seconds);
    const point = { time, rx: rate(this.#total.rx - rx), tx: rate(this.#total.tx - tx), sessions };
    this.#points = [...this.#points.slice(1 - POINTS), point];
    return point;
  }

  get points(): readonly TrafficPoint[] {
    return this.#points;
  }
}

const isOther = (before: Look | undefined, now: Look): boolean =>
  before === undefined ||
  before.rxRate !== now.rxRate ||
  before.txRate !== now.txRate ||
  before.rxBytes !== now.rxBytes ||
  before.txBytes !== now.txBytes;
