/**
 * What the server tells about itself while the page is open: sessions with their recent rates, traffic, happenings, status.
 * Events change it at once, its readers are told at most four times a second. Pure: the timer comes from outside.
 */
import type { SessionRow, Status, StreamEvent, TimedHappening, TrafficPoint } from '../../api/schemas.js';

/** `lost`: the console does not answer; the page tries again. */
export type Connection = 'connecting' | 'live' | 'lost';

/** Rates of one session, the oldest first: [from the client, to the client] in bits per second. */
export type Rates = readonly (readonly [number, number])[];

/** Samples kept of each session: five minutes at one in two seconds. */
export const RATE_SAMPLES = 150;
export const RATE_SECONDS = 2;
const HAPPENINGS = 100;
/** Points of the traffic chart: an hour. */
const TRAFFIC_SPAN = 3_600_000;
/** Milliseconds between two notifications. */
export const NOTIFY_EVERY = 250;

export class LiveState {
  connection: Connection = 'connecting';
  rows: ReadonlyMap<string, SessionRow> = new Map();
  /** Why sessions do not answer, by id. */
  unreachable: ReadonlyMap<string, string> = new Map();
  traffic: readonly TrafficPoint[] = [];
  /** The newest first. */
  happenings: readonly TimedHappening[] = [];
  status: Status | null = null;
  /** Increased with each change of the users. */
  usersVersion = 0;
  /** Increased with each change. */
  version = 0;

  readonly #rates = new Map<string, (readonly [number, number])[]>();
  readonly #listeners = new Set<() => void>();
  readonly #later: (callback: () => void, milliseconds: number) => void;
  #isScheduled = false;
  #rowsAreShared = false;

  constructor(later: (callback: () => void, milliseconds: number) => void) {
    this.#later = later;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ratesOf(id: string): Rates {
    return this.#rates.get(id) ?? [];
  }

  setConnection(connection: Connection): void {
    this.connection = connection;
    this.#changed();
  }

  setStatus(status: Status): void {
    this.status = status;
    this.#changed();
  }

  setTraffic(points: readonly TrafficPoint[]): void {
    this.traffic = points;
    this.#changed();
  }

  /** Events of one frame. */
  apply(events: readonly StreamEvent[]): void {
    for (const each of events) this.#applyOne(each);
    if (events.length > 0) this.#changed();
  }

  #applyOne(each: StreamEvent): void {
    switch (each.event) {
      case 'snapshot':
        this.rows = new Map(each.data.sessions.map((row) => [row.id, row]));
        this.#rowsAreShared = false;
        this.unreachable = new Map(each.data.unreachable.map(({ id, why }) => [id, why]));
        for (const id of this.#rates.keys()) if (!this.rows.has(id)) this.#rates.delete(id);
        break;
      case 'session':
        this.#ownRows().set(each.data.id, each.data);
        this.#setUnreachable(each.data.id, null);
        break;
      case 'gone':
        this.#ownRows().delete(each.data.id);
        this.#rates.delete(each.data.id);
        this.#setUnreachable(each.data.id, null);
        break;
      case 'unreachable':
        this.#setUnreachable(each.data.id, each.data.why);
        break;
      case 'rates':
        this.#applyRates(each.data);
        break;
      case 'traffic': {
        const oldest = each.data.time - TRAFFIC_SPAN;
        this.traffic = [...this.traffic.filter(({ time }) => time >= oldest && time < each.data.time), each.data];
        break;
      }
      case 'happening':
        this.happenings = [each.data, ...this.happenings].slice(0, HAPPENINGS);
        break;
      case 'status':
        this.status = each.data;
        break;
      case 'users':
        this.usersVersion += 1;
        break;
    }
  }

  #setUnreachable(id: string, why: string | null): void {
    if (why === null && !this.unreachable.has(id)) return;
    const next = new Map(this.unreachable);
    if (why === null) next.delete(id);
    else next.set(id, why);
    this.unreachable = next;
  }

  /** Notes the rates of this moment. Called every RATE_SECONDS, since events tell only what changes. */
  sample(): void {
    for (const [id, { rxRate, txRate }] of this.rows) {
      if (rxRate === null || txRate === null) continue;
      const rates = this.#rates.get(id) ?? [];
      rates.push([rxRate, txRate]);
      if (rates.length > RATE_SAMPLES) rates.shift();
      this.#rates.set(id, rates);
    }
    this.#changed();
  }

  /** Sessions that are not mentioned have the rates of before. */
  #applyRates(changed: Extract<StreamEvent, { event: 'rates' }>['data']): void {
    const rows = this.#ownRows();
    for (const [id, [rxRate, txRate, rxBytes, txBytes]] of Object.entries(changed)) {
      const row = rows.get(id);
      if (row !== undefined) rows.set(id, { ...row, rxRate, txRate, rxBytes, txBytes });
    }
  }

  /** Readers compare `rows` by identity: a map that they may have is not changed. */
  #ownRows(): Map<string, SessionRow> {
    if (this.#rowsAreShared) this.rows = new Map(this.rows);
    this.#rowsAreShared = false;
    return this.rows as Map<string, SessionRow>;
  }

  #changed(): void {
    this.version += 1;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#later(() => {
      this.#isScheduled = false;
      this.#rowsAreShared = true;
      for (const listener of this.#listeners) listener();
    }, NOTIFY_EVERY);
  }
}
