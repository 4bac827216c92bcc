/**
 * The manager's Prometheus metrics (docs/metrics.md lists them). Loaded only with `metrics` in the configuration. Events are
 * counted as the registry reports them; gauges are read at each scrape, and sessions are then asked for their counters.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as Metrics } from 'prom-client';
import { version } from '../../host/version.js';
import { SESSION_PHASES, type SessionState } from '../../session/state.js';
import type { Dispatcher } from '../dispatcher.js';
import type { Policy } from '../policy/policy.js';
import type { Registry, SessionWatcher } from '../registry.js';
import { REFUSAL_CAUSES, type RefusedClients, type RefusalCause } from '../refused-clients.js';
import type { WorkerPool } from '../worker-pool.js';
import { CounterGrowth } from './counter-growth.js';
import { MetricsServer } from './http.js';
import { Logins } from './logins.js';
import { RELAY_METRICS, RELAY_SERIES, type RelayMetric } from './relay-series.js';

/** How long a scrape waits for sessions; later answers are in the next scrape. */
const ANSWER_LIMIT_MS = 1000;
/** Seconds. A spare worker takes a client in 5 ms, a new one in 0.2 s; in a storm clients wait in a queue. */
const HANDOFF_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** The values of the label `direction`, and their fields in the state of a session. */
const SPEED_DIRECTIONS = { fromClient: 'up', toClient: 'down' } as const;
/** Milliseconds between samples of the event loop's delay: few, because each wakes an idle manager. */
const LOOP_DELAY_PRECISION_MS = 250;

/** The parts of the manager that the metrics read. */
interface Sources {
  readonly registry: Pick<Registry, 'watch' | 'askAll' | 'states' | 'count'>;
  readonly pool: Pick<WorkerPool, 'idleCount' | 'startingCount' | 'counts'>;
  readonly dispatcher: Pick<Dispatcher, 'onHandedOver'>;
  readonly refusedClients: Pick<RefusedClients, 'total'>;
  readonly policy: Pick<Policy, 'blocks'>;
  /** Events that a hook did not get. */
  readonly hooksDropped: () => number;
}

export class ManagerMetrics implements SessionWatcher {
  readonly #sources: Sources;
  readonly #metrics = new Metrics();
  readonly #server: MetricsServer;
  readonly #growth = new CounterGrowth();
  readonly #logins = new Logins();
  readonly #relay: ReadonlyMap<RelayMetric, Counter>;
  readonly #sessionsStarted: Counter;
  readonly #sessionsEnded: Counter;
  readonly #loginResults: Counter;
  readonly #unanswered: Gauge;

  /** Construct it before the registry recovers sessions, so that it learns which of them are older than this manager. */
  constructor(sources: Sources) {
    this.#sources = sources;
    const registers = [this.#metrics];
    this.#server = new MetricsServer({ contentType: this.#metrics.contentType, text: async () => this.text() });
    collectDefaultMetrics({ register: this.#metrics, eventLoopMonitoringPrecision: LOOP_DELAY_PRECISION_MS });

    this.#sessionsStarted = new Counter({
      name: 'pptpd_sessions_started_total',
      help: 'Clients handed to a ctrl worker',
      registers,
    });
    this.#sessionsEnded = new Counter({
      name: 'pptpd_sessions_ended_total',
      help: 'Ended sessions, by reason',
      labelNames: ['reason'],
      registers,
    });
    this.#loginResults = new Counter({
      name: 'pptpd_logins_total',
      help: 'Calls by the result of their login: up, or why it failed',
      labelNames: ['result'],
      registers,
    });
    this.#unanswered = new Gauge({
      name: 'pptpd_sessions_unanswered',
      help: 'Sessions that did not answer this scrape in time: their workers hang or are stopped',
      registers,
    });
    this.#relay = new Map(
      Object.entries(RELAY_METRICS).map(([name, { help, label }]) => [
        name as RelayMetric,
        new Counter({ name, help, labelNames: label === null ? [] : [label], registers }),
      ]),
    );
    // Present from the start, so that a rate includes the first increment.
    for (const series of Object.values(RELAY_SERIES)) if (series !== null) this.#grow(series.metric, series.value, 0);
    this.#loginResults.inc({ result: 'up' }, 0);

    this.#addLookedUp(registers);
    const handoffs = new Histogram({
      name: 'pptpd_handoff_seconds',
      help: "Time from a client's whole start request until a worker has adopted the client",
      buckets: HANDOFF_BUCKETS,
      registers,
    });
    sources.dispatcher.onHandedOver = (milliseconds) => handoffs.observe(milliseconds / 1000);
    sources.registry.watch(this);
  }

  /** Rejects with an error for the administrator if it cannot listen on the address. */
  async listen(where: { readonly address: string; readonly port: number }): Promise<void> {
    await this.#server.listen(where);
  }

  /** Stops serving; idempotent. */
  close(): void {
    this.#server.close();
  }

  entered(id: string, found: boolean): void {
    if (found) {
      this.#growth.foundRunning(id);
      this.#logins.found(id);
    } else {
      this.#sessionsStarted.inc();
    }
  }

  changed(state: SessionState): void {
    this.#count(state);
    this.#countLogin(this.#logins.changed(state, performance.now()));
  }

  over(id: string, last: SessionState | null, died: boolean): void {
    this.#sessionsEnded.inc({ reason: died ? 'workerFailed' : (last?.ending?.reason ?? 'unknown') });
    if (last !== null) this.#count(last);
    this.#growth.forget(id);
    this.#countLogin(this.#logins.over(id));
  }

  #countLogin(result: string | null): void {
    if (result !== null) this.#loginResults.inc({ result });
  }

  #count(state: SessionState): void {
    for (const [name, step] of this.#growth.since(state)) {
      const series = Object.hasOwn(RELAY_SERIES, name) ? RELAY_SERIES[name] : null;
      if (series !== null && series !== undefined) this.#grow(series.metric, series.value, step);
    }
  }

  #grow(metric: RelayMetric, value: string | undefined, step: number): void {
    const { label } = RELAY_METRICS[metric];
    const labels = label === null || value === undefined ? {} : { [label]: value };
    this.#relay.get(metric)?.inc(labels, step);
  }

  /** All metrics in Prometheus's text format; takes little more than a second even if sessions hang. */
  async text(): Promise<string> {
    const { registry } = this.#sources;
    this.#unanswered.set(await registry.askAll(ANSWER_LIMIT_MS));
    for (const state of registry.states) this.#count(state);
    this.#loginResults.inc({ result: 'up' }, this.#logins.settle(performance.now()));
    return this.#metrics.metrics();
  }

  /** The metrics that are read from the manager's parts at each scrape. */
  #addLookedUp(registers: Metrics[]): void {
    const { registry, pool, refusedClients, policy, hooksDropped } = this.#sources;
    new Gauge({
      name: 'pptpd_build_info',
      help: 'Always 1; the version is in the label',
      labelNames: ['version'],
      registers,
    }).set({ version }, 1);
    lookedUp(Gauge, 'pptpd_sessions', 'Live sessions by phase', 'phase', registers, () => {
      const phases = new Map<string, number>([...SESSION_PHASES, 'unknown'].map((phase) => [phase, 0]));
      for (const { phase } of registry.states) phases.set(phase, (phases.get(phase) ?? 0) + 1);
      return [...phases.set('unknown', registry.count - registry.states.length)];
    });
    lookedUp(
      Gauge,
      'pptpd_speed_limited_sessions',
      'Sessions whose speed the kernel limits, by direction',
      'direction',
      registers,
      () =>
        Object.entries(SPEED_DIRECTIONS).map(([direction, way]) => [
          direction,
          registry.states.filter(({ speed }) => speed !== null && speed[way] !== null).length,
        ]),
    );
    lookedUp(Gauge, 'pptpd_workers', 'Ctrl workers without a client, by state', 'state', registers, () => [
      ['spare', pool.idleCount],
      ['starting', pool.startingCount],
    ]);
    lookedUp(Counter, 'pptpd_workers_started_total', 'Ctrl workers started', null, registers, () => [
      ['', pool.counts.started],
    ]);
    lookedUp(Counter, 'pptpd_workers_ended_total', 'Ended ctrl workers, by how they ended', 'how', registers, () =>
      Object.entries(pool.counts.ended),
    );
    lookedUp(
      Counter,
      'pptpd_turned_away_total',
      'Clients turned away before they had a session, by cause',
      'cause',
      registers,
      () => (Object.keys(REFUSAL_CAUSES) as RefusalCause[]).map((cause) => [cause, refusedClients.total(cause)]),
    );
    lookedUp(Gauge, 'pptpd_blocked_addresses', 'Client addresses blocked after failed logins', null, registers, () => [
      ['', policy.blocks().length],
    ]);
    lookedUp(Counter, 'pptpd_hook_events_dropped_total', 'Events that a hook did not get', null, registers, () => [
      ['', hooksDropped()],
    ]);
  }
}

/** A metric whose values are read at each scrape: pairs of the label's value and the number. */
function lookedUp(
  Kind: typeof Gauge | typeof Counter,
  name: string,
  help: string,
  label: string | null,
  registers: Metrics[],
  look: () => readonly (readonly [value: string, number: number])[],
): void {
  const metric: Gauge | Counter = new Kind({
    name,
    help,
    labelNames: label === null ? [] : [label],
    registers,
    collect: () => {
      metric.reset();
      for (const [value, number] of look()) metric.inc(label === null ? {} : { [label]: value }, number);
    },
  });
}
