/**
 * The metrics as Prometheus reads them, with stand-ins for the manager's parts. Also: the documentation's table and the Grafana
 * dashboard name exactly the existing metrics.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { noneCounted } from '../../../../src/gre/relay-counters.js';
import { SETTLED_MS } from '../../../../src/manager/metrics/logins.js';
import { ManagerMetrics } from '../../../../src/manager/metrics/metrics.js';
import { RELAY_SERIES } from '../../../../src/manager/metrics/relay-series.js';
import type { SessionWatcher } from '../../../../src/manager/registry.js';
import type { SessionState } from '../../../../src/session/state.js';
import { aState } from '../../session/a-state.js';

/** Stand-ins for the manager's parts. */
class Sources {
  states: SessionState[] = [];
  count = 0;
  unanswered = 0;
  watcher: SessionWatcher = {};
  readonly dispatcher = { onHandedOver: (_milliseconds: number): void => undefined };
  readonly metrics: ManagerMetrics;

  constructor() {
    this.metrics = new ManagerMetrics({
      registry: this,
      dispatcher: this.dispatcher,
      pool: { idleCount: 2, startingCount: 1, counts: { started: 9, ended: { beforeReady: 1, inOrder: 3, died: 2 } } },
      refusedClients: { total: (cause) => (cause === 'full' ? 4 : 0) },
      policy: { blocks: () => [{ address: '192.0.2.7', failedLogins: 3, remaining: 60 }] },
      hooksDropped: () => 5,
    });
  }

  watch(watcher: SessionWatcher): void {
    this.watcher = watcher;
  }

  async askAll(): Promise<number> {
    return this.unanswered;
  }

  /** Values by series, as `name{label="value"}`. */
  async scrape(): Promise<ReadonlyMap<string, number>> {
    const lines = (await this.metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  }
}

/** The names of the existing metrics. */
async function metricNames(): Promise<{ readonly own: readonly string[]; readonly all: ReadonlySet<string> }> {
  const text = await new Sources().metrics.text();
  const all = Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name = '']) => name);
  return { own: all.filter((name) => name.startsWith('pptpd_')).toSorted(), all: new Set(all) };
}

test('gauges and totals have the values of the manager’s parts', async () => {
  const sources = new Sources();
  const speed = { up: null, down: 20_000_000 };
  sources.states = [
    aState({ phase: 'up' }),
    aState({ session: 'two222', phase: 'up', speed }),
    aState({ session: 'three3' }),
  ];
  sources.count = 4;
  sources.unanswered = 1;
  const series = await sources.scrape();
  const expected = {
    'pptpd_sessions{phase="up"}': 2,
    'pptpd_sessions{phase="connected"}': 1,
    'pptpd_sessions{phase="ending"}': 0,
    'pptpd_sessions{phase="unknown"}': 1,
    pptpd_sessions_unanswered: 1,
    'pptpd_speed_limited_sessions{direction="fromClient"}': 0,
    'pptpd_speed_limited_sessions{direction="toClient"}': 1,
    'pptpd_workers{state="spare"}': 2,
    'pptpd_workers{state="starting"}': 1,
    pptpd_workers_started_total: 9,
    'pptpd_workers_ended_total{how="died"}': 2,
    'pptpd_turned_away_total{cause="full"}': 4,
    pptpd_blocked_addresses: 1,
    pptpd_hook_events_dropped_total: 5,
    'pptpd_turned_away_total{cause="notPptp"}': 0,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(series.get(name), value, name);
  // A second scrape counts nothing twice.
  assert.equal((await sources.scrape()).get('pptpd_turned_away_total{cause="full"}'), 4);
});

test('counters are summed over sessions, including ended ones, and never decrease', async () => {
  const sources = new Sources();
  const FROM_CLIENT = 'pptpd_tunnel_bytes_total{direction="fromClient"}';
  const LATE = 'pptpd_dropped_packets_total{reason="rxLate"}';
  const counted = (session: string, rxBytes: number, rxLate: number): SessionState =>
    aState({ session, phase: 'up', counters: { ...noneCounted(), rxBytes, rxLate } });
  const scrape = async (...states: SessionState[]): Promise<unknown> => {
    sources.states = states;
    const series = await sources.scrape();
    return [series.get(FROM_CLIENT), series.get(LATE)];
  };
  sources.watcher.entered?.('one111', false);
  sources.watcher.entered?.('two222', false);
  assert.deepEqual(await scrape(counted('one111', 100, 1), counted('two222', 20, 0)), [120, 1]);
  assert.deepEqual(await scrape(counted('one111', 150, 1), counted('two222', 20, 3)), [170, 4]);
  // Its last state is newer than the last scrape.
  sources.watcher.over?.('one111', counted('one111', 170, 1), false);
  assert.deepEqual(await scrape(counted('two222', 20, 3)), [190, 4]);
  sources.watcher.over?.('two222', counted('two222', 20, 3), true);
  assert.deepEqual(await scrape(), [190, 4]);
});

test('ended sessions are counted by reason, those of dead workers as workerFailed', async () => {
  const sources = new Sources();
  for (const id of ['one111', 'two222', 'three3']) sources.watcher.entered?.(id, id === 'three3');
  sources.watcher.over?.(
    'one111',
    aState({ ending: { reason: 'kicked', detail: null, cause: null, text: null, remedy: null } }),
    false,
  );
  sources.watcher.over?.('two222', aState(), true);
  sources.watcher.over?.('three3', null, false);
  const series = await sources.scrape();
  assert.equal(series.get('pptpd_sessions_started_total'), 2);
  for (const reason of ['kicked', 'workerFailed', 'unknown'])
    assert.equal(series.get(`pptpd_sessions_ended_total{reason="${reason}"}`), 1, reason);
});

test('a login is counted by the first scrape after it has been up for a while', async (t) => {
  const sources = new Sources();
  const clock = t.mock.method(performance, 'now', () => 5000);
  const up = async (): Promise<unknown> => (await sources.scrape()).get('pptpd_logins_total{result="up"}');
  sources.watcher.changed?.(aState({ phase: 'up', ppp: {} }), null);
  assert.equal(await up(), 0);
  clock.mock.mockImplementation(() => 5000 + SETTLED_MS);
  assert.equal(await up(), 1);
  assert.equal(await up(), 1);
});

test('handoffs are a histogram of seconds', async () => {
  const sources = new Sources();
  for (const milliseconds of [1, 7, 400]) sources.dispatcher.onHandedOver(milliseconds);
  const series = await sources.scrape();
  const upTo = (limit: string): number | undefined => series.get(`pptpd_handoff_seconds_bucket{le="${limit}"}`);
  assert.deepEqual([upTo('0.002'), upTo('0.01'), upTo('0.5'), upTo('+Inf')], [1, 2, 3, 3]);
});

test('every counter of the relay has a metric, or is marked as a momentary value', () => {
  assert.deepEqual(Object.keys(RELAY_SERIES).toSorted(), Object.keys(noneCounted()).toSorted());
});

test('docs/metrics.md lists every metric, its type and its label, and no other', async () => {
  const text = await new Sources().metrics.text();
  const documented = Array.from(
    readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(pptpd_\w+)` \| (\w+) \|/gm),
    ([, name, type]) => `${name} ${type}`,
  );
  const real = Array.from(text.matchAll(/^# TYPE (pptpd_\w+) (\w+)/gm), ([, name, type]) => `${name} ${type}`);
  assert.deepEqual(documented.toSorted(), real.toSorted());
});

test('the Grafana dashboard uses only existing metrics and labels', async () => {
  const { all, own } = await metricNames();
  const expressions = Array.from(
    readFileSync('docs/grafana.json', 'utf8').matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g),
    (each) => String(JSON.parse(`"${each[1]}"`)),
  );
  const asked = expressions.flatMap((expression) => expression.match(/\b(?:pptpd|process|nodejs)_\w+/g) ?? []);
  assert(asked.length > own.length / 2, 'the dashboard shows most metrics');
  for (const name of asked) assert(all.has(name.replace(/_(?:bucket|sum|count)$/, '')), `${name} is not a metric`);
  const text = await new Sources().metrics.text();
  const labels = new Set(['le', 'instance', ...Array.from(text.matchAll(/[{,](\w+)="/g), ([, label = '']) => label)]);
  // Series that appear with their first increment do not exist yet.
  labels.add('reason');
  for (const expression of expressions) {
    for (const [, label = ''] of expression.matchAll(/[{,]\s*(\w+)\s*=~?\s*"|by \((\w+)\)/g)) {
      if (label !== '') assert(labels.has(label), `${label} in ${expression} is not a label`);
    }
    for (const [, list = ''] of expression.matchAll(/by \(([\w, ]+)\)/g)) {
      for (const label of list.split(/, */)) assert(labels.has(label), `${label} in ${expression} is not a label`);
    }
  }
});
